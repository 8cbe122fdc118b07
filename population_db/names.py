"""Names of persons: kept as registered, compared and sorted as Vietnamese does.

họ (family name), chữ đệm (middle words), tên (given name, usually the last word). A name is one string in
its legal form; the parts are only hints for sorting. No part of this module knows a database.
"""

import re
import unicodedata

from population_db.spelling import LETTERS, plain, syllable

MAX_LENGTH = 150
"""Characters. Ethnic and foreign names reach 50 and more; nothing real comes near this."""

_LOOK_ALIKES = str.maketrans(
    {
        "\u00d0": "Đ",  # Icelandic Eth
        "\u0189": "Đ",  # African D
        "\u00f0": "đ",
        "\u0256": "đ",
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "\u02bb": "'",
        "\u0060": "'",
        "\u00b4": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
    }
)
_LATIN = r"A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_NAME = re.compile(rf"[{_LATIN}][{_LATIN}\u0300-\u036f'. -]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SORT_CODE = {letter: chr(ord("0") + i) for i, letter in enumerate(LETTERS)}
"""Letter → one ASCII character; the characters' order under the C collation is the letters' order."""


def normalise(text: str) -> str:
    """The legal form to store: NFC, look-alike letters put right (Ð, Ɖ → Đ), single spaces. Case stays.

    ValueError, with a reason that does not repeat the text: empty, too long, a control or invisible
    character, a digit, a symbol, a letter that is not Latin (Civil Code art. 26: names are in Vietnamese
    or another language of Viet Nam, without digits and symbols).
    """
    if len(text) > 4 * MAX_LENGTH:
        raise ValueError("the name is too long")
    name = unicodedata.normalize("NFC", text).translate(_LOOK_ALIKES)
    if _CONTROL.search(name):
        raise ValueError("the name holds a control or invisible character")
    name = " ".join(name.split())
    if not name:
        raise ValueError("the name is empty")
    if not _NAME.fullmatch(name):
        raise ValueError(_reason(name))
    if len(name) > MAX_LENGTH:
        raise ValueError("the name is too long")
    return name


def _reason(name: str) -> str:
    categories = {unicodedata.category(char) for char in name}
    if categories & {"Cf", "Co", "Cs", "Cn"}:
        return "the name holds a control or invisible character"
    if any(category.startswith("N") for category in categories):
        return "the name holds a digit"
    return "the name holds a character that no name has"


def fold(text: str) -> str:
    """The search key: no accents, lower case, đ as d, i and y as one where both are right.

    Two names that are `same_name` have one search key; different names may share it (Hoa, Hòa, Hóa), so
    a search ranks exact matches first. Raises as `normalise`.
    """
    return " ".join(plain(word) for word in _words(normalise(text)))


def same_name(a: str, b: str) -> bool:
    """Whether two spellings are one name: every accent counts, but not case, not where the tone mark
    sits (hoà, hòa), not i for y where both are right (lí, lý). Raises as `normalise`.
    """
    return [syllable(w) for w in _words(normalise(a))] == [syllable(w) for w in _words(normalise(b))]


def sort_key(text: str) -> str:
    """A string in ASCII whose order, byte by byte (PostgreSQL collation "C"), is the Vietnamese one.

    By tên, then họ, then đệm; within each by letters (a ă â b … d đ …), then by tone (ngang, huyền, hỏi,
    ngã, sắc, nặng), as class lists in Viet Nam do: all Hoa before all Hòa. Raises as `normalise`.
    """
    given, family, middle = split(normalise(text))
    return ",".join(_part_key(part) for part in (given, family, middle))


def split(name: str) -> tuple[list[str], list[str], list[str]]:
    """(tên, họ, đệm) as lists of words of a normalised name: a hint, never a truth.

    Names of the Central Highlands that begin with the marks Y or H' have the family name last
    ("Y Moan Ênuôl", "H'Hen Niê").
    """
    words = name.split(" ")
    if len(words) > 1 and words[0].upper() == "Y":
        return words[1:2], words[2:], words[:1]
    if len(words) > 1 and words[0].upper().startswith("H'"):
        return [words[0][2:] or words[1]], words[1:], []
    return words[-1:], words[:-1][:1], words[1:-1]


def _words(name: str) -> list[str]:
    return name.replace("'", "").replace("-", " ").replace(".", " ").split()


def _part_key(words: list[str]) -> str:
    parts = [syllable(word) for word in _words(" ".join(words))]
    letters = "-".join("".join(_sort_code(c) for c in part[0]) for part in parts)
    return letters + "!" + "".join(part[1] for part in parts)


def _sort_code(char: str) -> str:
    return _SORT_CODE.get(char) or "".join(_SORT_CODE.get(c, "") for c in plain(char))
