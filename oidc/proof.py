"""The DPoP proof of a request to the provider itself (RFC 9449 §5, §8): read, checked, its nonce, its replay mark."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from core.dpop import REPLAY_TTL_SECONDS, DpopProof, verify_proof
from core.dpop_nonces import DpopNonces
from core.jose import JoseRefused
from core.request_headers import headers_of
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.replay import Mark


@dataclass(frozen=True, slots=True)
class Proofs:
    """Reads proofs sent to the provider. mtls_base: the other origin it is reached at, or empty (RFC 8705 §5)."""

    issuer: str
    mtls_base: str
    nonces: DpopNonces

    def read(self, request: Request, client: Client, *, now: datetime) -> DpopProof | None:
        """The proof, or None when no header came. Raises OAuthError invalid_dpop_proof, use_dpop_nonce.

        client: the authenticated one, whose profile may want a nonce.
        """
        proofs = headers_of(request.scope, b"dpop")
        if not proofs:
            return None
        if len(proofs) > 1:
            raise _invalid("There is more than one DPoP header.")
        bases = (self.issuer, self.mtls_base) if self.mtls_base else (self.issuer,)
        urls = [f"{base}{request.scope['path']}" for base in bases]
        try:
            proof = verify_proof(proofs[0], method=request.method, urls=urls, now=now)
        except JoseRefused as refused:
            raise _invalid(f"DPoP: {refused.reason}.") from None
        if self.nonces.must_come_again(request, proof, now=now, required=client.profile.requires_nonce):
            raise OAuthError("use_dpop_nonce", "DPoP: send the nonce of the DPoP-Nonce header in a new proof.")
        return proof


def replay_mark(proof: DpopProof) -> Mark:
    """The same kind of mark as at resource servers: a proof is good once, wherever it is shown."""
    return Mark("dpop", proof.replay_id, REPLAY_TTL_SECONDS, _invalid("DPoP: the proof was used before."))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)
