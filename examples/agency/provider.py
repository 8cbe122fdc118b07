"""The provider, as the back end talks to it: discovery, token, lookups."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.jwk import KeySet

from examples.agency.answers import Answer, AnswerRefused, verify_answer
from examples.agency.proofs import Proofs
from examples.agency.settings import AgencySettings, Person

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EARLY_SECONDS = 30
"""A token is replaced this long before it ends."""


class LookupRefused(Exception):
    """The provider said no. code: the end of the problem's `type`, to act upon."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code} ({status}): {detail}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Case:
    """Why the back end asks: what for, on which ground, in which dossier, for which official."""

    purpose: str
    legal_basis: str
    procedure: str
    dossier: str
    official: str | None = None


class Provider:
    """One per process. http: needs the provider's address as its base."""

    def __init__(self, http: httpx.AsyncClient, settings: AgencySettings, now: Callable[[], float] = time.time) -> None:
        self._http = http
        self._settings = settings
        self._now = now
        self._proofs = Proofs(settings.client_id, settings.private_jwk, now)
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._token = ""
        self._token_ends = 0.0

    async def matches(self, person: Person, case: Case, values: Mapping[str, Any]) -> Answer:
        """Is what the dossier says right? The first question to ask; often the only one. Raises LookupRefused."""
        return await self._ask("/v1/matches", person, case, {"match": dict(values)})

    async def records(self, person: Person, case: Case, fields: list[str], replaces: str | None = None) -> Answer:
        """The fields themselves. replaces: the paper that nobody has to bring now. Raises LookupRefused."""
        return await self._ask(
            "/v1/records", person, case, {"fields": fields} | ({"replaces": replaces} if replaces else {})
        )

    async def _ask(self, path: str, person: Person, case: Case, question: Mapping[str, Any]) -> Answer:
        told = {
            "request_id": secrets.token_hex(8),
            "person": {"number": person.number, "full_name": person.name},
            "purpose": case.purpose,
            "legal_basis": case.legal_basis,
            "procedure": case.procedure,
            "dossier": case.dossier,
            **({"official": {"id": case.official}} if case.official else {}),
            **question,
        }
        body = json.dumps(told, ensure_ascii=False).encode()
        url = self._settings.resource + path
        answer = await self._post(url, body)
        if answer.status_code == 401:  # the token was revoked or the provider's keys changed: once more, afresh
            self._token_ends = 0.0
            answer = await self._post(url, body)
        if answer.status_code != 200:
            problem = answer.json()
            code = str(problem["type"]).removeprefix("urn:dinhdanh:problem:")
            raise LookupRefused(answer.status_code, code, problem["detail"])
        return await self._verified(answer.text, body)

    async def _verified(self, signed: str, body: bytes) -> Answer:
        expected: dict[str, Any] = {
            "issuer": self._settings.issuer,
            "client_id": self._settings.client_id,
            "request_body": body,
        }
        try:
            return verify_answer(signed, await self._published_keys(), **expected)
        except AnswerRefused:
            self._keys = None  # the provider may sign with a key that was published since
            return verify_answer(signed, await self._published_keys(), **expected)

    async def _post(self, url: str, body: bytes) -> httpx.Response:
        token = await self._access_token()
        return await self._http.post(
            url,
            content=body,
            headers={
                "Authorization": f"DPoP {token}",
                "DPoP": self._proofs.dpop("POST", url, token),
                "Content-Type": "application/json",
            },
        )

    async def _access_token(self) -> str:
        if self._now() >= self._token_ends - EARLY_SECONDS:
            url = (await self._discovered())["token_endpoint"]
            answer = await self._http.post(
                url,
                data={
                    "grant_type": "client_credentials",
                    "scope": "lookup",
                    "resource": self._settings.resource,
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": self._proofs.assertion(self._settings.issuer),
                },
                headers={"DPoP": self._proofs.dpop("POST", url)},
            )
            told = answer.json()
            if answer.status_code != 200:
                raise LookupRefused(answer.status_code, told["error"], told.get("error_description", ""))
            self._token, self._token_ends = told["access_token"], self._now() + told["expires_in"]
        return self._token

    async def _discovered(self) -> Mapping[str, Any]:
        if self._metadata is None:
            answer = await self._http.get(f"{self._settings.issuer}/.well-known/openid-configuration")
            self._metadata = answer.raise_for_status().json()
            if self._metadata["issuer"] != self._settings.issuer:
                raise LookupRefused(answer.status_code, "other-issuer", "the metadata are another provider's")
        return self._metadata

    async def _published_keys(self) -> KeySet:
        if self._keys is None:
            answer = await self._http.get((await self._discovered())["jwks_uri"])
            self._keys = KeySet.import_key_set(answer.raise_for_status().json())
        return self._keys
