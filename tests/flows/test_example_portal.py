"""The demo portal's answers to what others send it: logout tokens, and sign-ins started elsewhere."""

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet

from core.jose import SigningKey, sign_jwt
from examples.portal.app import create_portal
from examples.portal.logout_tokens import EVENT, Logout, LogoutRefused, LogoutTokens
from examples.portal.settings import PortalSettings
from examples.portal.visits import Visits
from oidc.logout.token import TYPE, logout_claims

ISSUER, CLIENT = "https://id.example", "portal"
KEY = SigningKey.generate("ES256")
KEYS = KeySet.import_key_set({"keys": [KEY.public().public_jwk()]})
DROP: Any = object()


def token(*, key: SigningKey = KEY, typ: str = "logout+jwt", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "s",
        "sid": "session",
        "iat": now,
        "exp": now + 120,
        "jti": "one",
        "events": {EVENT: {}},
    }
    told = {name: value for name, value in {**claims, **changes}.items() if value is not DROP}
    return sign_jwt(key, told, typ=typ)


def test_our_own_tokens_are_read() -> None:
    claims = logout_claims(issuer=ISSUER, client_id=CLIENT, subject="s", sid=None, now=datetime.now(UTC))
    made = sign_jwt(KEY, claims, typ=TYPE)
    assert LogoutTokens(ISSUER, CLIENT).read(made, KEYS) == Logout("s", None)
    assert LogoutTokens(ISSUER, CLIENT).read(token(aud=[CLIENT]), KEYS) == Logout("s", "session")


@pytest.mark.parametrize(
    "bad",
    [
        token(key=SigningKey.generate("ES256")),
        token(typ="JWT"),
        token(iss="https://other.example"),
        token(aud="other"),
        token(aud=[CLIENT, "other"]),
        token(iat=DROP),
        token(iat=int(time.time()) + 3600),
        token(exp=int(time.time()) - 60),
        token(exp=True),
        token(exp=DROP),
        token(nonce="n"),
        token(events={}),
        token(events={EVENT: True}),
        token(sub=DROP),
        token(jti=DROP),
        "",
        "a.b.c",
    ],
)
def test_tokens_that_end_nothing(bad: str) -> None:
    with pytest.raises(LogoutRefused):
        LogoutTokens(ISSUER, CLIENT).read(bad, KEYS)


def test_a_token_is_good_once() -> None:
    tokens, made = LogoutTokens(ISSUER, CLIENT), token()
    tokens.read(made, KEYS)
    with pytest.raises(LogoutRefused, match="seen before"):
        tokens.read(made, KEYS)


def test_which_key_is_wanted() -> None:
    tokens = LogoutTokens(ISSUER, CLIENT)
    assert tokens.is_signed_by_one_of(token(), KEYS)
    assert not tokens.is_signed_by_one_of(token(key=SigningKey.generate("ES256")), KEYS)
    assert tokens.is_signed_by_one_of("nonsense", KEYS)


def test_what_a_logout_ends() -> None:
    visits = Visits()
    first, second = (visits.begin({"sub": "s"}, "token", sid) for sid in ("one", "two"))
    other = visits.begin({"sub": "t"}, "token", "one")
    visits.end_of("s", "one")
    assert [visits.of(each) is None for each in (first, second, other)] == [True, False, False]
    visits.end_of("s", None)
    assert [visits.of(each) is None for each in (second, other)] == [True, False]


async def test_a_sign_in_that_is_started_elsewhere() -> None:
    """OpenID Connect Core §4: never another provider, never a page elsewhere."""
    settings = PortalSettings(ISSUER, "https://portal.example", CLIENT, "secret", "school-enrolment")
    transport = httpx.ASGITransport(create_portal(settings))
    async with httpx.AsyncClient(transport=transport, base_url=settings.base_url) as http:
        for iss in ("", "https://evil.example", ISSUER + "/"):
            answer = await http.get("/login", params={"iss": iss})
            assert answer.status_code == 400
            assert "location" not in answer.headers
        posted = await http.post("/login", data={"iss": ISSUER, "target_link_uri": "https://evil.example/&x=y"})
        assert posted.status_code == 303
        assert posted.headers["location"] == (
            "/login?iss=https%3A%2F%2Fid.example&target_link_uri=https%3A%2F%2Fevil.example%2F%26x%3Dy"
        )
