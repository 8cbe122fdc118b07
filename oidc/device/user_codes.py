"""User codes: eight letters, shown in two groups, typed by people. Pure but for the randomness.

Consonants only (RFC 8628 §6.1): no code reads like a word, and no letter is taken for a digit. Twenty letters, eight
places: 2.5e10 codes, which guessing.py keeps out of reach.
"""

import re
import secrets

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
MAX_TYPED = 40

_NOISE = re.compile(r"[\s\-–—_.·]+")  # what phones make of a dash


def new_user_code() -> str:
    """Without the dash."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def shown(code: str) -> str:
    """XXXX-XXXX."""
    return f"{code[:4]}-{code[4:]}"


def read_user_code(typed: str) -> str | None:
    """What was typed, in capitals and without dashes and spaces; None when it cannot be a code."""
    letters = _NOISE.sub("", typed)
    if len(letters) != LENGTH or not letters.isascii():
        return None
    code = letters.upper()
    return code if set(code) <= set(LETTERS) else None
