"""Which addresses of the network are public: the only ones that the outbound client goes to by itself. Pure.

By the IANA special-purpose address registries (RFC 6890), written out here: the library's `is_global` means
something else in every Python version, and it takes multicast and the ways of hiding an IPv4 address for global.
"""

import ipaddress

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared address space of providers (RFC 6598)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
"""All that is given out as global unicast. Loopback, link-local, unique local, multicast, IPv4-mapped (::ffff:0:0/96)
and the well-known prefixes of NAT64 (64:ff9b::/96, 64:ff9b:1::/48) lie outside."""
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo (2001::/32) among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: carries an IPv4 address of any kind
        "3fff::/20",  # documentation
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: str) -> bool:
    """Whether an address, as a resolver gives it, may be connected to. What is not an address is not public."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if ip.scope_id is not None or ip not in _PUBLIC_6 or any(ip in network for network in _NOT_PUBLIC_6):
        return False
    # RFC 5214 §6.1: an interface identifier that carries an IPv4 address.
    return (int(ip) >> 32) & 0xFFFFFFFF not in _ISATAP
