"""Coverage: what consents cover, and the five reasons to ask again."""

from datetime import timedelta

import pytest

from consent.coverage import cover, to_ask
from tests.support.consent_cases import NOW, a_consent

ASKED = frozenset({"full_name", "birth_date"})


def test_one_consent_covers_what_it_names() -> None:
    consent = a_consent({"full_name", "birth_date"})
    state = cover(ASKED, [consent], major=1, keep_days=90, now=NOW)
    assert (state.covered, state.missing) == (ASKED, frozenset())
    assert state.consent_ids == (consent.consent_id,)


def test_less_is_covered_and_more_is_missing() -> None:
    consent = a_consent({"full_name", "birth_date"})
    less = cover({"full_name"}, [consent], major=1, keep_days=90, now=NOW)
    more = cover(ASKED | {"religion"}, [consent], major=1, keep_days=90, now=NOW)
    assert less.missing == frozenset()
    assert more.missing == {"religion"}


def test_several_consents_cover_together() -> None:
    first, second, third = a_consent({"full_name"}), a_consent({"birth_date"}), a_consent({"religion"})
    state = cover(ASKED, [first, second, third], major=1, keep_days=90, now=NOW)
    assert state.missing == frozenset()
    assert set(state.consent_ids) == {first.consent_id, second.consent_id}


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn_at": NOW - timedelta(seconds=1)},
        {"withdrawn_at": NOW + timedelta(seconds=1)},  # the clock of another machine is ahead
        {"expires_at": NOW},
        {"purpose_major": 2},
        {"keep_days": 89},
    ],
    ids=["withdrawn", "withdrawn-ahead", "expired-to-the-instant", "another-major", "kept-for-longer-now"],
)
def test_what_does_not_count(changes: dict[str, object]) -> None:
    state = cover(ASKED, [a_consent(ASKED, **changes)], major=1, keep_days=90, now=NOW)
    assert state.covered == frozenset()
    assert state.consent_ids == ()


@pytest.mark.parametrize(
    "changes",
    [{"expires_at": NOW + timedelta(microseconds=1)}, {"keep_days": 91}, {"purpose_minor": 7}],
    ids=["last-instant", "kept-for-shorter-now", "another-minor"],
)
def test_what_counts_still(changes: dict[str, object]) -> None:
    state = cover(ASKED, [a_consent(ASKED, **changes)], major=1, keep_days=90, now=NOW)
    assert state.missing == frozenset()


def test_a_declined_field_is_not_offered_again_beside_a_living_consent() -> None:
    state = cover(ASKED | {"religion"}, [a_consent(ASKED)], major=1, keep_days=90, now=NOW)
    declined = frozenset({"religion"})
    assert to_ask(state, mandatory=frozenset(), declined=declined) == frozenset()
    assert to_ask(state, mandatory=declined, declined=declined) == {"religion"}
    assert to_ask(state, mandatory=frozenset(), declined=declined, again=True) == ASKED | {"religion"}


def test_a_fresh_question_offers_everything() -> None:
    state = cover(ASKED | {"religion"}, [], major=1, keep_days=90, now=NOW)
    assert to_ask(state, mandatory=frozenset(), declined=frozenset({"religion"})) == ASKED | {"religion"}
