"""What may be registered as a redirect address, and that the comparison is exact (security cases 1-6)."""

import pytest

from oidc.redirect_uris import (
    MAX_LENGTH,
    hosts_of,
    is_app_address,
    is_private_use,
    is_registrable,
    matches,
    origin_of,
    script_origin_of,
    sector_of,
)

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


PRIVATE_USE = "com.example.app:/oauth2redirect"
LISTENER = "http://127.0.0.1/callback?from=app"
LISTENER_6 = "http://[::1]:51004/callback"


@pytest.mark.parametrize(
    "uri", [PRIVATE_USE, "vn.gov.hanoi.dich-vu:/", f"{PRIVATE_USE}?x=1", LISTENER, LISTENER_6, "http://127.0.0.1:1/"]
)
def test_addresses_of_an_app(uri: str) -> None:
    """RFC 8252 §7.1, §7.3; they are no addresses of a web service."""
    assert is_app_address(uri)
    assert is_private_use(uri) == uri.startswith(("com.", "vn."))
    assert not is_registrable(uri, sandbox=False)


@pytest.mark.parametrize(
    "uri",
    [
        "myapp:/callback",  # no domain name
        "com.example.app:callback",
        "com.example.app://callback",  # no authority, so one slash
        "com.example.app:///callback",
        "com.example.app:",
        "com.example.app:/cb#frag",
        "Com.Example.App:/cb",
        "com..app:/cb",
        ".example.app:/cb",
        "com.example.:/cb",
        "-com.example:/cb",
        "com.example-:/cb",
        "1.2.3.4:/cb",
        "com_example.app:/cb",
        "com.exämple.app:/cb",
        "com.example.app:/a/../cb",
        "com.example.app:/cb\n",
        "com.example.app:/c b",
        "com.example.app:/\\cb",
        "com.example.app:/%zz",
        f"com.example.app:/{'a' * MAX_LENGTH}",
        f"a.{'b' * 300}:/cb",
        "javascript:/cb",
        "data:/text/html,x",
        "https.example:443/cb",
        "http://localhost/cb",
        "http://localhost:51004/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://0x7f.0.0.1/cb",
        "http://2130706433/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.1@evil.test/cb",
        "http://evil@127.0.0.1/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1",
        "http://127.0.0.1/cb#frag",
        "http://127.0.0.1/../cb",
        "http://[::2]/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "https://127.0.0.1/cb",
        "HTTP://127.0.0.1/cb",
        "ws://127.0.0.1/cb",
        "",
    ],
)
def test_no_address_of_an_app(uri: str) -> None:
    assert not is_app_address(uri)
    assert not is_private_use(uri)


@pytest.mark.parametrize("port", ["", ":1", ":80", ":51004", ":65535"])
def test_a_listener_may_have_any_port(port: str) -> None:
    """RFC 8252 §7.3: the system gives it out when the app starts to listen."""
    assert matches(f"http://127.0.0.1{port}/callback?from=app", (GOOD, LISTENER))
    assert matches(f"http://[::1]{port}/callback", (GOOD, LISTENER_6))


@pytest.mark.parametrize(
    "asked",
    [
        "http://127.0.0.1:51004/callback",
        "http://127.0.0.1:51004/callback?from=app&x=1",
        "http://127.0.0.1:51004/callback?from=app#x",
        "http://127.0.0.1:51004/Callback?from=app",
        "http://127.0.0.1:0/callback?from=app",
        "http://127.0.0.1:051004/callback?from=app",
        "http://127.0.0.1:65536/callback?from=app",
        "http://127.0.0.1:٣/callback?from=app",
        "http://127.0.0.1:/callback?from=app",
        "http://127.0.0.1:51004@evil.test/callback?from=app",
        "http://localhost:51004/callback?from=app",
        "http://[::1]:51004/callback?from=app",
        "http://127.0.0.2:51004/callback?from=app",
        "https://127.0.0.1:51004/callback?from=app",
        "HTTP://127.0.0.1:51004/callback?from=app",
        " http://127.0.0.1:51004/callback?from=app",
        "http://127.0.0.1:51004/callback?from=app\n",
        f"{PRIVATE_USE}/",
        "com.example.app:51004/oauth2redirect",
        "https://rp.example:51004/callback",
    ],
)
def test_nothing_else_of_an_apps_address_may_differ(asked: str) -> None:
    registered = (GOOD, LISTENER, PRIVATE_USE, "http://localhost/callback?from=app")
    assert matches(PRIVATE_USE, registered)
    assert not matches(asked, registered)


def test_what_a_page_that_ends_at_an_app_names_in_its_policy() -> None:
    """CSP §2.3.1: a scheme alone is a source; an IPv6 address is none, so that its port has to do."""
    assert origin_of(PRIVATE_USE) == "com.example.app:"
    assert origin_of("http://127.0.0.1:51004/cb?x=1") == "http://127.0.0.1:51004"
    assert origin_of(LISTENER_6) == "http://*:51004"


def test_an_app_has_no_scripts_and_names_no_host() -> None:
    for uri in (PRIVATE_USE, LISTENER, LISTENER_6):
        assert script_origin_of(uri, app=True) is None
        assert hosts_of((uri,)) == frozenset()
        assert sector_of((uri,)) is None
        assert sector_of((uri, GOOD)) == "rp.example"
    assert script_origin_of("http://127.0.0.1:5173/cb", app=False) == "http://127.0.0.1:5173"
    assert script_origin_of(GOOD, app=True) == "https://rp.example"
