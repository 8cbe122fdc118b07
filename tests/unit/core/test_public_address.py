"""Which addresses are public (security case 45)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.public_address import is_public

PRIVATE = [
    "0.0.0.0",  # noqa: S104  (an address to refuse)
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.19.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700:4700:0:0:5efe:7f00:1",
    "2606:4700:4700:0:200:5efe:7f00:1",
    "2606:4700::1111%1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111"]
NO_ADDRESSES = ["", "localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.1 ", "1.2.3.4\n"]


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_what_the_library_calls_private_is_never_public(address: object) -> None:
    ip = address
    hidden = any(getattr(ip, name) for name in ("is_private", "is_loopback", "is_link_local", "is_multicast"))
    assert not (is_public(str(ip)) and (hidden or getattr(ip, "is_unspecified", False)))
