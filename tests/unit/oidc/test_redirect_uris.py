"""What may be registered as a redirect address, and that the comparison is exact (security cases 1-6)."""

import pytest

from oidc.redirect_uris import is_registrable, matches, origin_of, sector_of

GOOD = "https://rp.example/callback"


@pytest.mark.parametrize(
    "uri",
    [GOOD, "https://rp.example:8443/cb?tenant=1", "https://dichvucong.hanoi.gov.vn/a/b", "https://rp.example/a%20b"],
)
def test_ordinary_addresses_may_be_registered(uri: str) -> None:
    assert is_registrable(uri, sandbox=False)


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/cb#frag",  # case 3
        "https://rp.example/cb#",
        "https://rp.example@evil.test/",  # case 4
        "https://a@b@rp.example/",
        "https://rp.example\\@evil.test/",
        "https://rp.example/\tcb",
        "https://rp.example/\ncb",
        "https://rp.example/\x00cb",
        "https:evil.test",
        "https://",
        "//rp.example/cb",
        "https://RP.example/cb",
        "https://rp.example/../cb",
        "https://rp.example/%zz",
        "https://rp.example:0/cb",
        "https://rp.example:99999/cb",
        "https://127.0.0.1/cb",
        "https://[::1]/cb",
        "https://2130706433/cb",
        "https://0x7f.1/cb",
        "https://rp.exämple/cb",
        "http://rp.example/cb",
        "javascript:alert(1)",  # case 6
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "ftp://rp.example/cb",
        "https://rp.example/" + "a" * 1100,
        "",
    ],
)
@pytest.mark.parametrize("sandbox", [True, False])
def test_odd_addresses_may_not(uri: str, sandbox: bool) -> None:
    assert not is_registrable(uri, sandbox=sandbox)


def test_plain_http_is_for_the_loopback_host_in_the_sandbox_only() -> None:
    assert is_registrable("http://localhost:8001/callback", sandbox=True)
    assert not is_registrable("http://localhost:8001/callback", sandbox=False)
    # case 5
    assert not is_registrable("http://localhost.evil.test/callback", sandbox=True)
    assert not is_registrable("http://localhost@evil.test/callback", sandbox=True)


@pytest.mark.parametrize(
    "asked",
    [
        "https://rp.example/callback/",  # case 2
        "https://rp.example/callback?a=b",
        "https://rp.example/callback/../callback",
        "https://rp.example:443/callback",
        "HTTPS://rp.example/callback",
        "https://rp.example/callback#",
        "https://rp.example/callbac%6b",
        "https://rp.example.evil.test/callback",
        "https://rp.example/callback ",
        "",
    ],
)
def test_the_comparison_forgives_nothing(asked: str) -> None:
    assert matches(GOOD, (GOOD,))
    assert not matches(asked, (GOOD,))


def test_origin_and_sector() -> None:
    assert origin_of("https://rp.example:8443/cb?x=1") == "https://rp.example:8443"
    assert sector_of((GOOD, "https://rp.example:8443/other")) == "rp.example"
    assert sector_of((GOOD, "https://other.example/")) is None
    assert sector_of(()) is None
