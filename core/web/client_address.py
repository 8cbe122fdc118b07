"""The address of the one who calls, as far as trusted proxies tell it, and the network it lies in."""

import ipaddress
from functools import lru_cache

from starlette.requests import HTTPConnection

from core.runtime import part
from core.settings import Settings


def client_address(request: HTTPConnection) -> str:
    """The nearest address that is not a trusted proxy.

    `Forwarded` (RFC 7239) or `X-Forwarded-For` is read from the right, only while the hop that wrote it is trusted:
    what a client writes there itself is never believed. When both came, one may be the client's own, since a proxy
    writes the one it knows and hands on the other: then neither is believed, and the peer is all we know.
    """
    settings = part(request, Settings)
    peer = request.client.host if request.client else ""
    if not settings.trusted_proxies or not is_trusted_peer(request):
        return peer
    for hop in reversed(_hops(request)):
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            return peer
        peer = hop
        if not _trusted(hop, settings.trusted_proxies):
            return hop
    return peer


def network_of(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) of an address; "" when it is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        ip = mapped
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False))


def is_trusted_peer(request: HTTPConnection) -> bool:
    """Whether the connection itself comes from a trusted proxy: what such a one writes may be believed."""
    proxies = part(request, Settings).trusted_proxies
    if request.client is not None:
        return _trusted(request.client.host, proxies)
    # No address: a unix socket. Or a peer that was gone before it was asked for; our own end tells them apart.
    own = request.scope.get("server")
    return "unix" in proxies and own is not None and own[1] is None


def _hops(request: HTTPConnection) -> list[str]:
    """The addresses the proxies wrote, nearest last; what is no address ("unknown", a name) stays as it is."""
    standard, common = request.headers.getlist("forwarded"), request.headers.getlist("x-forwarded-for")
    if standard and common:
        return []
    if common:
        return [hop.strip() for line in common for hop in line.split(",")]
    hops = []
    for element in (element for line in standard for element in line.split(",")):
        pairs = dict(pair.strip().partition("=")[::2] for pair in element.split(";"))
        node = next((value for name, value in pairs.items() if name.lower() == "for"), "").strip('"')
        hops.append(_without_port(node))
    return hops


def _without_port(node: str) -> str:
    """`192.0.2.1:47` → `192.0.2.1`, `[2001:db8::1]:47` → `2001:db8::1` (RFC 7239 §6)."""
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


@lru_cache(maxsize=4_096)
def _trusted(address: str, proxies: tuple[str, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(proxy) for proxy in proxies if proxy != "unix")
