"""The DPoP proof of a request to the provider itself (RFC 9449 §5): read, checked, its replay mark."""

from datetime import datetime

from starlette.requests import Request

from core.dpop import REPLAY_TTL_SECONDS, DpopProof, verify_proof
from core.jose import JoseRefused
from oidc.errors import OAuthError
from oidc.replay import Mark


def read_proof(request: Request, *, issuer: str, now: datetime) -> DpopProof | None:
    """The proof, or None when no header came. Raises OAuthError invalid_dpop_proof."""
    proofs = request.headers.getlist("dpop")
    if not proofs:
        return None
    if len(proofs) > 1:
        raise _invalid("There is more than one DPoP header.")
    try:
        return verify_proof(proofs[0], method=request.method, url=f"{issuer}{request.url.path}", now=now)
    except JoseRefused as refused:
        raise _invalid(f"DPoP: {refused.reason}.") from None


def replay_mark(proof: DpopProof) -> Mark:
    """The same kind of mark as at resource servers: a proof is good once, wherever it is shown."""
    return Mark("dpop", proof.replay_id, REPLAY_TTL_SECONDS, _invalid("DPoP: the proof was used before."))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)
