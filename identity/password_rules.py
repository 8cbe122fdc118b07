"""What a new password must be. Pure rules (NIST SP 800-63B 3.1.1: length counts, not kinds of letters)."""

import unicodedata

MIN_CHARACTERS = 12
MAX_CHARACTERS = 128


class PasswordUnfit(ValueError):
    """The password does not do; the message says why and never repeats it."""


def normal_form(password: str) -> str:
    """One form for one password, however the keyboard composes letters (RFC 8265, 4.2.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def check_new_password(password: str) -> str:
    """The password in normal form. Raises PasswordUnfit."""
    normal = normal_form(password)
    if len(normal) < MIN_CHARACTERS:
        raise PasswordUnfit(f"a password has at least {MIN_CHARACTERS} characters")
    if len(normal) > MAX_CHARACTERS:
        raise PasswordUnfit(f"a password has at most {MAX_CHARACTERS} characters")
    if normal.isdigit():
        raise PasswordUnfit("a password is not made of digits alone")
    if len(set(normal)) < 5:
        raise PasswordUnfit("a password has at least five different characters")
    return normal
