"""nginx's configuration for the TLS front. Pure: values in, text out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CIPHERS_1_2 = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384")
"""What FAPI 1.0 Part 2 §8.5 and RFC 9325 §4.2 (for FAPI 2.0) both permit, with ephemeral keys."""
CIPHERS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


@dataclass(frozen=True, slots=True)
class NginxSettings:
    """folder: nginx's own, mode 0700. other_modules: built in, and in need of a directory they never use."""

    folder: Path
    host: str
    port: int
    mtls_port: int
    portal_port: int
    web_socket: Path
    portal_address: str
    certificate: Path
    key: Path
    client_certificate_header: str
    other_modules: tuple[str, ...] = ()


def nginx_configuration(front: NginxSettings) -> str:
    """One process in the foreground, three TLS ports, nothing written outside `folder`."""
    header = front.client_certificate_header
    # An empty value is a header that is not passed on, whatever the caller sent.
    nothing = {header: '""', f"{header}-Chain": '""'}
    shown = {**nothing, header: "$ssl_client_escaped_cert"}
    web = f"http://unix:{front.web_socket}:"
    return "\n".join(
        [
            "daemon off;",
            # One process: a master that is killed leaves workers behind, which keep the ports.
            "master_process off;",
            f'pid "{front.folder}/nginx.pid";',
            "events { worker_connections 2048; }",
            "http {",
            *_indented(
                [
                    "server_tokens off;",
                    "access_log off;",  # it would write query strings
                    "error_log stderr error;",
                    "default_type application/octet-stream;",
                    *_own_directories(front),
                    "client_max_body_size 64m;",  # the application has its own, smaller limits
                    "large_client_header_buffers 4 32k;",
                    "proxy_buffer_size 32k;",
                    "proxy_buffers 8 32k;",
                    f'ssl_certificate "{front.certificate}";',
                    f'ssl_certificate_key "{front.key}";',
                    "ssl_protocols TLSv1.2 TLSv1.3;",
                    f"ssl_ciphers {':'.join(CIPHERS_1_2)};",
                    f"ssl_conf_command Ciphersuites {':'.join(CIPHERS_1_3)};",
                    "ssl_prefer_server_ciphers on;",
                    "ssl_session_tickets off;",
                    "ssl_session_cache shared:tls:2m;",
                    *_server(front, front.port, web, nothing, ()),
                    *_server(
                        front,
                        front.mtls_port,
                        web,
                        shown,
                        # Any issuer: a certificate may be self-signed (RFC 8705 §2.2).
                        ("ssl_verify_client optional_no_ca;", "ssl_verify_depth 4;"),
                    ),
                    *_server(front, front.portal_port, f"http://{front.portal_address}", nothing, ()),
                ]
            ),
            "}",
            "",
        ]
    )


def _server(
    front: NginxSettings, port: int, behind: str, headers: Mapping[str, str], further: Iterable[str]
) -> list[str]:
    told = {
        "Host": "$http_host",
        "Connection": '""',
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "https",
        "Forwarded": '""',
        **headers,
    }
    return [
        "server {",
        *_indented(
            [
                f"listen {_address(front.host)}:{port} ssl;",
                *further,
                # Metrics are for the operator, who asks the application itself.
                "location = /metrics { return 404; }",
                "location / {",
                *_indented(
                    [
                        f'proxy_pass "{behind}";',
                        "proxy_http_version 1.1;",
                        "proxy_read_timeout 75s;",
                        *(f"proxy_set_header {name} {value};" for name, value in told.items()),
                    ]
                ),
                "}",
            ]
        ),
        "}",
    ]


def _own_directories(front: NginxSettings) -> list[str]:
    names = ("client_body", "proxy", *front.other_modules)
    return [f'{name}_temp_path "{front.folder}/{name}";' for name in names]


def _address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
