"""What binds the code to the one who asked."""

import re

from oidc.authlib_ import is_s256_challenge
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError, invalid_request

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def check_pkce(asking: Asking) -> None:
    """S256 (RFC 7636; RFC 9700 §2.1.1), of every client but those of `openid-core`; one that is sent is verified
    whoever sends it. A missing method would mean `plain`: refused."""
    challenge = asking.params.get("code_challenge")
    if challenge is None and not asking.client.profile.requires_pkce and "code_challenge_method" not in asking.params:
        return
    if challenge is None:
        raise invalid_request("The parameter code_challenge is missing (PKCE, S256).")
    if asking.params.get("code_challenge_method") != "S256":
        raise invalid_request("code_challenge_method must be S256.")
    if not is_s256_challenge(challenge):
        raise invalid_request("code_challenge must be a SHA-256 in base64url without padding.")
    asking.code_challenge = challenge


def check_dpop_jkt(asking: Asking) -> None:
    """The key that the code will be bound to, when one is named (RFC 9449 §10).

    A proof that comes with a pushed request names it as well; the two must agree (§10.1).
    """
    if asking.proof_jkt is not None and asking.params.setdefault("dpop_jkt", asking.proof_jkt) != asking.proof_jkt:
        raise OAuthError("invalid_dpop_proof", "dpop_jkt is not the key of the DPoP proof.")
    jkt = asking.params.get("dpop_jkt")
    if jkt is not None and _THUMBPRINT.fullmatch(jkt) is None:
        raise invalid_request("dpop_jkt must be a JWK SHA-256 thumbprint in base64url.")
    asking.dpop_jkt = jkt
