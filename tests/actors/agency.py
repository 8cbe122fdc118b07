"""An agency's back end that can misbehave: it asks the lookup API, and bends whatever a test wants bent."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from core.jose import VerificationKey, VerifiedJwt, decode_unverified, verify_signature
from population_db.synthetic.personas import persona
from tests.actors.relying_party import DROP, RelyingParty

MATCHES, RECORDS = "/api/lookup/v1/matches", "/api/lookup/v1/records"
ANSWER = "application/lookup-answer+jwt"


@dataclass
class AgencyBackend:
    """One client with a token of its own. asked: every body it sent, by request id."""

    party: RelyingParty
    purpose: str
    procedure: str
    legal_basis: str = "statutory-duty"
    token: str = ""
    asked: dict[str, bytes] = field(default_factory=dict)

    async def connect(self) -> "AgencyBackend":
        """Gets an access token for the lookup API."""
        answer = await self.party.client_credentials()
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self

    def question(self, key: str = "An", **changes: Any) -> dict[str, Any]:
        """About a persona by number and name; DROP leaves a member out, `person` bends that object."""
        one = persona(key)
        person = {"number": one.number, "full_name": one.full_name, **changes.pop("person", {})}
        told = {
            "request_id": f"r-{len(self.asked) + 1}",
            "person": {name: value for name, value in person.items() if value is not DROP},
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "procedure": self.procedure,
            "dossier": "HS-2026-0001",
            "official": {"id": "cb-17", "unit": "H26.12.03"},
            **changes,
        }
        return {name: value for name, value in told.items() if value is not DROP}

    async def records(self, key: str = "An", *, fields: Any = ("full_name",), **changes: Any) -> httpx.Response:
        return await self.send(RECORDS, self.question(key, fields=list(fields), **changes))

    async def matches(self, key: str = "An", *, match: Mapping[str, Any], **changes: Any) -> httpx.Response:
        return await self.send(MATCHES, self.question(key, match=dict(match), **changes))

    async def send(
        self,
        path: str,
        body: Any,
        *,
        scheme: str | None = None,
        headers: Mapping[str, Any] | None = None,
        proof: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Sends a body (bytes go as they are). headers replace ours (DROP leaves one out); proof bends DPoP."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        if isinstance(body, dict):
            self.asked[str(body.get("request_id"))] = raw
        bound = self.party.proof_key is not None
        told: dict[str, Any] = {
            "Content-Type": "application/json",
            "Authorization": f"{scheme or ('DPoP' if bound else 'Bearer')} {self.token}",
        }
        if bound:
            told["DPoP"] = self.party.proof("POST", path, token=self.token, **(proof or {}))
        told |= headers or {}
        kept = {name: value for name, value in told.items() if value is not DROP}
        return await self.party.http.post(path, content=raw, headers=kept)

    async def read(self, answer: httpx.Response) -> Mapping[str, Any]:
        """The claims of a signed answer, checked as an agency should: key, type, audience, own question."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(ANSWER)
        claims = (await self.verify(answer.text)).claims
        assert claims["iss"] == self.party.issuer
        assert claims["aud"] == self.party.client_id
        digest = hashlib.sha256(self.asked[claims["request_id"]]).digest()
        assert claims["request_digest"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return claims

    async def verify(self, token: str) -> VerifiedJwt:
        """By the provider's published keys. Raises JoseRefused."""
        published = (await self.party.http.get("/jwks")).json()["keys"]
        kid = decode_unverified(token).header["kid"]
        key = next(key for key in published if key["kid"] == kid)
        assert key["alg"] == "ES256"
        return verify_signature(token, VerificationKey.from_jwk(key), typ={"lookup-answer+jwt"})
