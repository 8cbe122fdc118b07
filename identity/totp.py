"""One-time codes of the second factor (RFC 6238: SHA-1, 6 digits, 30 seconds). No clock: the time comes in."""

import hmac
import re
from datetime import datetime

import pyotp

STEP_SECONDS = 30
STEPS_AROUND = 1
"""One step before and after the present one is taken (RFC 6238, 5.2), for clocks that differ a little."""

_SIX_DIGITS = re.compile(r"[0-9]{6}")


def read_code(typed: str) -> str | None:
    """Six digits as people type them (spaces allowed), or None."""
    code = "".join(typed.split())
    return code if _SIX_DIGITS.fullmatch(code) else None


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """The step whose code this is: the highest of those accepted now, or None.

    All accepted steps are computed and compared in constant time, whichever matches. Whether the step was
    used before is the database's to say.
    """
    totp = pyotp.TOTP(secret, digits=6, interval=STEP_SECONDS)
    present = int(at.timestamp()) // STEP_SECONDS
    found: int | None = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def check_secret(secret: str) -> str:
    """A base32 secret of at least 128 bits (RFC 4226, 4: R6). Raises ValueError, never repeating it."""
    try:
        raw = pyotp.TOTP(secret).byte_secret()
    except ValueError:
        raise ValueError("the TOTP secret is not base32") from None
    if len(raw) < 16:
        raise ValueError("the TOTP secret has fewer than 128 bits")
    return secret
