"""Forms and queries are read as the standard library reads them, but each name once, whatever is sent."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.web.forms import MAX_NAME, MAX_PARAMETERS, parse_pairs

SENT = st.one_of(
    st.text(alphabet="ab=&+%4125cC3A9;é\x80 ", max_size=40),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6).map(urlencode),
)


@given(SENT)
def test_as_the_standard_library_reads_it(sent: str) -> None:
    try:
        wanted = parse_qsl(
            sent, keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        wanted = None
    names = [] if wanted is None else [name for name, _ in wanted]
    fits = wanted is not None and len(set(names)) == len(names) and not any("\x00" in one for one in sum(wanted, ()))
    try:
        read = parse_pairs(sent)
    except Refusal:
        assert not fits
    else:
        assert read == {name: [value] for name, value in wanted or []}
        assert fits


def outcome(sent: str) -> dict[str, list[str]] | str:
    """What was read, or the code it was refused with."""
    try:
        return parse_pairs(sent)
    except Refusal as refusal:
        return refusal.code


@given(SENT, st.lists(st.integers(0, 40), max_size=5))
def test_an_empty_part_says_nothing(sent: str, places: list[int]) -> None:
    """Wherever it stands. RFC 6749 §3.1, §3.2: what is not recognised is no error."""
    parts = sent.split("&")
    for place in places:
        parts.insert(place, "")
    assert outcome("&".join(parts)) == outcome(sent)


@given(SENT)
def test_a_name_alone_has_an_empty_value(sent: str) -> None:
    """So whoever reads the one as the other reads the same, a repeated name included."""
    parts = [part if "=" in part or not part else f"{part}=" for part in sent.split("&")]
    assert outcome("&".join(parts)) == outcome(sent)


@given(SENT.map(lambda sent: sent.replace("&", "")), st.integers(0, MAX_PARAMETERS - 1))
def test_empty_parts_count_as_parameters_do(sent: str, empty: int) -> None:
    assert outcome(sent + "&" * empty) == outcome("&" * empty + sent) == outcome(sent)
    beyond = "&" * (MAX_PARAMETERS - empty)
    assert outcome(beyond + sent + "&" * empty) == "malformed-parameters"


@pytest.mark.parametrize("sent", ["a&a", "a&a=1", "a=1&a", "a=&a", "a=1&&a", "%61&a", "=1&=2", "=&="])
def test_a_name_alone_is_a_repetition_too(sent: str) -> None:
    assert outcome(sent) == "repeated-parameter"


@pytest.mark.parametrize("sent", ["%00", "a&%FF", "a&b%00", "%C3"])
def test_a_name_alone_is_decoded_as_strictly(sent: str) -> None:
    assert outcome(sent) == "malformed-parameters"


def test_a_name_alone_is_no_longer_than_another() -> None:
    assert outcome("n" * MAX_NAME) == {"n" * MAX_NAME: [""]}
    assert outcome("n" * (MAX_NAME + 1)) == "parameter-too-long"
