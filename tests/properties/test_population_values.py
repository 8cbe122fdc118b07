"""Names, partial dates and numbers: what holds for all of them."""

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from population_db.names import fold, normalise, same_name, sort_key
from population_db.numbers import Number, century_and_sex_digit, check_against, parse_number
from population_db.partial_dates import PartialDate, age_on, may_be_same_date, same_date
from population_db.spelling import law_tones, syllable
from population_db.units import units

T = TypeVar("T")

LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxy"
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]


@st.composite
def words(draw: st.DrawFn) -> str:
    """Letters with at most one tone mark: every Vietnamese word, and many that are none."""
    letters = list(draw(st.text(LETTERS, min_size=1, max_size=6)))
    letters[draw(st.integers(0, len(letters) - 1))] += draw(st.sampled_from(TONES))
    word = unicodedata.normalize("NFC", "".join(letters))
    return word.title() if draw(st.booleans()) else word


names = st.lists(words(), min_size=1, max_size=5).map(" ".join)
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@st.composite
def partial_dates(draw: st.DrawFn) -> PartialDate:
    day = draw(days)
    known = draw(st.integers(1, 3))
    return PartialDate(day.year, day.month if known > 1 else None, day.day if known > 2 else None)


def _try(read: Callable[[str], T], text: str) -> tuple[T | None, str]:
    try:
        return read(text), ""
    except ValueError as refused:
        return None, str(refused)


@given(names)
def test_normalising_twice_is_normalising_once(name: str) -> None:
    stored = normalise(name)
    assert normalise(stored) == stored
    assert unicodedata.is_normalized("NFC", stored)


@given(names)
def test_encodings_of_a_name_are_one_name(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        encoded = unicodedata.normalize(form, name)
        assert normalise(encoded) == normalise(name)
        assert same_name(encoded, name.upper())


@given(names, names)
def test_same_names_share_search_key_and_place_in_the_order(a: str, b: str) -> None:
    if same_name(a, b):
        assert fold(a) == fold(b)
        assert sort_key(a) == sort_key(b)
    elif fold(a) != fold(b):
        assert not same_name(a, b)


@given(names)
def test_search_and_sort_keys_are_ascii_and_search_keys_are_stable(name: str) -> None:
    assert fold(name).isascii()
    assert sort_key(name).isascii()
    assert fold(fold(name)) == fold(name)


@given(words())
def test_the_tone_s_place_does_not_change_the_word(word: str) -> None:
    moved = law_tones(word)
    assert law_tones(moved) == moved
    assert syllable(moved) == syllable(word)


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    stored, reason = _try(normalise, text)
    assert len(reason) < 80
    if stored is not None:
        assert stored[0].isalpha()
        assert not any(c.isdigit() or ord(c) < 32 for c in stored)
        assert fold(stored).isascii()
        assert sort_key(stored).isascii()


@given(partial_dates())
def test_dates_read_back(partial: PartialDate) -> None:
    assert PartialDate.parse(partial.iso) == partial
    assert PartialDate.parse(partial.vietnamese) == partial
    assert partial.earliest() <= partial.latest()
    assert same_date(partial, PartialDate.parse(partial.iso))


@given(partial_dates(), partial_dates())
def test_same_dates_may_be_the_same(a: PartialDate, b: PartialDate) -> None:
    assert same_date(a, b) == same_date(b, a)
    assert may_be_same_date(a, b) == may_be_same_date(b, a)
    assert not same_date(a, b) or may_be_same_date(a, b)


@given(partial_dates(), st.integers(0, 40_000), st.integers(0, 40_000))
def test_age_never_shrinks_and_is_certain(birth: PartialDate, first: int, later: int) -> None:
    day = birth.earliest() + timedelta(days=first)
    assume(day.year + (later // 365) < 9000)
    age = age_on(birth, day)
    assert 0 <= age <= age_on(birth, day + timedelta(days=later))
    whole = PartialDate.of(birth.earliest())
    assert age <= age_on(whole, day)
    if birth.complete:
        assert age == age_on(whole, day)


@given(st.text(alphabet="0123456789 a-", max_size=16))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    number, reason = _try(parse_number, text)
    assert not any(c.isdigit() for c in reason)
    if number is not None:
        assert len(number.digits) == 12
        assert number.digits[4:9] not in repr(number)


@given(
    st.sampled_from(sorted(units().number_prefixes)),
    st.sampled_from(["male", "female"]),
    st.integers(1900, 2199),
    st.integers(0, 999_999),
)
def test_a_number_tells_year_and_sex(prefix: str, sex: str, year: int, rest: int) -> None:
    digit = century_and_sex_digit(year, "male" if sex == "male" else "female")
    number = Number(f"{prefix}{digit}{year % 100:02d}{rest:06d}")
    assert (number.prefix, number.sex, number.birth_year) == (prefix, sex, year)
    assert check_against(number, PartialDate(year), sex) == []
    assert len(check_against(number, PartialDate(year - 1), sex)) == 1


@pytest.mark.parametrize(
    ("name", "key"),
    [("Þóra", "thornora"), ("Ǆemal", "dzemal"), ("Ĳsbrand", "ijsbrand"), ("Ŋaio", "naio"), ("Ɓello", "bello"),
     ("Gröſs", "gross"), ("A\u034fn", "an")],
)  # fmt: skip
def test_letters_that_are_none_of_ours_have_a_search_key_too(name: str, key: str) -> None:
    assert fold(name) == key
