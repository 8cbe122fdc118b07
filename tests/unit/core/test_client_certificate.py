"""RFC 9440 §2.2, §2.3, §4: the header is read from a trusted peer only, and only when it is what it must be."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request

from core.client_certificate import CertificateUnreadable, ClientCertificate, client_certificate, read_certificate
from core.runtime import Parts
from core.settings import Settings, load_settings
from tests.support.client_certificates import NOW, authority, issue

HELD = issue()
PROXY, STRANGER = ("10.0.0.2", 4711), ("198.51.100.9", 4711)
TCP, UNIX = ("10.0.0.1", 8000), ("/run/app.sock", None)


def request(*headers: tuple[str, str], client: Any = PROXY, server: Any = TCP, **changes: Any) -> Request:
    settings = load_settings(
        **{"client_certificate_header": "Client-Cert", "trusted_proxies": ("10.0.0.0/8",), **changes}
    )
    parts = Parts()
    parts.add(Settings, settings)
    app = type("App", (), {"state": type("State", (), {"parts": parts})})
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "headers": raw, "client": client, "server": server, "app": app})


def shown(*headers: tuple[str, str], **changes: Any) -> ClientCertificate | None:
    return client_certificate(request(*headers, **changes))


def test_a_trusted_proxy_hands_it_on() -> None:
    found = shown(("Client-Cert", HELD.header))
    assert found is not None
    assert found.leaf == HELD.certificate
    assert shown(("Client-Cert", HELD.escaped_pem)) == found
    assert shown(("X-Cert", HELD.header), client_certificate_header="X-Cert") == found


def test_nobody_else_does() -> None:
    header = ("Client-Cert", HELD.header)
    assert shown(header, client=STRANGER) is None
    assert shown(header, trusted_proxies=()) is None
    assert shown(header, client_certificate_header="") is None
    assert shown() is None


def test_the_unix_socket_is_trusted_by_its_name_only() -> None:
    header = ("Client-Cert", HELD.header)
    assert shown(header, client=None, server=UNIX, trusted_proxies=("unix",)) is not None
    assert shown(header, client=None, server=UNIX) is None
    # A caller over TCP that was gone before its address was asked for has none either.
    assert shown(header, client=None, server=TCP, trusted_proxies=("unix",)) is None
    assert shown(header, client=None, server=None, trusted_proxies=("unix",)) is None
    assert shown(header, client=STRANGER, server=UNIX, trusted_proxies=("unix",)) is None


def test_two_headers_are_a_fault_of_the_proxy() -> None:
    assert shown(("Client-Cert", HELD.header), ("Client-Cert", HELD.header)) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":",
        "::",
        ":AAAA:",
        HELD.header[1:-1],
        HELD.header + ", " + HELD.header,
        HELD.header.replace(":", '"'),
        HELD.header[:-1],
        ":" + HELD.header[1:-1] + "\n:",
        ":" + base64.b64encode(HELD.der + b"\x00").decode() + ":",
        ":" + "A" * 20_000 + ":",
        "-----BEGIN%20CERTIFICATE-----",
        HELD.escaped_pem.replace("%0A", "%FF"),
        HELD.escaped_pem[:-40],
        "x" * 100,
    ],
)
def test_what_is_no_certificate_is_none(value: str) -> None:
    with pytest.raises(CertificateUnreadable):
        read_certificate(value)
    assert shown(("Client-Cert", value)) is None


def test_padding_may_be_left_out() -> None:
    """RFC 8941 §4.2.7: parsers do not insist on it."""
    bare = HELD.header.replace("=", "")
    assert read_certificate(bare).x5t_s256 == read_certificate(HELD.header).x5t_s256


def test_the_chain_comes_along() -> None:
    root = authority()
    middle = issue(by=root, authority=True)
    chain = f"{middle.header}, {root.header}"
    assert len(read_certificate(HELD.header, chain).chain) == 2
    for broken in (f"{middle.header}, :AAAA:", ", ".join([root.header] * 5), "x"):
        with pytest.raises(CertificateUnreadable):
            read_certificate(HELD.header, broken)
    found = shown(
        ("Client-Cert", HELD.header), ("Client-Cert-Chain", middle.header), ("Client-Cert-Chain", root.header)
    )
    assert found is not None
    assert len(found.chain) == 2


def test_times() -> None:
    found = read_certificate(issue(starts=timedelta(0), ends=timedelta(hours=1)).header)
    assert found.is_valid_at(NOW)
    assert not found.is_valid_at(NOW - timedelta(seconds=1))
    assert not found.is_valid_at(NOW + timedelta(hours=1, seconds=1))


def test_it_does_not_show_itself_in_logs() -> None:
    assert "CN=" not in repr(read_certificate(HELD.header))
