"""The cookie of a browser on which a number has signed in before: its own lane of tries.

    value = entry["~"entry…], entry = nonce "." expiry (epoch seconds) "." HMAC(key, keyed digest ‖ nonce ‖ expiry)

It opens nothing: the password is asked all the same. It only says that a stranger elsewhere cannot use up
this browser's tries (OWASP, "device cookies"). It names nobody: the digest of the number is inside the HMAC.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from core import base64url
from core.web.browser import WebSecret

LIFETIME_SECONDS = 180 * 24 * 3600
MAX_ENTRIES = 4
"""People who share one browser, each with an entry; the oldest falls out."""

_ENTRY = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9]{10,11})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Entry:
    nonce: str
    expires_at: int
    seal: str

    def __str__(self) -> str:
        return f"{self.nonce}.{self.expires_at}.{self.seal}"

    @property
    def lane(self) -> str:
        return "browser:" + hashlib.sha256(self.nonce.encode()).hexdigest()[:32]


def entries_of(cookie: str) -> list[Entry]:
    """The well-formed entries; what they claim is not yet checked."""
    found = (_ENTRY.fullmatch(text) for text in cookie[:1024].split("~"))
    return [Entry(m[1], int(m[2]), m[3]) for m in found if m is not None][-MAX_ENTRIES:]


def known_entry(secret: WebSecret, cookie: str, mac: bytes, now: int) -> Entry | None:
    """The entry that is good for the number behind this keyed digest; every entry is checked."""
    good: Entry | None = None
    for entry in entries_of(cookie):
        seal = _seal(secret, mac, entry.nonce, entry.expires_at)
        if hmac.compare_digest(seal.encode(), entry.seal.encode()) and entry.expires_at > now:
            good = entry
    return good


def with_entry(secret: WebSecret, cookie: str, mac: bytes, now: int) -> str:
    """The cookie after a sign-in: the number's entry made anew, the others kept."""
    mine = known_entry(secret, cookie, mac, now)
    others = [entry for entry in entries_of(cookie) if entry != mine and entry.expires_at > now]
    nonce = mine.nonce if mine else secrets.token_urlsafe(16)
    expires_at = now + LIFETIME_SECONDS
    fresh = Entry(nonce, expires_at, _seal(secret, mac, nonce, expires_at))
    return "~".join(str(entry) for entry in [*others, fresh][-MAX_ENTRIES:])


def _seal(secret: WebSecret, mac: bytes, nonce: str, expires_at: int) -> str:
    message = b"known browser\x00" + mac + nonce.encode() + b"\x00" + str(expires_at).encode()
    return base64url.encode(hmac.digest(secret.key, message, "sha256"))
