"""RFC 6750: bearer tokens at the resources that take them, and how each refusal is told (security cases 33, 34, 66).

The other tokens of these resources: test_rfc9449_dpop.py, test_rfc8705_bound_tokens.py.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.actors.relying_party import RelyingParty
from tests.support.challenges import challenges_of, errors_of
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld, fresh, publish
from tests.support.token_answers import error_of, tokens_of

__all__ = ["world"]

MATCHES = "/api/lookup/v1/matches"


async def token_of(world: ProviderWorld, portal: RelyingParty, scope: str = "openid") -> str:
    return str((await tokens_of(world, portal, scope=scope))["access_token"])


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


# --- where a token stands (§2) -----------------------------------------------------------------------------


async def test_where_an_access_token_may_stand(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 33."""
    token = await token_of(world, portal)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await portal.http.get(f"/userinfo?access_token={token}")).status_code == 400
    both = await portal.http.post("/userinfo", data={"access_token": token}, headers=bearer)
    assert error_of(both) == "invalid_request"
    alone = await portal.http.post("/userinfo", data={"access_token": token})
    assert alone.status_code == 200  # RFC 6750 §2.2, for tokens that are bound to nothing
    assert (await portal.http.post("/userinfo", headers=bearer)).status_code == 200
    twice = await portal.http.get("/userinfo", headers=[("Authorization", bearer["Authorization"])] * 2)
    assert error_of(twice) == "invalid_request"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
async def test_the_scheme_is_written_in_any_case(world: ProviderWorld, portal: RelyingParty, scheme: str) -> None:
    """§2.1: one space or more; RFC 9110 §11.1: names of schemes have no case."""
    token = await token_of(world, portal)
    answer = await portal.http.get("/userinfo", headers={"Authorization": f"{scheme}{token}"})
    assert answer.status_code == 200, answer.text


async def test_a_token_in_any_other_place_is_none(world: ProviderWorld, portal: RelyingParty) -> None:
    """§2.2: never a form of a GET; §5.2: nor a cookie, which comes along whoever made the request."""
    token = await token_of(world, portal)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for request in (
        portal.http.build_request("GET", "/userinfo", content=f"access_token={token}", headers=form),
        portal.http.build_request("GET", "/userinfo", headers={"Cookie": f"access_token={token}; Bearer={token}"}),
        portal.http.build_request("GET", "/userinfo", headers={"X-Access-Token": token, "Bearer": token}),
        portal.http.build_request("GET", "/userinfo", headers={"Proxy-Authorization": f"Bearer {token}"}),
        portal.http.build_request("POST", "/userinfo", data={"Access_Token": token, "token": token}),
    ):
        answer = await portal.http.send(request)
        assert answer.status_code == 401, request
        assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", None), ("DPoP", None)]


async def test_the_lookup_api_takes_the_header_alone(world: ProviderWorld) -> None:
    """§2.2, §2.3: the other two are for a resource to offer, and this one does not. Case 33."""
    back_end = await world.register(dpop=True, method="private_key_jwt", grant_types=["client_credentials"])
    token = (await back_end.client_credentials()).json()["access_token"]
    proof = {"DPoP": back_end.proof("POST", MATCHES, token=token)}
    form = {"access_token": token}
    for answer in (
        await back_end.http.post(MATCHES, params=form, json={}, headers=proof),
        await back_end.http.post(MATCHES, data=form, headers=proof),
    ):
        assert answer.status_code == 401
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", None)]
        assert token not in answer.text


async def test_a_bound_token_is_not_taken_from_a_form(world: ProviderWorld) -> None:
    """Its proof is of the header (RFC 9449 §7.1), so a form would be a way around it."""
    portal = await world.register(dpop=True)
    token = await token_of(world, portal)
    for headers in ({}, {"DPoP": portal.proof("POST", "/userinfo", token=token)}):
        answer = await portal.http.post("/userinfo", data={"access_token": token}, headers=headers)
        assert error_of(answer) == "invalid_request"
        assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_request")]


BODIES = [
    ("application/json", b'{"access_token": "x", "access_token": "y"}'),
    ("application/json", b"{"),
    ("text/plain", b"access_token=x"),
    ("text/plain; charset=utf-16", "đ".encode("utf-16")),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=access_token\r\n\r\nx\r\n--b--"),
    ("application/x-www-form-urlencoded-not", b"access_token=x&access_token=y"),
    ("", b"access_token=x"),
    (None, b"access_token=%00"),
]


@pytest.mark.parametrize(("kind", "body"), BODIES)
async def test_a_body_that_is_no_form_is_not_looked_at(
    world: ProviderWorld, portal: RelyingParty, kind: str | None, body: bytes
) -> None:
    """RFC 6750 §2.2, OpenID Connect Core §5.3.1: libraries post with a type of their own, the token in the header."""
    token = await token_of(world, portal)
    headers = {} if kind is None else {"Content-Type": kind}
    bearer = {"Authorization": f"Bearer {token}"}
    good = await portal.http.post("/userinfo", content=body, headers={**headers, **bearer})
    assert good.status_code == 200, good.text
    assert good.json() == (await portal.userinfo(token)).json()
    # Nor is a token read out of it.
    held = body.replace(b"x", token.encode(), 1)
    alone = await portal.http.post("/userinfo", content=held, headers=headers)
    assert error_of(alone, 401) == "invalid_token"
    assert "error=" not in alone.headers["www-authenticate"]
    assert token not in alone.text
    large = await portal.http.post("/userinfo", content=b"x" * 70_000, headers={**headers, **bearer})
    assert error_of(large, 413) == "invalid_request"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 4096

    unsaid = await portal.http.post("/userinfo", content=endless(), headers={**headers, **bearer})
    assert error_of(unsaid, 413) == "invalid_request"


@pytest.mark.parametrize("kind", ["", "; charset=utf-8", " ;x"])
async def test_a_form_is_a_form_however_it_is_written(world: ProviderWorld, portal: RelyingParty, kind: str) -> None:
    token = await token_of(world, portal)
    headers = {"Content-Type": f"Application/X-WWW-Form-URLencoded{kind}"}
    bearer = {"Authorization": f"Bearer {token}"}
    for body, more, status in (
        (f"access_token={token}", {}, 200),
        (f"access_token={token}", bearer, 400),
        (f"&access_token={token}&&x", {}, 200),
        ("access_token", bearer, 200),
        ("access_token=", {}, 401),
        ("x=1", bearer, 200),
        ("", bearer, 200),
        ("x=%00", bearer, 400),
        (f"access_token={token}&access_token={token}", {}, 400),
    ):
        answer = await portal.http.post("/userinfo", content=body, headers={**headers, **more})
        assert answer.status_code == status, (body[:14], answer.text)
    assert (await portal.http.get("/userinfo?access_token", headers=bearer)).status_code == 400


# --- how a refusal is told (§3) ----------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [[], ["Basic eDp5"], ["Negotiate x"], [""], ["Bearerx y"]])
async def test_without_a_token_all_that_is_taken_is_told(world: ProviderWorld, sent: list[str]) -> None:
    """RFC 6750 §3.1: no error then, nor where another scheme was tried; §3: a parameter all the same."""
    headers = [("Authorization", each) for each in sent]
    answer = await world.http().get("/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", None), ("DPoP", None)]
    for path in ("/api/lookup/v1/matches", "/api/lookup/v1/records"):
        answer = await world.http().post(path, json={}, headers=headers)
        assert answer.status_code == 401
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", None)]


@pytest.mark.parametrize(
    ("sent", "status", "error", "scheme"),
    [
        (["Bearer"], 400, "invalid_request", "Bearer"),
        (["DPoP "], 400, "invalid_request", "DPoP"),
        (["bearer a.b.c"], 401, "invalid_token", "Bearer"),
        (["Bearer x", "Bearer x"], 400, "invalid_request", "Bearer"),
        (["DPoP a.b.c"], 401, "invalid_token", "DPoP"),
    ],
)
async def test_refusals_have_a_challenge(
    world: ProviderWorld, sent: list[str], status: int, error: str, scheme: str
) -> None:
    """RFC 6750 §3, RFC 9449 §7.1: the scheme that was tried, at every resource alike."""
    headers = [("Authorization", each) for each in sent]
    answer = await world.http().get("/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert errors_of(answer.headers["www-authenticate"]) == [(scheme, error)]
    assert answer.headers["cache-control"] == "no-store"
    answer = await world.http().post("/api/lookup/v1/matches", json={}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dinhdanh:problem:{error}")
    assert errors_of(answer.headers["www-authenticate"]) == [(scheme, error)]


async def test_a_token_in_the_url_has_a_challenge_too(world: ProviderWorld) -> None:
    answer = await world.http().get("/userinfo?access_token=x")
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_request")]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b"access_token=x&access_token=x"),
        ("", b"access_token=%00"),
        ("", b"access_token=%ff"),
        ("", "access_token=đ".encode()),
        ("", b"access_token=x&" + b"&".join(b"p%d=" % number for number in range(101))),
        ("?access_token=x&access_token=y", b""),
        ("?access_token=%ff", b""),
        ("?a=1&a=2", b"access_token=x"),
    ],
)
async def test_what_cannot_be_read_has_a_challenge_too(world: ProviderWorld, query: str, body: bytes) -> None:
    """§3: every answer to a request whose token opens nothing; §3.1: a repeated or malformed parameter is 400."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await world.http().post(f"/userinfo{query}", content=body, headers=form)
    assert error_of(answer) == "invalid_request"
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_request")]


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "mF_9.B5f-4.1JqM", "two words", 'quo"ted', "a,b", "a=b=c", "x" * 9000, "đ", "<b>x</b>"]
)
async def test_a_token_that_is_none_of_ours(world: ProviderWorld, token: str) -> None:
    """§3.1: malformed is invalid_token. What was sent comes back in no word of the answer (case 66)."""
    for path, method in (("/userinfo", "GET"), (MATCHES, "POST")):
        answer = await world.http().request(
            method, path, headers=[(b"authorization", f"Bearer {token}".encode())], json={}
        )
        assert answer.status_code == 401, answer.text
        [(scheme, told)] = challenges_of(answer.headers["www-authenticate"])
        assert (scheme, told["error"]) == ("Bearer", "invalid_token")
        if len(token) > 1:
            assert token not in answer.text
            assert token not in str(told)


@pytest.mark.parametrize("sent", ["Basic eDp5", "DPoP x", "", "x"])
async def test_a_registration_counts_another_scheme_as_no_token(world: ProviderWorld, sent: str) -> None:
    """§3.1: no error then, at RFC 7592 as at RFC 7591 (test_rfc7591_registration.py)."""
    for method in ("GET", "PUT", "DELETE"):
        answer = await world.http().request(method, "/register/nobody", headers={"Authorization": sent})
        assert answer.status_code == 401, answer.text
        assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", None)]


@pytest.mark.parametrize("sent", [["Bearer"], ["Bearer "], ["Bearer x", "Bearer x"]])
async def test_registration_refuses_a_malformed_header(world: ProviderWorld, sent: list[str]) -> None:
    headers = [("Authorization", each) for each in sent]
    answer = await world.http().post("/register", headers=headers)
    assert error_of(answer) == "invalid_request"
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_request")]


# --- what a token opens (§3.1, §5.2) -----------------------------------------------------------------------


async def test_refusals_at_userinfo(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 34."""
    missing = await portal.http.get("/userinfo")
    assert missing.status_code == 401
    assert errors_of(missing.headers["www-authenticate"]) == [("Bearer", None), ("DPoP", None)]
    tokens = await tokens_of(world, portal, scope="openid")
    garbage = await portal.userinfo("x.y.z")
    assert error_of(garbage, 401) == "invalid_token"
    assert errors_of(garbage.headers["www-authenticate"]) == [("Bearer", "invalid_token")]
    assert error_of(await portal.userinfo(tokens["id_token"]), 401) == "invalid_token"
    back_end = await world.register(method="private_key_jwt", grant_types=["client_credentials"])
    lookup = (await back_end.client_credentials()).json()["access_token"]
    assert error_of(await portal.userinfo(lookup), 401) == "invalid_token"
    world.clock.advance(timedelta(minutes=10))
    assert error_of(await portal.userinfo(tokens["access_token"]), 401) == "invalid_token"


async def test_a_token_lives_as_long_as_it_was_said(world: ProviderWorld, portal: RelyingParty) -> None:
    """§5.3: an hour at the most; §3.1: expired is invalid_token."""
    tokens = await tokens_of(world, portal, scope="openid")
    assert (tokens["token_type"], 0 < tokens["expires_in"] <= 3600) == ("Bearer", True)
    world.clock.advance(timedelta(seconds=tokens["expires_in"] - 1))
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    world.clock.advance(timedelta(seconds=1))
    answer = await portal.userinfo(tokens["access_token"])
    assert error_of(answer, 401) == "invalid_token"
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_token")]


@pytest.mark.parametrize("dpop", [False, True])
@pytest.mark.parametrize("scope", ["openid", "email"])
async def test_a_revoked_token_is_401_whatever_its_scope(world: ProviderWorld, dpop: bool, scope: str) -> None:
    """Not 403: what is revoked tells nothing of itself."""
    portal = await world.register(dpop=dpop)
    tokens = await tokens_of(world, portal, scope="openid email offline_access")
    narrowed = (await portal.refresh(tokens["refresh_token"], scope=scope)).json()
    assert (await portal.userinfo(narrowed["access_token"])).status_code == (200 if scope == "openid" else 403)
    assert (await portal.post("/revoke", {"token": tokens["refresh_token"]})).status_code == 200
    answer = await portal.userinfo(narrowed["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert errors_of(answer.headers["www-authenticate"]) == [("DPoP" if dpop else "Bearer", "invalid_token")]


async def test_a_token_without_the_scope_is_403_by_its_own_scheme(world: ProviderWorld) -> None:
    """RFC 6750 §3.1: a token that holds, and may not."""
    for dpop in (False, True):
        portal = await world.register(dpop=dpop)
        attempt, got = await world.browser().walk(portal, scope="openid email offline_access")
        tokens = (await portal.exchange(attempt, got["code"])).json()
        fewer = (await portal.refresh(tokens["refresh_token"], scope="email")).json()["access_token"]
        answer = await portal.userinfo(fewer)
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP" if dpop else "Bearer", "insufficient_scope")]


async def test_what_the_agency_may_no_more_is_403_by_the_tokens_scheme(world: ProviderWorld) -> None:
    """Its policy changed after the consent: the token holds, and opens nothing of it."""
    for dpop in (False, True):
        purpose = fresh("challenge")
        await publish(world, purpose, fields=frozenset({"full_name"}))
        portal = await world.register(dpop=dpop, scope=f"openid purpose:{purpose}")
        token = await token_of(world, portal, f"openid purpose:{purpose}")
        assert (await portal.userinfo(token)).status_code == 200
        world.clock.advance(timedelta(seconds=1))
        await publish(world, purpose, fields=frozenset({"full_name"}), legal_bases=frozenset({"statutory-duty"}))
        answer = await portal.userinfo(token)
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope"), answer.text
        assert errors_of(answer.headers["www-authenticate"]) == [("DPoP" if dpop else "Bearer", "insufficient_scope")]
