"""What every module of the suite does: the code flow as an outsider's client, each answer checked to the letter."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from core.jose import VerificationKey, decode_unverified, verify_signature
from service.sandbox_guide import ClientGuide, PersonaGuide
from tests.actors.browser import Browser, Page
from tests.actors.relying_party import DROP, basic
from tests.support.furnished import Furnished

__all__ = ["DISCOVERY", "DROP", "Conformance", "Request"]

DISCOVERY = "/.well-known/openid-configuration"
_ERROR_TEXT = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*")
_ENTROPY_BITS = 96
"""What the suite computes at the least for codes and tokens (Shannon's entropy of the characters, times length)."""


@dataclass
class Request:
    """One authorization request as it was sent."""

    params: dict[str, str]
    verifier: str | None = None

    @property
    def state(self) -> str | None:
        return self.params.get("state")

    @property
    def nonce(self) -> str | None:
        return self.params.get("nonce")


@dataclass
class Conformance:
    """The suite's client. persona: signs in where a page asks."""

    furnished: Furnished
    browser: Browser
    client: ClientGuide
    persona: PersonaGuide
    requests: list[Request] = field(default_factory=list)

    @property
    def http(self) -> httpx.AsyncClient:
        return self.browser.http

    @property
    def issuer(self) -> str:
        return self.furnished.settings.issuer

    # --- authorization ----------------------------------------------------------------------------------

    def request(self, *, pkce: bool = False, **changes: Any) -> Request:
        """A fresh request with state and nonce; `changes` bend it."""
        verifier = secrets.token_urlsafe(48) if pkce else None
        params: dict[str, Any] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": "openid",
            "response_type": "code",
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
        }
        if verifier is not None:
            digest = hashlib.sha256(verifier.encode()).digest()
            params |= {
                "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        bent = {name: value for name, value in {**params, **changes}.items() if value is not DROP}
        made = Request(bent, verifier)
        self.requests.append(made)
        return made

    async def open(self, request: Request) -> Page:
        """The request as the browser's address; the page it leads to."""
        return await self.browser.open("/authorize?" + urlencode(request.params))

    async def agree(self, page: Page) -> Page:
        """Signs in and consents, as far as the pages ask."""
        for _ in range(4):
            forms = {form.id: form for form in page.forms()}
            if "signin-form" in forms or "code-form" in forms:
                page = await self._authenticate(page)
            elif "consent-form" in forms:
                ticks: dict[str, list[str]] = {}
                for name, value in forms["consent-form"].checkboxes:
                    ticks.setdefault(name, []).append(value)
                page = await self.browser.submit("consent-form", button=("decision", "allow"), **ticks)
        return page

    async def _authenticate(self, page: Page) -> Page:
        if page.path == "/signin/code":
            return await self.browser.submit("code-form", code=self.browser.one_time_code(self.persona))
        return await self.browser.sign_in(self.persona)

    async def code(self, request: Request) -> str:
        """The whole way to the code, the answer checked as every module does."""
        answer = self.callback(await self.agree(await self.open(request)), request)
        assert "error" not in answer, answer
        assert set(answer) == {"code", "state", "iss"} - ({"state"} if request.state is None else set()), answer
        assert entropy_bits(answer["code"]) >= _ENTROPY_BITS
        return answer["code"]

    async def error(self, request: Request, *, page: Page | None = None) -> str:
        """The error that comes back by the registered address, its form checked."""
        answer = self.callback(page or await self.open(request), request)
        assert "code" not in answer, answer
        # Unexpected members are a warning of the suite.
        assert set(answer) <= {"error", "error_description", "error_uri", "state", "iss"}
        assert _ERROR_TEXT.fullmatch(answer["error"]), answer
        assert _ERROR_TEXT.fullmatch(answer.get("error_description", "")), answer
        return answer["error"]

    def callback(self, page: Page, request: Request) -> dict[str, str]:
        """What the client gets, by the response mode that was asked for."""
        target = request.params["redirect_uri"]
        if request.params.get("response_mode") == "form_post":
            form = page.forms()[0]
            assert form.method == "post"
            assert form.action == target
            answer = form.fields
        else:
            assert page.response.is_redirect, (page.url, page.status, page.text[-600:])
            location = page.response.headers["location"]
            parts, registered = urlsplit(location), urlsplit(target)
            assert (parts.scheme, parts.netloc, parts.path) == (registered.scheme, registered.netloc, registered.path)
            assert not parts.fragment
            answer = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
            for name, value in parse_qsl(registered.query):
                assert answer.pop(name) == value
        assert answer.get("state") == request.state
        assert answer.get("iss") == self.issuer  # RFC 9207: announced, so it must be there
        return answer

    # --- token endpoint ---------------------------------------------------------------------------------

    async def redeem(self, request: Request, code: str, **changes: Any) -> httpx.Response:
        """The token request by the client's registered method."""
        params: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.params["redirect_uri"],
        }
        if request.verifier is not None:
            params["code_verifier"] = request.verifier
        return await self.post({name: value for name, value in {**params, **changes}.items() if value is not DROP})

    async def post(self, params: Mapping[str, str], path: str = "/token") -> httpx.Response:
        """A back-channel request with the client's secret."""
        secret = self.client.client_secret or ""
        if self.client.auth_method == "client_secret_post":
            both = {**params, "client_id": self.client.client_id, "client_secret": secret}
            return await self.http.post(path, data=both)
        headers = {"Authorization": basic(self.client.client_id, secret)}
        return await self.http.post(path, data=dict(params), headers=headers)

    async def tokens(self, request: Request, code: str | None = None) -> dict[str, Any]:
        """The tokens, checked as every module does; claims of the id_token under `claims`."""
        answer = await self.redeem(request, code or await self.code(request))
        found = self.token_response(answer)
        found["claims"] = await self.id_token(found["id_token"], request, found["access_token"])
        return found

    def token_response(self, answer: httpx.Response) -> dict[str, Any]:
        """RFC 6749 §5.1, OpenID Connect Core §3.1.3.3."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["pragma"] == "no-cache"
        found: dict[str, Any] = answer.json()
        assert found["token_type"].lower() == "bearer"
        assert isinstance(found["expires_in"], int)
        assert found["expires_in"] > 0
        assert entropy_bits(found["access_token"]) >= _ENTROPY_BITS
        return found

    def token_error(self, answer: httpx.Response) -> str:
        """RFC 6749 §5.2."""
        assert answer.status_code in {400, 401}, answer.text
        body = answer.json()
        assert set(body) <= {"error", "error_description", "error_uri"}
        assert _ERROR_TEXT.fullmatch(body["error"])
        assert _ERROR_TEXT.fullmatch(body.get("error_description", ""))
        return str(body["error"])

    async def id_token(
        self, token: str, request: Request, access_token: str, *, alg: str = "RS256", nonce: bool = True
    ) -> dict[str, Any]:
        """OpenID Connect Core §3.1.3.7, by the published keys."""
        seen = decode_unverified(token)
        assert seen.header["alg"] == alg
        keys = (await self.http.get("/jwks")).json()["keys"]
        fitting = [key for key in keys if key["kid"] == seen.header["kid"]]
        assert len(fitting) == 1
        claims = dict(verify_signature(token, VerificationKey.from_jwk(fitting[0]), typ=None).claims)
        now = int(self.furnished.clock.now().timestamp())
        assert claims["iss"] == self.issuer
        assert claims["aud"] in (self.client.client_id, [self.client.client_id])
        assert claims.get("azp", self.client.client_id) == self.client.client_id
        assert now - 300 <= claims["iat"] <= now < claims["exp"]
        assert 0 < len(claims["sub"]) <= 255
        assert claims["sub"].isascii()
        if nonce:
            assert claims.get("nonce") == request.nonce
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        return claims

    async def userinfo(self, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """GET with the token in the header; the answer checked."""
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return self.userinfo_response(await self.http.get("/userinfo", headers=headers), tokens)

    def userinfo_response(self, answer: httpx.Response, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """OpenID Connect Core §5.3.2, and the types of the standard claims (§5.1)."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        told: dict[str, Any] = answer.json()
        assert told["sub"] == tokens["claims"]["sub"]
        for name, kind in STANDARD_CLAIMS.items():
            assert isinstance(told.get(name, kind()), kind), name
        return told


STANDARD_CLAIMS: Mapping[str, type] = {
    **dict.fromkeys(("sub", "name", "given_name", "family_name", "middle_name", "nickname"), str),
    **dict.fromkeys(("preferred_username", "profile", "picture", "website", "gender", "birthdate"), str),
    **dict.fromkeys(("zoneinfo", "locale", "email", "phone_number"), str),
    **dict.fromkeys(("email_verified", "phone_number_verified"), bool),
    "updated_at": int,
    "address": dict,
}


def entropy_bits(text: str) -> float:
    """Shannon's entropy of the characters, times the length: how the suite measures codes and tokens."""
    from math import log2

    counts = {char: text.count(char) for char in set(text)}
    return -sum(n * log2(n / len(text)) for n in counts.values())
