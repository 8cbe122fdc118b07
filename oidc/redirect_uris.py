"""Redirect addresses: what may be registered, and the exact comparison afterwards. Pure.

The comparison is of strings, character by character (RFC 9700 §2.1): no normalising, so nothing that two
URL readers could read differently. What may be registered is narrow for the same reason. The one exception is the port
of an app's own listener on this machine (RFC 8252 §7.3, RFC 9700 §4.1.3): the system gives it out at each start.
"""

import ipaddress
import re
from urllib.parse import urlsplit

MAX_LENGTH = 1024
MAX_PORT = 65_535
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%@]+", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PRIVATE_USE = re.compile(rf"(?P<scheme>(?=[a-z][^:]{{0,252}}:){_LABEL}(?:\.{_LABEL})+):/(?!/).*", re.ASCII)
"""RFC 8252 §7.1: a domain name turned round, so with a dot, and a path with one slash, since nothing names a host."""
_LISTENER = re.compile(
    r"(?P<host>http://(?:127\.0\.0\.1|\[::1\]))(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>/.*)", re.ASCII
)
"""RFC 8252 §7.3, §8.3: an address of this machine, not the name localhost, which may be looked up elsewhere."""


def is_registrable(uri: str, *, sandbox: bool) -> bool:
    """Whether a client may register this as a redirect (or post-logout redirect) address.

    https with a host name in lower case, no user part, no fragment, no character that needs guessing.
    sandbox: plain http to the loopback host is allowed too.
    """
    if not _is_plain(uri):
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.fragment or _climbs(parts.path):
        return False
    if port == 0 or parts.netloc != parts.netloc.lower():
        return False
    if parts.scheme == "https":
        return _HOST.fullmatch(host) is not None and not _is_address(host)
    return sandbox and parts.scheme == "http" and host in _LOOPBACK


def is_app_address(uri: str) -> bool:
    """Whether an app on somebody's device may register this: a private-use scheme, or a listener of its own.

    Beside them apps may use https addresses that the system gives to them (RFC 8252 §7.2), as any client.
    """
    return is_private_use(uri) or (_listener(uri) is not None and _is_plain(uri) and not _climbs(_path_of(uri)))


def is_private_use(uri: str) -> bool:
    """Whether this is a registrable address of a private-use scheme, `com.example.app:/path` (RFC 8252 §7.1)."""
    return _PRIVATE_USE.fullmatch(uri) is not None and _is_plain(uri) and not _climbs(_path_of(uri))


def is_web_page(uri: str, *, sandbox: bool) -> bool:
    """Whether a client may register this as an address to link to (client_uri, policy_uri, tos_uri)."""
    return is_registrable(uri, sandbox=sandbox)


def matches(asked: str, registered: tuple[str, ...]) -> bool:
    """Exact comparison, but for the port of an app's listener: any will do there, and nothing else may differ."""
    if asked in registered:
        return True
    listener = _listener(asked)
    return listener is not None and any(_listener(each) == listener for each in registered)


def origin_of(uri: str) -> str:
    """What a Content-Security-Policy names a registered address by: `scheme://host[:port]`, or the private-use scheme.

    Sources of CSP (§2.3.1) cannot write an IPv6 address: a listener there is named by its port alone.
    """
    own = _PRIVATE_USE.fullmatch(uri)
    if own is not None:
        return f"{own['scheme']}:"
    parts = urlsplit(uri)
    netloc = parts.netloc.replace("[::1]", "*") if parts.scheme == "http" else parts.netloc
    return f"{parts.scheme}://{netloc}"


def script_origin_of(uri: str, *, app: bool) -> str | None:
    """The origin of scripts that may come from a registered address (RFC 6454 §4); None for an app's own one.

    app: whether the client is one; in the sandbox a page in a browser may lie at an address of this machine.
    """
    parts = urlsplit(uri)
    return None if app and is_app_address(uri) else f"{parts.scheme}://{parts.netloc}"


def sector_of(uris: tuple[str, ...]) -> str | None:
    """The sector identifier: the one host of all redirect addresses (OpenID Connect Core §8.1), else None."""
    hosts = hosts_of(uris)
    return next(iter(hosts)) if len(hosts) == 1 else None


def hosts_of(uris: tuple[str, ...]) -> frozenset[str]:
    """The hosts that redirect addresses name. An app's own addresses name none: every agency's app may have them."""
    return frozenset(urlsplit(uri).hostname or "" for uri in uris if not is_app_address(uri))


def _is_plain(uri: str) -> bool:
    return len(uri) <= MAX_LENGTH and _PLAIN.fullmatch(uri) is not None and not re.search(r"%(?![0-9A-Fa-f]{2})", uri)


def _path_of(uri: str) -> str:
    return uri.partition("?")[0].partition(":/")[2]


def _climbs(path: str) -> bool:
    return "/../" in f"/{path}/" or "/./" in f"/{path}/"


def _listener(uri: str) -> tuple[str, str] | None:
    """Of an app's listener on this machine what has to be the same: host and whatever follows the port."""
    found = _LISTENER.fullmatch(uri)
    if found is None or int(found["port"] or 80) > MAX_PORT:
        return None
    return found["host"], found["rest"]


def _is_address(host: str) -> bool:
    """An IPv4 address in any of its spellings, or IPv6: sectors and certificates need names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return re.fullmatch(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*", host) is not None
    return True
