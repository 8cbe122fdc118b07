"""Redirect addresses: what may be registered, and the exact comparison afterwards. Pure.

The comparison is of strings, character by character (RFC 9700 §2.1): no normalising, so nothing that two
URL readers could read differently. What may be registered is narrow for the same reason.
"""

import ipaddress
import re
from urllib.parse import urlsplit

MAX_LENGTH = 1024
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%@]+", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_registrable(uri: str, *, sandbox: bool) -> bool:
    """Whether a client may register this as a redirect (or post-logout redirect) address.

    https with a host name in lower case, no user part, no fragment, no character that needs guessing.
    sandbox: plain http to the loopback host is allowed too.
    """
    if len(uri) > MAX_LENGTH or _PLAIN.fullmatch(uri) is None or re.search(r"%(?![0-9A-Fa-f]{2})", uri):
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.fragment or "/../" in f"{parts.path}/" or "/./" in f"{parts.path}/":
        return False
    if port == 0 or parts.netloc != parts.netloc.lower():
        return False
    if parts.scheme == "https":
        return _HOST.fullmatch(host) is not None and not _is_address(host)
    return sandbox and parts.scheme == "http" and host in _LOOPBACK


def is_web_page(uri: str, *, sandbox: bool) -> bool:
    """Whether a client may register this as an address to link to (client_uri, policy_uri, tos_uri)."""
    return is_registrable(uri, sandbox=sandbox)


def matches(asked: str, registered: tuple[str, ...]) -> bool:
    """Exact comparison."""
    return asked in registered


def origin_of(uri: str) -> str:
    """`scheme://host[:port]` of a registered address."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def sector_of(uris: tuple[str, ...]) -> str | None:
    """The sector identifier: the one host of all redirect addresses (OpenID Connect Core §8.1), else None."""
    hosts = {urlsplit(uri).hostname or "" for uri in uris}
    return hosts.pop() if len(hosts) == 1 else None


def _is_address(host: str) -> bool:
    """An IPv4 address in any of its spellings, or IPv6: sectors and certificates need names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return re.fullmatch(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*", host) is not None
    return True
