"""fapi-ciba-id1-test-plan, what is refused at the backchannel authentication endpoint (see test_fapi_ciba.py).

Each refusal is 400 `invalid_request` (CIBA §13) in JSON with nothing but the error, unless the module says otherwise;
and nothing then waits for the person.
"""

import base64
from typing import Any

import httpx
import orjson
import pytest

from tests.actors.relying_party import DROP, forged_jwt
from tests.conformance.called import furnished, suite_server
from tests.conformance.certified import certified_template
from tests.conformance.ciba import SCOPE, Ciba
from tests.conformance.ciba_fixture import ciba, other

__all__ = ["certified_template", "ciba", "furnished", "other", "suite_server"]

MINUTE = 60


async def refuses(ciba: Ciba, answer: httpx.Response) -> None:
    assert ciba.refused(answer) == "invalid_request"
    await asks_nobody(ciba)


async def asks_nobody(ciba: Ciba) -> None:
    page = await ciba.browser.open("/me/requests")
    if any(form.id == "signin-form" for form in page.forms()):
        await ciba.browser.sign_in(ciba.persona)
        page = await ciba.browser.open("/me/requests")
    assert page.status == 200
    assert 'href="/me/requests/' not in page.text


# --- the claims of the signed request ---------------------------------------------------------------------------------


async def test_ensure_request_object_missing_aud_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(aud=DROP))


async def test_ensure_request_object_bad_aud_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(aud="https://another.example/"))


async def test_ensure_request_object_missing_iss_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(iss=DROP))


async def test_ensure_request_object_bad_iss_fails(ciba: Ciba, other: Ciba) -> None:
    """The second client's name in what the first one signs."""
    await refuses(ciba, await ciba.ask(iss=other.client.client_id))


async def test_ensure_request_object_missing_exp_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(exp=DROP))


async def test_ensure_request_object_expired_exp_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(exp=ciba.now(-60 * MINUTE)))


async def test_ensure_request_object_exp_is_70_minutes_in_future_fails(ciba: Ciba) -> None:
    """FAPI-CIBA §5.2.2: at most 60 minutes from nbf to exp."""
    await refuses(ciba, await ciba.ask(exp=ciba.now(70 * MINUTE)))


async def test_ensure_request_object_missing_iat_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(iat=DROP))


async def test_ensure_request_object_missing_nbf_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(nbf=DROP))


async def test_ensure_request_object_nbf_is_10_minutes_in_future_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(nbf=ciba.now(10 * MINUTE)))


async def test_ensure_request_object_nbf_is_70_minutes_in_past_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(nbf=ciba.now(-70 * MINUTE)))


async def test_ensure_request_object_missing_jti_fails(ciba: Ciba) -> None:
    await refuses(ciba, await ciba.ask(jti=DROP))


async def test_a_jti_is_good_once(ciba: Ciba) -> None:
    """No module of its own; what the jti is for."""
    request = ciba.signed(ciba.claims(ciba.asking()))
    ciba.taken(await ciba.send(request))
    assert ciba.refused(await ciba.send(request)) == "invalid_request"


# --- its signature ---------------------------------------------------------------------------------------------------


async def test_ensure_request_object_signature_algorithm_is_none_fails(ciba: Ciba) -> None:
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "none"})).rstrip(b"=").decode()
    claims = ciba.signed(ciba.claims(ciba.asking())).split(".")[1]
    await refuses(ciba, await ciba.send(f"{header}.{claims}."))


async def test_ensure_request_object_signature_algorithm_is_bad_fails(ciba: Ciba) -> None:
    """The name of the module notwithstanding: the algorithm is right, the signature over other bytes."""
    head, claims, signature = ciba.signed(ciba.claims(ciba.asking())).split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[3] ^= 0x5A
    await refuses(ciba, await ciba.send(f"{head}.{claims}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"))


@pytest.mark.parametrize("alg", ["RS256", "HS256", "ES384", "none"])
async def test_ensure_request_object_signature_algorithm_is_rs256_fails(ciba: Ciba, alg: str) -> None:
    """The suite skips it for our ES256 keys, of which it cannot make RS256; a header that lies can be made."""
    header = {"alg": alg, "kid": ciba.key.kid}
    await refuses(ciba, await ciba.send(forged_jwt(header, ciba.claims(ciba.asking()), ciba.key)))


async def test_ensure_request_object_signed_by_other_client_fails(ciba: Ciba, other: Ciba) -> None:
    await refuses(ciba, await ciba.send(ciba.signed(ciba.claims(ciba.asking()), other.key)))


async def test_ensure_unsigned_backchannel_authorization_request_fails(ciba: Ciba) -> None:
    """In the open, from a client that registered an algorithm (FAPI-CIBA §5.2.2: requests are signed)."""
    await refuses(ciba, await ciba.send_form({name: str(value) for name, value in ciba.asking().items()}))


# --- what is asked ----------------------------------------------------------------------------------------------------


async def test_ensure_authorization_request_with_multiple_hints_fails(ciba: Ciba) -> None:
    both = {"login_hint": "join@another.example", "login_hint_token": "xxxxxxxxxxxxxxxxxxxx"}
    await refuses(ciba, await ciba.ask({**both, "binding_message": DROP}))


@pytest.mark.parametrize(
    ("bent", "error"),
    [
        ({"login_hint": DROP}, "invalid_request"),
        ({"scope": DROP}, "invalid_scope"),
        ({"scope": SCOPE.replace("openid ", "")}, "invalid_scope"),
        ({"login_hint": "nobody@another.example"}, "unknown_user_id"),
        ({"binding_message": "x" * 65}, "invalid_binding_message"),
        ({"requested_expiry": 0}, "invalid_request"),
        ({"client_notification_token": "too-short"}, "invalid_request"),
        ({"client_notification_token": DROP}, "invalid_request"),
        ({"client_notification_token": "x" * 1025}, "invalid_request"),
    ],
    ids=str,
)
async def test_what_is_asked(ciba: Ciba, bent: dict[str, Any], error: str) -> None:
    """No modules of their own: CIBA §7.1, §7.2, §13."""
    answer = await ciba.ask(bent)
    if "client_notification_token" in bent and ciba.mode == "poll":
        ciba.taken(answer)  # of no use to a client that polls, and ignored
        return
    assert ciba.refused(answer) == error
    await asks_nobody(ciba)


# --- who asks ---------------------------------------------------------------------------------------------------------


async def test_ensure_without_client_assertion_in_backchannel_authorization_request(ciba: Ciba) -> None:
    """`invalid_client` with 401, or 400; or another of the errors that FAPI-CIBA's suite takes here."""
    answer = await ciba.ask(assertion=DROP)
    expected = {"invalid_request": {400}, "invalid_client": {400, 401}, "access_denied": {403}}
    assert answer.status_code in expected[ciba.token_error(answer)]
    await asks_nobody(ciba)


@pytest.mark.parametrize("at", ["backchannel-authorization-request", "token-endpoint-request"])
async def test_ensure_client_assertion_signature_algorithm_is_rs256_fails(ciba: Ciba, at: str) -> None:
    """…-client-assertion-signature-algorithm-in-…-is-RS256-fails, both skipped by the suite for ES256 keys."""
    address = "token_endpoint" if at == "token-endpoint-request" else "backchannel_authentication_endpoint"
    forged = ciba.party.assertion(header={"alg": "RS256"}, aud=ciba.endpoints[address])
    if at == "token-endpoint-request":
        answer = await ciba.collect(await ciba.asked(), assertion=forged)
    else:
        answer = await ciba.ask(assertion=forged)
        await asks_nobody(ciba)
    assert (answer.status_code, ciba.token_error(answer)) == (401, "invalid_client")


async def test_a_client_that_is_not_registered_for_it(ciba: Ciba) -> None:
    """CIBA §13: of another kind, or of none."""
    stranger = ciba.party.assertion(iss="nobody", sub="nobody", aud=ciba.issuer)
    answer = await ciba.ask(assertion=stranger)
    assert (answer.status_code, ciba.token_error(answer)) == (401, "invalid_client")
    portal = ciba.furnished.client("conformance-core-1")
    form = {"scope": "openid", "login_hint": ciba.persona.number}
    answer = await ciba.http.post("/bc-authorize", data=form, auth=(portal.client_id, portal.client_secret or ""))
    assert (answer.status_code, ciba.token_error(answer)) == (400, "unauthorized_client")
    await asks_nobody(ciba)
