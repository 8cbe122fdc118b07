"""RFC 9700 §2.1 and §4: where an answer may go, and what an authorization request must hold.

Security cases 1-7, 9-12, 18, 19, 44, 49, 50, 63.
"""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from core.cache import Cache
from core.web.brake import Brake
from tests.actors.relying_party import DROP, RelyingParty, answer_of
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["world"]


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


def is_error_page(answer: httpx.Response, error: str = "invalid_request") -> bool:
    """An HTML error at the provider: no way leads to the address in the request."""
    assert answer.status_code == 400, (answer.status_code, answer.headers)
    assert "location" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"  # case 18
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    return f'id="error-code">{error}<' in answer.text


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.test/",  # case 1
        f"{REDIRECT}/more",  # case 2
        f"{REDIRECT}?a=b",
        f"{REDIRECT}/",
        f"{REDIRECT}#frag",  # case 3
        "https://rp.example@evil.test/callback",  # case 4
        "https://a@b@rp.example/callback",
        "https://rp.example\\@evil.test/callback",
        "https://rp.example\t/callback",
        "https://rp.example/callback\r\nSet-Cookie: x=y",  # case 49
        "https:evil.test",
        "https://rp.example.evil.test/callback",  # case 5
        "http://localhost.evil.test/callback",
        "HTTPS://RP.EXAMPLE/callback",
        "javascript:alert(1)",  # case 6
        "data:text/html,x",
        DROP,  # case 7: required also with one registered
    ],
)
async def test_an_address_that_is_not_registered(world: ProviderWorld, portal: RelyingParty, uri: Any) -> None:
    answer = await portal.http.get(portal.ask(redirect_uri=uri).url)
    assert is_error_page(answer)
    # The switch of language repeats the request in an address of our own; nothing leads elsewhere.
    links = re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links), links
    assert "http-equiv" not in answer.text


async def test_nul_repeated_and_endless_parameters(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 49: 4xx at the provider, whatever else is right."""
    url = portal.ask().url
    assert is_error_page(await portal.http.get(url + "&state=again"))
    assert is_error_page(await portal.http.get(url + "&redirect_uri=https%3A%2F%2Fevil.test%2F"))
    assert is_error_page(await portal.http.get(url + "&x=%00"))
    assert is_error_page(await portal.http.get(url + "&x=" + "y" * 20_000))
    assert is_error_page(await portal.http.get(url + "".join(f"&p{n}=1" for n in range(2000))))


async def test_an_endless_state_is_sent_nowhere(world: ProviderWorld, portal: RelyingParty) -> None:
    """Every answer to the client would have to carry it."""
    for prompt in ("none", "login"):
        assert is_error_page(await portal.http.get(portal.ask(prompt=prompt, state="s" * 2049).url))
    longest = "s" * 2048
    assert answer_of(await portal.http.get(portal.ask(prompt="none", state=longest).url))["state"] == longest
    pushed = await portal.push(portal.ask(state="s" * 60_000))
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"acr_values": "urn:x " * 300},
        {"prompt": "login " * 30},
        {"state": "€" * 2048, "nonce": "n" * 2048},
        {"nonce": "\x01" * 2048},  # six bytes each, in the cache
    ],
    ids=["acr_values", "prompt", "together", "escaped"],
)
async def test_what_would_fill_the_cache_is_refused(
    world: ProviderWorld, portal: RelyingParty, changes: dict[str, Any]
) -> None:
    assert answer_of(await portal.http.get(portal.ask(**changes).url))["error"] == "invalid_request"


@pytest.mark.parametrize("way", ["link", "form", "pushed"])
async def test_what_nobody_reads_is_ignored_and_forgotten(world: ProviderWorld, portal: RelyingParty, way: str) -> None:
    """A secret sent by mistake, a number under a name of the client's own, filling."""
    redis = world.parts.get(Cache).redis
    stray = {"client_secret": "zar-secret", "cccd": "079084000999", "ui_locales": "en " + "x-filling " * 700}
    await redis.flushdb()
    if way == "pushed":
        pushed = await portal.push(portal.ask(filling="x" * 60_000, cccd=stray["cccd"]))
        assert pushed.status_code == 201
    if way == "form":
        answer = await portal.http.post("/authorize", data=portal.ask(**stray, filling="x" * 40_000).params)
        assert answer.status_code == 303
        for text in ("zar-secret", "079084000999", "filling=x"):
            assert text not in answer.headers["location"]
    if way == "link":
        answer = await portal.http.get(portal.ask(**stray, filling="x" * 8_000).url)
        assert answer.headers["location"].startswith("/signin")
    for key in await redis.keys("*"):
        kept: Any = await redis.get(key) if await redis.type(key) == b"string" else b""
        assert len(kept) < 3_000
        assert not any(text in kept for text in (b"zar-secret", b"079084000999", b"filling"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, world: ProviderWorld) -> None:
    for name in ("core.interaction.STRANGERS", "oidc.authorize.endpoint.TICKETS", "oidc.par.STRANGERS"):
        monkeypatch.setattr(name, Brake(name, 3))


async def test_a_network_cannot_leave_requests_without_end(
    world: ProviderWorld, portal: RelyingParty, small: None
) -> None:
    """Whoever is signed in is not counted, nor a request that nothing is kept of; other networks are not hindered."""
    await world.parts.get(Cache).redis.flushdb()
    browser = world.browser()
    await browser.walk(portal)
    statuses = [(await world.http().get(portal.ask().url)).status_code for _ in range(4)]
    assert statuses == [303, 303, 429, 429]
    refused = await world.http().get(portal.ask().url)
    assert refused.headers["retry-after"] == "60"
    assert "location" not in refused.headers
    assert "Có quá nhiều lần thử từ mạng của bạn" in refused.text
    assert (await world.http().get("/signin")).status_code == 429
    assert (await browser.http.get("/signin")).status_code == 303
    assert answer_of(await world.http().get(portal.ask(prompt="none").url))["error"] == "login_required"
    page = await browser.open(portal.ask(prompt="login").url)
    assert 'id="signin-form"' in page.text
    elsewhere = httpx.ASGITransport(world.app, client=("198.51.101.7", 4711))
    async with httpx.AsyncClient(transport=elsewhere, base_url=world.issuer) as http:
        assert (await http.get(portal.ask().url)).status_code == 303


async def test_nor_tickets_nor_pushed_requests_of_nobody(
    world: ProviderWorld, portal: RelyingParty, small: None
) -> None:
    await world.parts.get(Cache).redis.flushdb()
    form = portal.ask(claims="{}").params
    assert [(await world.http().post("/authorize", data=form)).status_code for _ in range(4)] == [303] * 3 + [429]
    public = await world.register(method="none")
    answers = [await public.push(public.ask()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429]
    assert answers[-1].json()["error"] == "temporarily_unavailable"
    assert (await portal.push(portal.ask())).status_code == 201  # who authenticates is known


@pytest.mark.parametrize("client_id", [DROP, "nobody", "x" * 5000, "a\x01b", "đ"])
async def test_a_client_that_is_not_known(world: ProviderWorld, portal: RelyingParty, client_id: Any) -> None:
    answer = await portal.http.get(portal.ask(client_id=client_id).url)
    assert is_error_page(answer, "invalid_request" if client_id is DROP else "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": DROP}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": DROP}, "invalid_request"),  # case 11
        ({"code_challenge_method": "plain"}, "invalid_request"),  # case 12
        ({"code_challenge_method": DROP}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "=" * 43}, "invalid_request"),
        ({"scope": DROP}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "admin"}, "invalid_scope"),  # nothing is left of it
        ({"scope": "openid  email"}, "invalid_scope"),
        ({"scope": 'openid "admin"'}, "invalid_scope"),
        ({"scope": "openid lookup"}, "invalid_scope"),
        ({"scope": "openid purpose:unknown"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"request_uri": "http://169.254.169.254/request"}, "request_uri_not_supported"),  # case 44
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"nonce": "n" * 2049}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),  # case 50
        ({"claims": "{" * 2000}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
    ],
)
async def test_errors_go_back_with_state_and_iss(
    world: ProviderWorld, portal: RelyingParty, changes: dict[str, Any], error: str
) -> None:
    """Case 19: errors carry `iss` too."""
    attempt = portal.ask(**changes)
    answer = await portal.http.get(attempt.url)
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    got = answer_of(answer)
    assert (got["error"], got["state"], got["iss"]) == (error, attempt.state, world.issuer)
    assert got["error_description"]


async def test_an_answer_keeps_the_registered_query(world: ProviderWorld) -> None:
    uri = "https://rp.example/callback?tenant=1"
    portal = await world.register(redirect_uris=[uri])
    answer = await portal.http.get(portal.ask(prompt="none").url)
    assert answer.headers["location"].startswith(f"{uri}&")
    assert answer_of(answer)["error"] == "login_required"


async def test_an_address_that_ends_in_a_question_mark_gets_one_query(world: ProviderWorld) -> None:
    uri = "https://rp.example/callback?"
    portal = await world.register(redirect_uris=[uri])
    answer = await portal.http.get(portal.ask(prompt="none").url)
    assert answer.headers["location"].startswith(f"{uri}error=")


@pytest.mark.parametrize(
    "state",
    [
        "plain-._~09",
        "a b+c&d=e?f#g/h:i%20j",
        "Cổng dịch vụ công 🇻🇳",
        "%0d%0aSet-Cookie: x",
        "iss=x&code=y",
        "\u00a0\u2028",
    ],
)
async def test_state_comes_back_as_it_was(portal: RelyingParty, state: str) -> None:
    answer = await portal.http.get(portal.ask(prompt="none", state=state).url)
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert where.isascii()
    assert where.isprintable()
    told = parse_qs(urlsplit(where).query, strict_parsing=True)
    assert told["state"] == [state]
    assert set(told) == {"error", "error_description", "state", "iss"}
    assert all(len(values) == 1 for values in told.values())


async def test_a_request_by_post_becomes_our_own_get(world: ProviderWorld, portal: RelyingParty) -> None:
    """Lax cookies are not with a cross-site POST; 303, never 307 (case 10)."""
    attempt = portal.ask(prompt="none")
    answer = await portal.http.post("/authorize", data=attempt.params)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert where.path == "/authorize"
    assert {name: values[0] for name, values in parse_qs(where.query).items()} == attempt.params
    assert answer_of(await portal.http.get(answer.headers["location"]))["error"] == "login_required"


async def test_hostile_values_are_only_ever_data(world: ProviderWorld, portal: RelyingParty) -> None:
    """Cases 9, 49, 63: nothing of the request is markup, a header or a script."""
    hostile = '"><script>alert(1)</script>\r\nSet-Cookie: evil=1'
    got = answer_of(await portal.http.get(portal.ask(state=hostile, prompt="none").url))
    assert got["state"] == hostile
    posted = await portal.http.get(portal.ask(state=hostile, prompt="none", response_mode="form_post").url)
    assert posted.status_code == 200
    assert "<script>alert" not in posted.text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in posted.text
    assert "evil" not in posted.headers.get("set-cookie", "")
    policy = posted.headers["content-security-policy"]
    assert "form-action 'self' https://rp.example;" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy
    assert f'action="{REDIRECT}"' in posted.text
    page = await portal.http.get(
        portal.ask(redirect_uri="https://evil.test", login_hint=hostile, ui_locales=hostile, state=hostile).url
    )
    assert is_error_page(page)
    assert "alert(1)" not in page.text


async def test_the_whole_walk_by_form_post(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = portal.ask(response_mode="form_post")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    code = page.text.split('name="code" value="')[1].split('"')[0]
    assert f'name="state" value="{attempt.state}"' in page.text
    assert (await portal.exchange(attempt, code)).status_code == 200


async def test_a_client_name_is_shown_escaped(world: ProviderWorld) -> None:
    """Case 63."""
    portal = await world.register(client_name='<img src=x onerror="alert(1)">')
    page = await world.browser().open(portal.ask().url)
    assert page.status_code == 200
    assert "<img src=x" not in page.text


async def test_unknown_parameters_are_ignored(world: ProviderWorld, portal: RelyingParty) -> None:
    _, got = await world.browser().walk(portal, foo="bar", display="popup", first_party="true")
    assert got["code"]


async def test_a_query_of_the_worst_kind_is_never_an_internal_error(world: ProviderWorld) -> None:
    http = world.http()
    for raw in ("%", "a=%zz", "=&=&=", "client_id", "&&&", "a=\xff", urlencode({"client_id": "\ud7ff"})):
        assert (await http.get(f"/authorize?{raw}")).status_code == 400
