"""Forms and queries are read as the standard library reads them strictly, whatever is sent."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.web.forms import MAX_PARAMETERS, parse_pairs

SENT = st.one_of(
    st.text(alphabet="ab=&+%4125cC3A9;é\x80 ", max_size=40),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6).map(urlencode),
)


@given(SENT)
def test_as_the_standard_library_reads_it(sent: str) -> None:
    try:
        wanted = parse_qsl(
            sent, keep_blank_values=True, strict_parsing=bool(sent), errors="strict", max_num_fields=MAX_PARAMETERS
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
