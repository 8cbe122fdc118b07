"""The address of the one who calls, as far as trusted proxies tell it."""

import ipaddress

from starlette.requests import HTTPConnection

from core.runtime import part
from core.settings import Settings


def client_address(request: HTTPConnection) -> str:
    """The nearest address that is not a trusted proxy.

    `X-Forwarded-For` is read from the right, only while the hop that wrote it is trusted: what a client
    writes there itself is never believed.
    """
    settings = part(request, Settings)
    peer = request.client.host if request.client else ""
    if not settings.trusted_proxies or not _trusted(peer, settings.trusted_proxies):
        return peer
    hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
    for hop in reversed(hops):
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            return peer
        peer = hop
        if not _trusted(hop, settings.trusted_proxies):
            return hop
    return peer


def _trusted(address: str, proxies: tuple[str, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(proxy) for proxy in proxies)
