"""From where and for whom somebody signs in, as coarse as is still useful to the holder."""

from dataclasses import dataclass

MAX_NAME = 200

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("coc_coc", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Where:
    """address: for the rate window only, never stored. network: the address cut short. browser: coarse.

    client, agency: who asked for the sign-in, "" when the person came on his own.
    """

    address: str
    network: str
    browser: str
    client: str = ""
    agency: str = ""

    def __repr__(self) -> str:
        return "Where(…)"


def browser_of(user_agent: str) -> str:
    """E.g. "Chrome · Android": a fixed list of names, nothing of the header itself."""
    agent = user_agent[:512]
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)
