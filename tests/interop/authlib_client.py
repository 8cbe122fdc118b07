"""Authlib as the portal's library: code flow with PKCE, refresh, private_key_jwt."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pyotp
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwk, jwt

from tests.interop.outcome import Outcome

LIBRARY = "Authlib"
PERSONA = "Binh"
SCOPE = "openid profile offline_access"


def run(guide: Mapping[str, Any]) -> Iterator[Outcome]:
    """Every flow of this library. guide: what `dinhdanh sandbox --json` prints."""
    citizen = _Citizen(guide)
    flows: tuple[tuple[str, Callable[[], None]], ...] = (
        ("code + PKCE, client_secret_basic, refresh", lambda: _code_flow(guide, citizen, "client_secret_basic")),
        ("code + PKCE, private_key_jwt", lambda: _code_flow(guide, citizen, "private_key_jwt")),
    )
    for flow, work in flows:
        started = time.monotonic()
        try:
            work()
        except Exception as error:
            yield Outcome(LIBRARY, flow, ok=False, ms=_since(started), reason=f"{type(error).__name__}: {error}")
        else:
            yield Outcome(LIBRARY, flow, ok=True, ms=_since(started))


def _code_flow(guide: Mapping[str, Any], citizen: "_Citizen", method: str) -> None:
    client = next(
        each
        for each in guide["clients"]
        if each["profile"] == "standard" and each["auth_method"] == method and "refresh_token" in each["grant_types"]
    )
    metadata = httpx.get(f"{guide['issuer']}/.well-known/openid-configuration").json()
    portal = OAuth2Client(
        client_id=client["client_id"],
        client_secret=client["client_secret"] or jwk.import_key(client["private_jwk"]),
        token_endpoint_auth_method=method,
        redirect_uri=client["redirect_uris"][0],
        scope=SCOPE,
        code_challenge_method="S256",
    )
    if method == "private_key_jwt":
        portal.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], alg=client["private_jwk"]["alg"]))
    verifier, nonce = generate_token(48), generate_token(24)
    url, state = portal.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="consent"
    )
    back = citizen.walk(url)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert answer["state"] == state, "another state"
    assert answer["iss"] == guide["issuer"], "another issuer"
    token = portal.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier)
    claims = _id_token(token["id_token"], metadata, client["client_id"])
    assert claims["nonce"] == nonce, "another nonce"
    told = portal.get(metadata["userinfo_endpoint"]).json()
    assert told["sub"] == claims["sub"], "another subject"
    assert told["name"] == citizen.persona["name"], "userinfo does not tell the name"
    renewed = portal.refresh_token(metadata["token_endpoint"])
    assert renewed["access_token"] != token["access_token"], "the same access token again"


def _id_token(token: str, metadata: Mapping[str, Any], client_id: str) -> dict[str, Any]:
    keys = jwk.KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
    found = jwt.decode(token, keys, algorithms=["ES256", "PS256", "RS256"])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
    )
    rules.validate(found.claims)
    return found.claims


class _Citizen:
    """A browser of one persona: cookies, redirects at the provider, the forms it is shown."""

    def __init__(self, guide: Mapping[str, Any]) -> None:
        self.issuer = guide["issuer"]
        self.persona = next(each for each in guide["personas"] if each["key"] == PERSONA)
        self._http = httpx.Client()

    def walk(self, url: str) -> str:
        """From the request to the address of the portal that the browser is sent to."""
        page = self._along(self._http.get(url))
        for _ in range(5):
            if not page.has_redirect_location:
                page = self._along(self._fill(page))
        assert page.has_redirect_location, f"no redirect from {page.url.path} ({page.status_code})"
        return str(page.headers["location"])

    def _fill(self, page: httpx.Response) -> httpx.Response:
        person, html = self.persona, page.text
        if 'id="signin-form"' in html:
            return self._send(page, "signin-form", number=person["number"], password=person["password"])
        if 'id="code-form"' in html:
            return self._send(page, "code-form", code=pyotp.TOTP(person["totp_secret"]).now())
        ticks: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="checkbox" name="(purpose|field)" value="([^"]*)"', html):
            ticks.setdefault(name, []).append(unescape(value))
        return self._send(page, "consent-form", decision="allow", **ticks)

    def _send(self, page: httpx.Response, form_id: str, **fields: Any) -> httpx.Response:
        form = re.search(rf'<form[^>]*\bid="{form_id}"[^>]*>.*?</form>', page.text, re.DOTALL)
        assert form, f"no form {form_id} on {page.url.path} ({page.status_code})"
        action = re.search(r'action="([^"]*)"', form[0])
        assert action
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0]))
        told = {name: unescape(value) for name, value in hidden.items()}
        return self._http.post(urljoin(str(page.url), unescape(action[1])), data={**told, **fields})

    def _along(self, page: httpx.Response) -> httpx.Response:
        while page.has_redirect_location:
            target = urljoin(str(page.url), page.headers["location"])
            if not target.startswith(f"{self.issuer}/"):
                break
            page = self._http.get(target)
        return page


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
