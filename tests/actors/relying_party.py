"""A relying party that can misbehave: every message it sends can be bent before it leaves.

It does what a portal's library does (authorization request, PAR, code exchange, refresh, userinfo), with its
own keys, and lets a test change, drop or add any parameter, claim or header.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import httpx
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from core.clock import Clock
from core.jose import SigningKey, VerificationKey, sign_jwt, verify_jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class _Drop:
    def __repr__(self) -> str:
        return "DROP"  # the same in every process: names of tests are made of it


DROP: Any = _Drop()
"""As a value: leave this parameter out."""


@dataclass
class Attempt:
    """What a portal remembers between its request and the answer."""

    state: str
    nonce: str
    verifier: str
    params: dict[str, Any]

    @property
    def url(self) -> str:
        return "/authorize?" + urlencode(self.params, doseq=True)


@dataclass
class RelyingParty:
    """One client. key: for private_key_jwt and request objects. proof_key: for DPoP, when its tokens are bound.
    signs: whether it puts its requests into signed objects (RFC 9101)."""

    http: httpx.AsyncClient
    clock: Clock
    issuer: str
    client_id: str
    method: str = "client_secret_basic"
    secret: str | None = None
    key: SigningKey | None = None
    proof_key: SigningKey | None = None
    certificate: str | None = None
    nonce: str | None = None
    redirect_uri: str = "https://rp.example/callback"
    scope: str = "openid"
    signs: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    # --- the authorization request ----------------------------------------------------------------------

    def ask(self, **changes: Any) -> Attempt:
        """A request with fresh state, nonce and challenge; `changes` bend it."""
        state, nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        params = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        bent = _bent(params, changes)
        if "prompt" not in changes and "offline_access" in str(bent.get("scope", "")).split():
            bent["prompt"] = "consent"  # without it there is a refresh token only where a page is shown
        if self.signs:
            bent = {"client_id": self.client_id, "request": self.request_object(**bent)}
        made = Attempt(state, nonce, verifier, bent)
        self.attempts.append(made)
        return made

    async def push(self, attempt: Attempt, **changes: Any) -> httpx.Response:
        """The request to the PAR endpoint."""
        return await self.post("/par", _bent(attempt.params, changes))

    async def pushed(self, **changes: Any) -> Attempt:
        """A pushed request, ready to be opened."""
        attempt = self.ask(**changes)
        answer = await self.push(attempt)
        assert answer.status_code == 201, answer.text
        attempt.params = {"client_id": self.client_id, "request_uri": answer.json()["request_uri"]}
        return attempt

    # --- the back channel -------------------------------------------------------------------------------

    async def exchange(self, attempt: Attempt, code: str, **changes: Any) -> httpx.Response:
        """The code for tokens."""
        params = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        return await self.post("/token", _bent(params, changes))

    async def refresh(self, token: str, **changes: Any) -> httpx.Response:
        return await self.post("/token", _bent({"grant_type": "refresh_token", "refresh_token": token}, changes))

    async def client_credentials(self, **changes: Any) -> httpx.Response:
        return await self.post("/token", _bent({"grant_type": "client_credentials", "scope": "lookup"}, changes))

    async def post(
        self, path: str, params: Mapping[str, str], *, headers: Mapping[str, str] | None = None, plain: bool = False
    ) -> httpx.Response:
        """A form with this client's authentication and, where it has a proof key, a DPoP proof; sent again with a
        nonce where one is asked for (RFC 9449 §8).

        plain: nothing is added; the test brings its own.
        """
        if plain:
            return await self.http.post(path, data=dict(params), headers=dict(headers or {}))
        for _ in range(2):
            form, own = self.authentication(path)
            own |= self.connection()
            if self.proof_key is not None:
                own["DPoP"] = self.proof("POST", path)
            answer = await self.http.post(path, data={**form, **params}, headers={**own, **(headers or {})})
            self.nonce = answer.headers.get("dpop-nonce", self.nonce)
            if answer.status_code != 400 or answer.json().get("error") != "use_dpop_nonce":
                break
        return answer

    async def userinfo(self, token: str, *, method: str = "GET", **proof_changes: Any) -> httpx.Response:
        """The person's claims, by the scheme the token needs."""
        headers = self.connection()
        if self.proof_key is None:
            return await self.http.request(method, "/userinfo", headers={**headers, "Authorization": f"Bearer {token}"})
        proof = self.proof(method, "/userinfo", token=token, **proof_changes)
        headers |= {"Authorization": f"DPoP {token}", "DPoP": proof}
        return await self.http.request(method, "/userinfo", headers=headers)

    # --- what proves who it is --------------------------------------------------------------------------

    def connection(self) -> dict[str, str]:
        """What the proxy adds to a request that came by mutual TLS."""
        return {} if self.certificate is None else {"Client-Cert": self.certificate}

    def authentication(self, path: str) -> tuple[dict[str, str], dict[str, str]]:
        """Form members and headers of the registered method."""
        if self.method == "private_key_jwt":
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}, {}
        if self.method == "client_secret_post":
            return {"client_id": self.client_id, "client_secret": self.secret or ""}, {}
        if self.method == "client_secret_basic":
            return {}, {"Authorization": basic(self.client_id, self.secret or "")}
        return {"client_id": self.client_id}, {}

    def assertion(
        self, *, key: SigningKey | None = None, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A client assertion; `claims` bend it (DROP leaves one out). header: forged in the place of ours."""
        now = int(self.clock.now().timestamp())
        told = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        signing = key or self.key
        assert signing is not None
        if header is not None:
            forged = {"alg": signing.alg, "typ": "JWT", "kid": signing.kid, **header}
            return forged_jwt(forged, _bent(told, claims), signing)
        return sign_jwt(signing, _bent(told, claims), typ="JWT")

    def request_object(
        self,
        *,
        key: SigningKey | None = None,
        typ: str | None = "oauth-authz-req+jwt",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A signed request object with these parameters; `claims` bend the rest as well (DROP leaves one out).

        header: forged in the place of ours.
        """
        now = int(self.clock.now().timestamp())
        told = {"iss": self.client_id, "aud": self.issuer, "client_id": self.client_id, "nbf": now, "exp": now + 300}
        signing = key or self.key
        assert signing is not None
        if header is not None:
            return forged_jwt({"alg": signing.alg, "kid": signing.kid, **header}, _bent(told, claims), signing)
        return sign_jwt(signing, _bent(told, claims), typ=typ)

    async def signed_answer(self, response: httpx.Response) -> dict[str, Any]:
        """What a JWT answer by redirect says (JARM), checked as a portal has to check it."""
        got = answer_of(response)
        assert set(got) == {"response"}, got
        return await self.opened(got["response"])

    async def opened(self, answer: str, *, alg: str = "ES256") -> dict[str, Any]:
        """The claims of a signed answer for this client."""
        published = (await self.http.get("/jwks")).json()["keys"]
        keys = [VerificationKey.from_jwk(each) for each in published if each["alg"] == alg]
        verified = verify_jwt(
            answer,
            keys,
            algs={alg},
            typ={"JWT"},
            issuer=self.issuer,
            audience=self.client_id,
            now=self.clock.now(),
            require=("exp", "iat"),
        )
        return dict(verified.claims)

    def proof(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: SigningKey | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof; `claims` bend it. header: changes to a forged one."""
        signing = key or self.proof_key
        assert signing is not None
        told: dict[str, Any] = {
            "htm": method,
            "htu": f"{self.issuer}{path}",
            "jti": secrets.token_urlsafe(16),
            "iat": int(self.clock.now().timestamp()),
        }
        if self.nonce is not None:
            told["nonce"] = self.nonce
        if token is not None:
            told["ath"] = _hash(token)
        public = {name: value for name, value in signing.public().public_jwk().items() if name in _PUBLIC}
        if header is not None:
            forged = _bent({"alg": signing.alg, "typ": "dpop+jwt", "jwk": public}, header)
            return forged_jwt(forged, _bent(told, claims), signing)
        return sign_jwt(signing, _bent(told, claims), typ="dpop+jwt", header={"jwk": public})


_PUBLIC = {"kty", "crv", "x", "y", "n", "e"}


def forged_jwt(header: Mapping[str, Any], claims: Mapping[str, Any], key: SigningKey) -> str:
    """A token with any header at all, signed with an ES256 key: our own signer refuses to write nonsense."""
    jwk = key.private_jwk()
    number = int.from_bytes(base64.urlsafe_b64decode(jwk["d"] + "=="), "big")
    private = ec.derive_private_key(number, ec.SECP256R1())
    signed = ".".join(_base64(orjson.dumps(dict(part))) for part in (header, claims))
    r, s = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def answer_of(response: httpx.Response) -> dict[str, str]:
    """The parameters of a redirect to the portal, each of which must occur once."""
    assert response.status_code == 303, (response.status_code, response.text)
    found = parse_qs(urlsplit(response.headers["location"]).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values()), found
    return {name: values[0] for name, values in found.items()}


def asked_acr(*values: str) -> str:
    """A `claims` parameter that wishes for one of these levels (OpenID Connect Core §5.5.1.1)."""
    return orjson.dumps({"id_token": {"acr": {"values": list(values)}}}).decode()


def essential_acr(*values: str) -> str:
    """A `claims` parameter that must have one of these levels, or an error."""
    return orjson.dumps({"id_token": {"acr": {"essential": True, "values": list(values)}}}).decode()


def basic(client_id: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both halves form-encoded, then joined."""
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def challenge_of(verifier: str) -> str:
    return _hash(verifier)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def _hash(text: str) -> str:
    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bent(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not DROP}
