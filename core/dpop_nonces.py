"""Nonces for DPoP proofs (RFC 9449 §8, §9): they tell that a proof was made just now, by our clock and not by its
maker's. Stateless: an HMAC over a window of time, under a key that all processes share, so that each of them
knows the others' nonces.

A client that never meets one needs none. One is asked for (`use_dpop_nonce`) where a profile wants it, and where
a proof's `iat` lies so far from our clock that it could have been made in advance; one that is sent is checked
always. Who uses nonces is handed the next one before the last one ends.
"""

import base64
import hashlib
import hmac
from datetime import datetime

from starlette.requests import Request

from core.dpop import DpopProof

WINDOW_SECONDS = 150
"""A nonce is given out for one window and holds in the next as well: two and a half to five minutes."""
NEAR_SECONDS = 30
"""A proof without a nonce may be off by this; FAPI 2.0 §5.3.2.1 has clients up to 10 seconds ahead."""
_NUMBER_BYTES = 5
_TAG_BYTES = 16


class DpopNonces:
    """Makes and knows nonces. secret: shared by every process of the service."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"dpop-nonce", "sha256")

    def __repr__(self) -> str:
        return "DpopNonces(…)"

    def current(self, now: datetime) -> str:
        """The nonce to hand out now; 28 characters of base64url."""
        return self._of(int(now.timestamp()) // WINDOW_SECONDS)

    def holds(self, nonce: str, now: datetime) -> bool:
        """Whether we handed it out in this window or the last; or in the next, by a process whose clock is ahead."""
        try:
            window = int.from_bytes(base64.urlsafe_b64decode(nonce)[:_NUMBER_BYTES])
        except ValueError:
            return False
        if abs(window - int(now.timestamp()) // WINDOW_SECONDS) > 1:
            return False
        return hmac.compare_digest(self._of(window).encode(), nonce.encode("utf-8", "surrogatepass"))

    def must_come_again(self, request: Request, proof: DpopProof, *, now: datetime, required: bool = False) -> bool:
        """Whether the proof has to come again with a nonce. Notes on the request which nonce the answer hands out.

        required: whether a nonce is wanted of this client whatever its clock says.
        """
        if proof.nonce is None:
            again = required or abs(now.timestamp() - proof.issued_at) > NEAR_SECONDS
        else:
            again = not self.holds(proof.nonce, now)
        if again or (proof.nonce is not None and proof.nonce != self.current(now)):
            request.state.dpop_nonce = self.current(now)
        return again

    def _of(self, window: int) -> str:
        number = window.to_bytes(_NUMBER_BYTES)
        tag = hmac.digest(self._key, number, hashlib.sha256)[:_TAG_BYTES]
        return base64.urlsafe_b64encode(number + tag).decode()
