"""Coverage for all consents: by subset, never by equality; nothing that ended ever covers."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from consent.coverage import GivenConsent, cover, is_live, to_ask
from consent.question import PurposeAsk, allowed_fields
from population_db.api import FIELDS
from tests.support.consent_cases import NOW, a_consent, a_policy

SOME_FIELDS = st.frozensets(st.sampled_from(sorted(FIELDS)), max_size=8)
OFFSETS = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))


@st.composite
def consents(draw: st.DrawFn) -> GivenConsent:
    return a_consent(
        draw(SOME_FIELDS.filter(bool)),
        purpose_major=draw(st.integers(1, 2)),
        keep_days=draw(st.sampled_from([0, 30, 90])),
        expires_at=draw(OFFSETS),
        withdrawn_at=draw(st.none() | OFFSETS),
    )


CONSENTS = st.lists(consents(), max_size=6)
TERMS = st.fixed_dictionaries({"major": st.integers(1, 2), "keep_days": st.sampled_from([0, 30, 90])})


@given(SOME_FIELDS, CONSENTS, TERMS)
def test_covered_and_missing_divide_what_is_asked(
    asked: frozenset[str], held: list[GivenConsent], terms: dict[str, int]
) -> None:
    state = cover(asked, held, **terms, now=NOW)
    assert state.covered | state.missing == asked
    assert not state.covered & state.missing


@given(SOME_FIELDS, SOME_FIELDS, CONSENTS, TERMS)
def test_asking_for_less_never_asks_again(
    asked: frozenset[str], other: frozenset[str], held: list[GivenConsent], terms: dict[str, int]
) -> None:
    whole, part = cover(asked, held, **terms, now=NOW), cover(asked & other, held, **terms, now=NOW)
    assert part.missing <= whole.missing


@given(SOME_FIELDS, SOME_FIELDS, CONSENTS, TERMS, SOME_FIELDS, SOME_FIELDS)
def test_asking_for_less_never_opens_a_question(
    asked: frozenset[str],
    other: frozenset[str],
    held: list[GivenConsent],
    terms: dict[str, int],
    mandatory: frozenset[str],
    declined: frozenset[str],
) -> None:
    whole, part = cover(asked, held, **terms, now=NOW), cover(asked & other, held, **terms, now=NOW)
    put = to_ask(whole, mandatory=mandatory, declined=declined)
    assert to_ask(part, mandatory=mandatory, declined=declined) <= put


@given(SOME_FIELDS, CONSENTS, st.integers(1, 2))
def test_keeping_for_shorter_never_asks_again(asked: frozenset[str], held: list[GivenConsent], major: int) -> None:
    longer = cover(asked, held, major=major, keep_days=90, now=NOW)
    shorter = cover(asked, held, major=major, keep_days=30, now=NOW)
    assert shorter.missing <= longer.missing


@given(SOME_FIELDS, CONSENTS, TERMS, consents())
def test_one_more_consent_never_covers_less(
    asked: frozenset[str], held: list[GivenConsent], terms: dict[str, int], more: GivenConsent
) -> None:
    before, after = cover(asked, held, **terms, now=NOW), cover(asked, [*held, more], **terms, now=NOW)
    assert before.covered <= after.covered


@given(SOME_FIELDS, CONSENTS, TERMS)
def test_what_covers_is_live_and_says_so(
    asked: frozenset[str], held: list[GivenConsent], terms: dict[str, int]
) -> None:
    state = cover(asked, held, **terms, now=NOW)
    named = [one for one in held if one.consent_id in state.consent_ids]
    assert all(is_live(one, NOW) for one in named)
    assert state.covered == asked & frozenset[str]().union(*(one.fields for one in named))


@given(SOME_FIELDS, CONSENTS, TERMS, SOME_FIELDS, SOME_FIELDS)
def test_the_question_holds_the_difference_only(
    asked: frozenset[str],
    held: list[GivenConsent],
    terms: dict[str, int],
    mandatory: frozenset[str],
    declined: frozenset[str],
) -> None:
    state = cover(asked, held, **terms, now=NOW)
    put = to_ask(state, mandatory=mandatory, declined=declined)
    assert put <= state.missing
    assert state.missing & mandatory <= put


@given(st.lists(st.text(max_size=8) | st.sampled_from(sorted(FIELDS)), max_size=8), SOME_FIELDS)
def test_no_field_beyond_the_policy_is_ever_asked(asked: list[str], held: frozenset[str]) -> None:
    policy = a_policy(fields=held, mandatory_fields=frozenset())
    assert set(allowed_fields(PurposeAsk("school-enrolment", tuple(asked)), policy)) <= held
