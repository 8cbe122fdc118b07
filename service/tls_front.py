"""The TLS front of the sandbox: Debian's nginx as a supervised child (`make run TLS=1`).

It ends TLS with a certificate of our own making and passes requests on by a unix socket that nobody else reaches.
On its second port it asks for client certificates, of whatever issuer, and hands on what it got (RFC 8705,
RFC 9440): who they stand for is decided by the application. Whatever a caller writes into those headers is dropped.
"""

import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from core.settings import TLS_AUTHORITY, Settings
from service.compose import clock_of
from service.errors import CommandError
from service.places import make_private_dir, prepare_places
from service.sandbox_authority import sandbox_authority
from service.secret_files import write_private
from service.servers import absolute_data_dir
from service.supervise import Child, Supervised
from service.tls_certificates import issue_server, still_good
from service.tls_nginx import NginxSettings, nginx_configuration

PACKAGE = "nginx-light"
CERTIFICATE, KEY = "tls_server.pem", "tls_server_key.pem"
PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class TlsFront:
    """The program, and what it says it was built with."""

    program: Path
    built: str

    @classmethod
    def find(cls, named: Path | None = None) -> "TlsFront":
        """named: the program, if not the one on PATH. As root on a machine with apt, nginx is installed when
        missing. Raises CommandError."""
        found = _on_path() if named is None else named if os.access(named, os.X_OK) else None
        if found is None and named is None and os.geteuid() == 0 and (apt := shutil.which("apt-get")) is not None:
            _install(apt)
            found = _on_path()
        if found is None:
            raise CommandError(f"nginx is not here: install it (apt-get install {PACKAGE}), or run without TLS=1")
        command = [str(found), "-V"]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stderr  # noqa: S603  # by its name
        if "http_ssl_module" not in told:
            raise CommandError(f"this nginx does not speak TLS: install Debian's package {PACKAGE}")
        return cls(found, told)

    def web_socket(self, settings: Settings) -> Path:
        """The socket between the front and the application, in a directory of mode 0700."""
        return prepare_places(absolute_data_dir(settings)).socket_dir / "web.sock"

    def child(self, settings: Settings) -> Supervised:
        """nginx with our configuration. It is one process, so that nothing outlives it."""
        data_dir = absolute_data_dir(settings)
        folder, secrets = data_dir / "run" / "nginx", settings.secrets_dir.absolute()
        make_private_dir(folder)
        modules = ("fastcgi", "uwsgi", "scgi")
        told = NginxSettings(
            folder=folder,
            host=settings.host,
            port=settings.tls_port,
            mtls_port=settings.tls_mtls_port,
            portal_port=settings.tls_portal_port,
            web_socket=self.web_socket(settings),
            portal_address=f"{_reached_at(settings)}:{settings.portal_port}",
            certificate=secrets / CERTIFICATE,
            key=secrets / KEY,
            client_certificate_header=settings.client_certificate_header,
            other_modules=tuple(name for name in modules if f"--without-http_{name}_module" not in self.built),
        )
        configuration = folder / "nginx.conf"
        write_private(configuration, nginx_configuration(told))
        return Supervised(
            Child(
                name="nginx",
                command=[str(self.program), "-e", "stderr", "-p", str(folder), "-c", str(configuration)],
                log_path=data_dir / "log" / "nginx.log",
                is_ready=lambda _pid: _answers(settings, secrets / TLS_AUTHORITY),
            )
        )


def prepare_certificates(settings: Settings) -> None:
    """The authority, and a server certificate for the hosts of this run; remade when it does not fit any more."""
    folder, now = settings.secrets_dir, clock_of(settings).now()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = sandbox_authority(folder, now)
    hosts = _hosts(settings)
    certificate = folder / CERTIFICATE
    if certificate.exists() and still_good(certificate.read_text("ascii"), authority, hosts, now):
        return
    made = issue_server(authority, hosts, now)
    write_private(folder / KEY, made.key_pem)
    write_private(certificate, made.certificate_pem)


def _install(apt: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", PACKAGE]):
        subprocess.run([apt, *arguments], env=environment, check=False, capture_output=True)  # noqa: S603  # our words


def _on_path() -> Path | None:
    # Not everybody has /usr/sbin on PATH.
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin")
    return Path(found) if found else None


def _hosts(settings: Settings) -> list[str]:
    named = [urlsplit(origin).hostname or "" for origin in (settings.issuer, settings.mtls_base)]
    return list(dict.fromkeys([*named, "localhost", "127.0.0.1", "::1", _reached_at(settings)]))


def _reached_at(settings: Settings) -> str:
    return "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104  # looked at


def _answers(settings: Settings, authority: Path) -> bool:
    context = ssl.create_default_context(cafile=str(authority))
    connection = HTTPSConnection(_reached_at(settings), settings.tls_port, timeout=PROBE_SECONDS, context=context)
    try:
        connection.request("GET", "/health/live", headers={"User-Agent": "dinhdanh-up"})
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
