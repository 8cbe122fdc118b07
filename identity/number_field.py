"""The number as people type it into the sign-in form. Pure."""

import re

_TWELVE_DIGITS = re.compile(r"[0-9]{12}")


def read_number(typed: str) -> str | None:
    """Twelve digits, with spaces or dots between them as printed on cards; None when it is something else.

    Whether such a number exists is not asked here.
    """
    digits = re.sub(r"[\s.]", "", typed)
    return digits if _TWELVE_DIGITS.fullmatch(digits) else None


def shown_hint(login_hint: str | None) -> str:
    """A `login_hint` that may stand in the field: a number, or nothing."""
    return (read_number(login_hint[:40]) or "") if login_hint else ""
