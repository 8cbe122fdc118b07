"""The suite's FAPI 2.0 client: pushed requests, private_key_jwt, DPoP, each answer checked to the letter."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from core.jose import SigningKey
from service.sandbox_guide import ClientGuide
from tests.actors.browser import Browser, Page
from tests.actors.relying_party import DROP, Attempt, RelyingParty
from tests.conformance.suite import Conformance, Request
from tests.support.furnished import Furnished

__all__ = ["DROP", "Fapi"]


@dataclass
class Fapi(Conformance):
    """A `Conformance` whose back channel is that of FAPI 2.0; `party` makes its messages."""

    party: RelyingParty = None  # type: ignore[assignment]  # made by `of`

    @classmethod
    def of(cls, furnished: Furnished, browser: Browser, client: ClientGuide, persona: str) -> "Fapi":
        """The client of a sandbox, with the key that the guide prints and a fresh key for its proofs."""
        assert client.private_jwk is not None
        party = RelyingParty(
            http=browser.http,
            clock=furnished.clock,
            issuer=furnished.settings.issuer,
            client_id=client.client_id,
            method="private_key_jwt",
            key=SigningKey.from_jwk(client.private_jwk),
            proof_key=SigningKey.generate("ES256"),
            redirect_uri=client.redirect_uris[0],
        )
        return cls(furnished, browser, client, furnished.persona(persona), party=party)

    # --- the pushed request -----------------------------------------------------------------------------

    async def push(self, attempt: Attempt, **changes: Any) -> httpx.Response:
        """The request to the PAR endpoint, bent by `changes`."""
        return await self.party.push(attempt, **changes)

    async def pushed(self, **changes: Any) -> tuple[Attempt, Request]:
        """A pushed request, and what the browser is sent with: client_id and request_uri alone."""
        attempt = self.party.ask(**changes)
        request_uri = await self.request_uri(attempt)
        opened = Request({**attempt.params}, attempt.verifier)
        self.requests.append(opened)
        attempt.params = {"client_id": self.client.client_id, "request_uri": request_uri}
        return attempt, opened

    async def request_uri(self, attempt: Attempt) -> str:
        answer = await self.push(attempt)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert set(body) == {"request_uri", "expires_in"}
        assert 5 <= body["expires_in"] < 600  # FAPI 2.0 §5.3.2.2: less than ten minutes
        return str(body["request_uri"])

    def par_error(self, answer: httpx.Response) -> str:
        """RFC 9126 §2.3: the error of a pushed request."""
        return self.token_error(answer)

    async def go(self, attempt: Attempt, **more: str) -> Page:
        """The browser to the authorization endpoint. more: parameters outside the pushed request."""
        return await self.browser.open("/authorize?" + urlencode({**attempt.params, **more}))

    async def code_of(self, attempt: Attempt, request: Request) -> str:
        """Sign-in and consent; the code."""
        answer = self.callback(await self.agree(await self.go(attempt)), request)
        assert "error" not in answer, answer
        return answer["code"]

    async def happy(self, **changes: Any) -> dict[str, Any]:
        """The whole flow; tokens with the claims of the id_token under `claims`."""
        attempt, request = await self.pushed(**changes)
        code = await self.code_of(attempt, request)
        return await self.redeemed(await self.party.exchange(attempt, code), request)

    async def redeemed(self, answer: httpx.Response, request: Request, *, nonce: bool = True) -> dict[str, Any]:
        """A token response of FAPI 2.0: bound, short-lived, id_token by ES256."""
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["token_type"] == "DPoP"
        assert 0 < found["expires_in"] <= 3600
        found["claims"] = await self.id_token(
            found["id_token"], request, found["access_token"], alg="ES256", nonce=nonce
        )
        return found

    async def resource(self, tokens: dict[str, Any], *, scheme: str = "DPoP", **proof: Any) -> httpx.Response:
        """Userinfo, which is the protected resource here."""
        made = self.party.proof("GET", "/userinfo", token=tokens["access_token"], **proof)
        headers = {"Authorization": f"{scheme} {tokens['access_token']}", "DPoP": made}
        return await self.http.get("/userinfo", headers=headers)
