"""The suite's FAPI-CIBA client: signed requests, private_key_jwt, tokens bound to its certificate; what a person does.

Assertions name the address they are sent to, as this plan does unless a module says otherwise.
"""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson

from core.jose import SigningKey, sign_jwt
from oidc.api import OpenIdProvider
from tests.actors.browser import Browser, Page
from tests.actors.relying_party import ASSERTION_TYPE, DROP, RelyingParty
from tests.conformance.called import SuiteServer, certificate_of
from tests.conformance.suite import DISCOVERY, Conformance, Request, entropy_bits
from tests.support.furnished import Furnished
from tests.support.other_servers import Asked

CIBA = "urn:openid:params:grant-type:ciba"
PERSONA = "An"
BINDING_MESSAGE = "1234"
SCOPE = "openid offline_access"
PASSWORD_ONLY = "urn:dinhdanh:loa:ial2:aal1"
LONG_TOKEN = "Az09-._~+/" * 102 + "abc="
WARNED_ENTROPY_BITS = 160
"""Below that the suite warns about an auth_req_id."""
INTERVAL_SECONDS = 5
NAMES = ("backchannel_authentication_endpoint", "token_endpoint", "userinfo_endpoint")


@dataclass
class Ciba(Conformance):
    """party: makes its assertions. second: which of the two clients; it varies its requests. sent: by ping clients."""

    party: RelyingParty = None  # type: ignore[assignment]  # made by `of`
    suite_server: SuiteServer = None  # type: ignore[assignment]
    mode: str = "poll"
    second: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, str] = field(default_factory=dict)
    notification_token: str = ""

    @classmethod
    async def of(
        cls, furnished: Furnished, browser: Browser, suite_server: SuiteServer, mode: str, number: int = 1
    ) -> "Ciba":
        client = furnished.client(f"conformance-ciba-{mode}-{number}")
        assert client.private_jwk is not None
        party = RelyingParty(
            http=browser.http,
            clock=furnished.clock,
            issuer=furnished.settings.issuer,
            client_id=client.client_id,
            method="private_key_jwt",
            key=SigningKey.from_jwk(client.private_jwk),
            certificate=certificate_of(client),
        )
        made = cls(
            furnished,
            browser,
            client,
            furnished.persona(PERSONA),
            party=party,
            suite_server=suite_server,
            mode=mode,
            second=number == 2,
        )
        made.metadata = (await browser.http.get(DISCOVERY)).json()
        # Certificates are asked for at the aliases; where none is needed, the suite goes to the usual address.
        made.endpoints = {name: made.metadata[name] for name in NAMES}
        made.endpoints |= {name: made.metadata["mtls_endpoint_aliases"][name] for name in NAMES[1:]}
        return made

    @property
    def key(self) -> SigningKey:
        assert self.party.key is not None
        return self.party.key

    def now(self, ahead: int = 0) -> int:
        return int(self.furnished.clock.now().timestamp()) + ahead

    def wait(self, seconds: int = INTERVAL_SECONDS) -> None:
        self.furnished.clock.advance(timedelta(seconds=seconds))

    # --- the request ------------------------------------------------------------------------------------

    def asking(self, **changes: Any) -> dict[str, Any]:
        """What is asked; `changes` bend it."""
        told: dict[str, Any] = {"scope": SCOPE, "login_hint": self.persona.number, "binding_message": BINDING_MESSAGE}
        if self.mode == "ping":
            self.notification_token = LONG_TOKEN if self.second else secrets.token_urlsafe(20) + "="
            told["client_notification_token"] = self.notification_token
        if self.second:
            told |= {"requested_expiry": 300, "acr_values": PASSWORD_ONLY}
        return {name: value for name, value in {**told, **changes}.items() if value is not DROP}

    def claims(self, asked: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """The claims of the signed request; `changes` bend those that CIBA §7.1.1 adds."""
        told = {
            **asked,
            "iat": self.now(),
            "nbf": self.now(),
            "exp": self.now(300),
            "jti": secrets.token_urlsafe(16),
            "aud": self.issuer,
            "iss": self.client.client_id,
            **changes,
        }
        return {name: value for name, value in told.items() if value is not DROP}

    def signed(self, claims: Mapping[str, Any], key: SigningKey | None = None) -> str:
        """The first client's objects name no type, the second's do."""
        return sign_jwt(key or self.key, claims, typ="oauth-authz-req+jwt" if self.second else None)

    async def ask(
        self, changes: Mapping[str, Any] | None = None, *, assertion: Any = None, **claims: Any
    ) -> httpx.Response:
        """A signed request. changes: to what is asked; claims: to what makes it a signed request."""
        request = self.signed(self.claims(self.asking(**changes or {}), **claims))
        return await self.send(request, assertion=assertion)

    async def send(self, request: str, **authentication: Any) -> httpx.Response:
        return await self.send_form({"request": request}, **authentication)

    async def send_form(self, form: Mapping[str, str], **authentication: Any) -> httpx.Response:
        """Any form to the backchannel authentication endpoint, over a connection without a certificate.

        authentication: `assertion`, in the place of ours; DROP for client_id alone.
        """
        address = self.endpoints["backchannel_authentication_endpoint"]
        return await self.http.post(address, data={**form, **self._proven(address, **authentication)})

    def _proven(self, address: str, *, assertion: Any = None) -> dict[str, str]:
        if assertion is DROP:
            return {"client_id": self.client.client_id}
        made = assertion or self.party.assertion(aud=address, nbf=self.now())
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}

    async def asked(self, changes: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """The auth_req_id of a request that is taken."""
        return str(self.taken(await self.ask(changes, **claims))["auth_req_id"])

    def taken(self, answer: httpx.Response) -> dict[str, Any]:
        """CIBA §7.3, to the letter."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        told: dict[str, Any] = answer.json()
        assert set(told) == {"auth_req_id", "expires_in", "interval"}
        assert set(told["auth_req_id"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert len(told["auth_req_id"]) >= 20
        assert entropy_bits(told["auth_req_id"]) > WARNED_ENTROPY_BITS
        assert type(told["expires_in"]) is int
        assert 0 < told["expires_in"] < 365 * 86_400
        assert type(told["interval"]) is int
        assert 0 <= told["interval"] <= 6 * 3600
        return told

    def refused(self, answer: httpx.Response) -> str:
        """CIBA §13: 400 with an error, and nothing else in it."""
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        return self.token_error(answer)

    # --- the token endpoint -----------------------------------------------------------------------------

    async def collect(self, auth_req_id: str, *, certificate: Any = None, **authentication: Any) -> httpx.Response:
        """The token request by the address that asks for certificates. certificate: another, or DROP."""
        return await self.token({"grant_type": CIBA, "auth_req_id": auth_req_id}, certificate, **authentication)

    async def token(self, form: Mapping[str, str], certificate: Any = None, **authentication: Any) -> httpx.Response:
        address = self.endpoints["token_endpoint"]
        sent = {**form, **self._proven(address, **authentication)}
        answer = await self.http.post(address, data=sent, headers=self._shown(certificate))
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        return answer

    def _shown(self, certificate: Any = None) -> dict[str, str]:
        if certificate is DROP:
            return {}
        return {"Client-Cert": certificate or self.party.certificate or ""}

    async def is_pending(self, auth_req_id: str, **authentication: Any) -> str:
        """Nobody has answered yet: how we say so."""
        error = self.refused(await self.collect(auth_req_id, **authentication))
        assert error in {"authorization_pending", "slow_down"}
        return error

    async def waits(self, auth_req_id: str) -> None:
        """What every module does before anybody answers: asks at once, and again after the interval."""
        assert await self.is_pending(auth_req_id) == "authorization_pending"
        self.wait()
        assert await self.is_pending(auth_req_id) == "authorization_pending"

    def tokens_of(self, answer: httpx.Response) -> dict[str, Any]:
        """The response as the plan checks it; the id_token's claims are read by `told`."""
        found = self.token_response(answer)
        if "refresh_token" in found:
            assert entropy_bits(found["refresh_token"]) >= 96
        return found

    async def told(self, found: dict[str, Any]) -> dict[str, Any]:
        """The id_token's claims, its signature and hashes checked."""
        claims = await self.id_token(found["id_token"], Request({}), found["access_token"], alg="ES256", nonce=False)
        # Hashes of other flows would be a warning; the request's own name is for push alone (CIBA §10.3.1).
        assert not {"nonce", "c_hash", "s_hash", "urn:openid:params:jwt:claim:auth_req_id"} & set(claims)
        if "urn:openid:params:jwt:claim:rt_hash" in claims:
            assert claims["urn:openid:params:jwt:claim:rt_hash"] == _half(found["refresh_token"])
        return claims

    async def tokens(self, auth_req_id: str) -> dict[str, Any]:  # type: ignore[override]  # no code here
        """What is collected; the id_token's claims under `claims`."""
        found = self.tokens_of(await self.collect(auth_req_id))
        found["claims"] = await self.told(found)
        return found

    # --- the protected resource --------------------------------------------------------------------------

    async def resource(
        self, access_token: str, *, certificate: Any = None, query: str = "", **headers: str
    ) -> httpx.Response:
        """Userinfo, by the address that asks for certificates. headers: `_` for `-`."""
        sent = {"Authorization": f"Bearer {access_token}", **self._shown(certificate)}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(self.endpoints["userinfo_endpoint"] + query, headers=sent)

    async def opens(self, tokens: Mapping[str, Any]) -> None:
        """FAPI 1.0 Baseline §6.2.1: JSON, and the interaction's id back, which the first client names itself."""
        named = {} if self.second else {"x_fapi_interaction_id": str(uuid.uuid4())}
        answer = await self.resource(tokens["access_token"], **named)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        assert answer.json()["sub"] == tokens["claims"]["sub"]
        told = answer.headers["x-fapi-interaction-id"]
        assert uuid.UUID(told)
        if named:
            assert told.lower() == named["x_fapi_interaction_id"]

    # --- the person, and the ping ------------------------------------------------------------------------

    async def answered(self, decision: str = "allow") -> None:
        """The person opens the newest request and answers it, agreeing to whatever is asked."""
        await self.show_newest()
        page = await self.browser.submit("request-form", button=("decision", decision))
        await self.agree(page)

    async def show_newest(self) -> Page:
        page = await self.browser.open("/me/requests")
        if any(form.id == "signin-form" for form in page.forms()):
            await self.browser.sign_in(self.persona)
            page = await self.browser.open("/me/requests")
        newest = page.text.split('href="/me/requests/')[1].split('"')[0]
        return await self.browser.open(f"/me/requests/{newest}")

    async def ping(self, auth_req_id: str) -> None:
        """A ping client waits to be told (CIBA §10.2); one that polls must not be."""
        before = len(self.pings)
        await self.work()
        if self.mode == "poll":
            assert self.pings == []
            self.wait()
            return
        assert len(self.pings) == before + 1
        self.is_ping(self.pings[-1], auth_req_id)

    def is_ping(self, asked: Asked, auth_req_id: str) -> None:
        assert asked.method == "POST"
        assert asked.headers["content-type"].split(";")[0] == "application/json"
        assert asked.headers["authorization"] == f"Bearer {self.notification_token}"
        assert orjson.loads(asked.body) == {"auth_req_id": auth_req_id}

    @property
    def pings(self) -> list[Asked]:
        return [each for each in self.suite_server.server.asked if each.path.endswith("/ciba-notification-endpoint")]

    async def work(self) -> None:
        """The worker tells whoever is to be told."""
        while await self.furnished.worker.get(OpenIdProvider).elsewhere.pings.run_once():
            pass

    async def allowed(self, changes: Mapping[str, Any] | None = None, **claims: Any) -> dict[str, Any]:
        """The whole way: asked, pending, allowed, told, collected, used."""
        auth_req_id = await self.asked(changes, **claims)
        await self.waits(auth_req_id)
        await self.answered()
        await self.ping(auth_req_id)
        tokens = await self.tokens(auth_req_id)
        await self.opens(tokens)
        return tokens


def _half(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()
