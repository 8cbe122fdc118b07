"""What may be said of oneself: the rules of each kind of value. Pure.

Relying parties show these values and may fetch the addresses, so an address is an https one of a named host
in the open network: no port, no user, no bare IP address, no name that only one's own network knows.
"""

import re
import unicodedata
from functools import cache
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit
from zoneinfo import available_timezones

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories of what is not seen: controls, marks of direction, private and unassigned letters."""
_IDENTITY_NUMBER = re.compile(r"\d{9}(\d{3})?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}", re.ASCII)
_INNER_TOPS = frozenset({"local", "internal", "localhost", "lan", "home", "corp", "intranet", "onion", "arpa"})
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|\d{3}))?", re.ASCII)
"""Language, script and region of BCP 47. No table of languages: those of small peoples are in none."""
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})

NOT_SHOWN = "Leave out characters that cannot be seen."
NO_NUMBER = "Do not enter an identification number here."
BAD_URL = "Enter an address that begins with https:// and names a website, such as https://example.vn/me."
BAD_ZONE = "Enter a time zone by its name, such as Asia/Ho_Chi_Minh."
BAD_LANGUAGE = "Enter a language code, such as vi-VN."


def check_text(text: str) -> str:
    """A line of text: NFC, single spaces, all of it visible, and no identification number. Raises ValueError."""
    value = " ".join(text.split())
    if any(unicodedata.category(char) in _UNSEEN for char in value) or not value:
        raise ValueError(NOT_SHOWN)
    if _IDENTITY_NUMBER.fullmatch(re.sub(r"[\s.\-]", "", value)):
        raise ValueError(NO_NUMBER)
    return value


def check_url(text: str) -> str:
    """An https address in ASCII (RFC 3986), as a browser would send it. Raises ValueError."""
    if any(char.isspace() or char == "\\" or unicodedata.category(char) in _UNSEEN for char in text):
        raise ValueError(BAD_URL)
    try:
        parts = urlsplit(text)
        host = _host(parts)
    except (ValueError, UnicodeError):
        raise ValueError(BAD_URL) from None
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    fragment = quote(parts.fragment, safe="/?%:@!$&'()*+,;=~-._")
    return urlunsplit(("https", host, path, query, fragment))


def _host(parts: SplitResult) -> str:
    if parts.scheme.lower() != "https" or "@" in parts.netloc or parts.port not in (None, 443):
        raise ValueError
    name = (parts.hostname or "").removesuffix(".")
    try:
        ip_address(name)
    except ValueError:
        pass
    else:
        raise ValueError
    host = name.encode("idna").decode("ascii").lower()
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or labels[-1] in _INNER_TOPS or not _TOP.fullmatch(labels[-1]):
        raise ValueError
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError
    return host


def check_time_zone(text: str) -> str:
    """A name of the time zone database, whatever its case was. Raises ValueError."""
    found = _zones().get(text.replace(" ", "_").lower())
    if found is None:
        raise ValueError(BAD_ZONE)
    return found


def check_language(text: str) -> str:
    """A language tag (BCP 47: language, script, region) in its usual case. Raises ValueError."""
    found = _LANGUAGE.fullmatch(text.replace("_", "-").lower())
    if found is None:
        raise ValueError(BAD_LANGUAGE)
    script, region = found["script"], found["region"]
    parts = (found["language"], script.capitalize() if script else None, region.upper() if region else None)
    return "-".join(one for one in parts if one)


@cache
def _zones() -> dict[str, str]:
    """Lower-cased name → name. Read once: the database of time zones is many small files."""
    names = {name for name in available_timezones() if name not in _NO_ZONES}
    return {name.lower(): name for name in sorted(names) if not name.startswith(("posix/", "right/", "SystemV/"))}
