"""The Vietnamese syllable: its letters, its tone, and the two ways to write some of them.

One sound can be spelled in more than one correct way: the tone mark sits on either vowel ("hoà", "hòa";
"thuý", "thúy") and a lone final vowel is i or y ("lí", "lý"; "quí", "quý"). The law's texts write
"Thanh Hóa", "Khánh Hòa". Names are kept as registered; these functions serve comparison and search.

Only words shaped like a Vietnamese syllable are touched; every other word keeps its accents as they are.
"""

import re
import unicodedata
from functools import lru_cache

TONES = "\u0300\u0309\u0303\u0301\u0323"
"""huyền, hỏi, ngã, sắc, nặng: the order of dictionaries and of CLDR's `vi`; no mark comes before all."""

LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
"""The order of letters (TCVN): a letter with hat, breve, horn or bar is a letter of its own."""

_SYLLABLE = re.compile(
    r"(ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx]|)"
    r"([aăâeêioôơuưy]{1,3})"
    r"(ch|ng|nh|[cmnpt]|)"
)
_I_OR_Y = re.compile(r"(h|k|l|m|s|t|qu)i")
"""After these onsets a lone final i and y are the same vowel. Not after v: Vi and Vy are two names."""

_PLAIN = str.maketrans("đĐƀɓɗłøœæßıħŧŋ", "dDbbdloeasihtn")
"""Letters that Unicode does not decompose, for the search key."""


@lru_cache(maxsize=65_536)
def syllable(word: str) -> tuple[str, str]:
    """(letters, tone) of one word: "Hoà" and "Hòa" both give ("hoa", "1").

    letters: lower case, NFC, without tone mark, a final i written y where both are right.
    tone: "0" to "5" in dictionary order. For a word that is no Vietnamese syllable: its letters without
    the tone marks, and one digit for each letter, so that nothing is lost and nothing is merged.
    """
    decomposed = unicodedata.normalize("NFD", word.lower())
    letters = unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in TONES))
    marks = [c for c in decomposed if c in TONES]
    if len(marks) <= 1 and _SYLLABLE.fullmatch(letters):
        if _I_OR_Y.fullmatch(letters):
            letters = letters[:-1] + "y"
        return letters, str(TONES.index(marks[0]) + 1) if marks else "0"
    return letters, _tone_of_each_letter(decomposed)


def _tone_of_each_letter(decomposed: str) -> str:
    tones: list[str] = []
    for char in decomposed:
        if char in TONES and tones:
            tones[-1] = str(TONES.index(char) + 1)
        elif not unicodedata.combining(char):
            tones.append("0")
    return "".join(tones)


@lru_cache(maxsize=65_536)
def plain(word: str) -> str:
    """The word for searching: in ASCII, no accents, đ as d, lower case, one spelling of i and y."""
    decomposed = unicodedata.normalize("NFD", syllable(word)[0].translate(_PLAIN))
    found = "".join(c for c in decomposed if not unicodedata.combining(c))
    return found if found.isascii() else plain("".join(_in_ascii(char) for char in found))


def _in_ascii(char: str) -> str:
    """A foreign letter that is none of ours with a mark, by what Unicode calls it: þ as "thorn", ɓ as "b"."""
    if char.isascii():
        return char
    called = unicodedata.name(char, "").replace(" LIGATURE ", " LETTER ").partition(" LETTER ")[2]
    base = re.split(" WITH | PRECEDED ", called)[0].rpartition(" ")[2]
    return re.sub("[^a-z]", "", base.lower())


_TWO_VOWELS = re.compile(r"(?<![qQ])([oO][aAeE]|[uU][yY])$")


def law_tone(word: str) -> str:
    """The word with its tone mark where the law's texts put it: "Hoà" → "Hòa", "Thuỷ" → "Thủy".

    Only open syllables in oa, oe, uy are written in two ways; "Quý", "Hoàn" and all others stay.
    """
    decomposed = unicodedata.normalize("NFD", word)
    marks = [c for c in decomposed if c in TONES]
    bare = "".join(c for c in decomposed if c not in TONES)
    if len(marks) != 1 or not _TWO_VOWELS.search(bare):
        return unicodedata.normalize("NFC", word)
    return unicodedata.normalize("NFC", bare[:-1] + marks[0] + bare[-1])


def law_tones(text: str) -> str:
    """`law_tone` for each word of a text with single spaces, e.g. the name of a province."""
    return " ".join(law_tone(word) for word in text.split(" "))
