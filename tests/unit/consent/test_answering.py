"""What the ticks mean: any subset, nothing by silence."""

import pytest

from consent.answering import Ticks, outcome
from consent.question import PurposeAsk, Question, build_question
from core.errors import BadInput
from tests.support.consent_cases import AGENCY, HEALTH, NOW, SCHOOL, a_consent, a_policy, a_purpose, an_ask, known


def _question(*, agreed_before: bool = False) -> Question:
    consents = [a_consent({"full_name", "birth_date"})] if agreed_before else []
    facts = known(
        purposes={SCHOOL: a_purpose(), HEALTH: a_purpose(HEALTH)},
        policies={
            SCHOOL: a_policy(),
            HEALTH: a_policy(HEALTH, fields=frozenset({"phone"}), mandatory_fields=frozenset()),
        },
        consents={SCHOOL: consents},
    )
    question = build_question(an_ask(PurposeAsk(SCHOOL), PurposeAsk(HEALTH)), AGENCY, facts, NOW)
    assert question is not None
    return question


def _allow(*purposes: str, fields: tuple[str, ...] = ()) -> Ticks:
    pairs = frozenset((pair.split("/")[0], pair.split("/")[1]) for pair in fields)
    return Ticks("allow", frozenset(purposes), pairs)


def test_a_purpose_brings_its_mandatory_fields_only() -> None:
    decided = outcome(_question(), _allow(SCHOOL))
    assert [(one.purpose.code, one.fields) for one in decided.agreed] == [(SCHOOL, ("full_name", "birth_date"))]
    assert decided.decision == "allow"
    assert decided.refused == (HEALTH,)


def test_each_voluntary_field_needs_its_own_tick() -> None:
    decided = outcome(_question(), _allow(SCHOOL, fields=(f"{SCHOOL}/religion",)))
    assert set(decided.agreed[0].fields) == {"full_name", "birth_date", "religion"}
    assert [(one.code, left) for one, left in decided.declined] == [(SCHOOL, ("permanent_residence",))]


def test_a_purpose_of_voluntary_fields_without_any_is_refused() -> None:
    decided = outcome(_question(), _allow(HEALTH))
    assert (decided.decision, decided.agreed, set(decided.refused)) == ("refuse", (), {SCHOOL, HEALTH})
    assert decided.declined == ()


def test_nothing_ticked_is_a_refusal() -> None:
    assert outcome(_question(), _allow()).decision == "refuse"


def test_nothing_ticked_goes_on_with_what_was_agreed_before() -> None:
    decided = outcome(_question(agreed_before=True), _allow())
    assert (decided.decision, decided.agreed) == ("allow", ())
    assert [one.code for one, _ in decided.declined] == [SCHOOL]


def test_refuse_refuses_whatever_is_ticked() -> None:
    decided = outcome(_question(agreed_before=True), Ticks("refuse", frozenset({SCHOOL})))
    assert (decided.decision, decided.agreed, decided.refused) == ("refuse", (), (SCHOOL, HEALTH))


@pytest.mark.parametrize(
    ("ticks", "code"),
    [
        (_allow(SCHOOL, fields=(f"{HEALTH}/phone",)), "purpose-unticked"),
        (_allow("other-purpose"), "not-asked"),
        (_allow(SCHOOL, fields=(f"{SCHOOL}/blood_group",)), "not-asked"),
        (_allow(SCHOOL, fields=(f"{SCHOOL}/full_name",)), "not-asked"),
        (Ticks("", frozenset({SCHOOL})), "no-decision"),
        (Ticks("ALLOW", frozenset({SCHOOL})), "no-decision"),
    ],
    ids=["field-without-purpose", "foreign-purpose", "beyond-policy", "mandatory-has-no-tick", "none", "case"],
)
def test_unclear_or_foreign_ticks_are_not_an_answer(ticks: Ticks, code: str) -> None:
    with pytest.raises(BadInput) as fault:
        outcome(_question(), ticks)
    assert fault.value.code == code
