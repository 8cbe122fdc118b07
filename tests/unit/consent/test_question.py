"""The question: who is asked what, and what is left out of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from consent.answering import Ticks, outcome
from consent.question import PurposeAsk, Question, allowed_fields, build_question, merged
from core.errors import NotAllowed
from tests.support.consent_cases import (
    AGENCY,
    FIELDS,
    HEALTH,
    NOW,
    SCHOOL,
    a_consent,
    a_policy,
    a_purpose,
    an_ask,
    known,
)


def _question(*asks: PurposeAsk, **facts: object) -> Question | None:
    return build_question(an_ask(*asks), AGENCY, known(**facts), NOW)


def test_a_first_question_names_all_of_the_policy() -> None:
    question = _question()
    assert question is not None
    asked = question.purposes[0]
    assert set(asked.mandatory_fields) == {"full_name", "birth_date"}
    assert set(asked.voluntary_fields) == {"permanent_residence", "religion"}
    assert (asked.major, asked.minor, asked.keep_days, asked.consent_days) == (1, 0, 90, 365)
    assert asked.text_hash == a_purpose().text_hash.hex()
    assert not question.agreed_before


def test_fields_come_in_the_order_of_the_catalogue() -> None:
    asked = PurposeAsk(SCHOOL, ("religion", "permanent_residence", "birth_date", "full_name"))
    assert allowed_fields(asked, a_policy()) == ("full_name", "birth_date", "permanent_residence", "religion")


def test_nothing_is_asked_when_all_is_covered() -> None:
    assert build_question(an_ask(), AGENCY, known(a_consent(FIELDS)), NOW) is None


def test_only_the_difference_is_asked() -> None:
    question = build_question(an_ask(), AGENCY, known(a_consent({"full_name", "birth_date"})), NOW)
    assert question is not None
    asked = question.purposes[0]
    assert asked.mandatory_fields == ()
    assert set(asked.voluntary_fields) == {"permanent_residence", "religion"}
    assert set(asked.already) == {"full_name", "birth_date"}
    assert question.agreed_before


def test_fields_beyond_the_policy_are_dropped() -> None:
    question = _question(PurposeAsk(SCHOOL, ("full_name", "blood_group", "no_such_field")))
    assert question is not None
    assert question.purposes[0].fields == ("full_name",)


def test_only_fields_beyond_the_policy_ask_nothing() -> None:
    assert _question(PurposeAsk(SCHOOL, ("blood_group",))) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"policies": {}},
        {"purposes": {}},
        {"policies": {SCHOOL: a_policy(legal_bases=frozenset({"statutory-duty"}))}},
    ],
    ids=["no-policy", "no-purpose", "consent-is-no-ground"],
)
def test_a_purpose_outside_the_policy_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(NotAllowed) as refused:
        _question(**facts)
    assert refused.value.code == "purpose-not-allowed"


def test_one_purpose_of_several_outside_the_policy_refuses_all() -> None:
    with pytest.raises(NotAllowed):
        _question(PurposeAsk(SCHOOL), PurposeAsk(HEALTH))


def test_the_client_can_ask_for_less_but_not_make_more_mandatory() -> None:
    question = _question(PurposeAsk(SCHOOL, essential=frozenset({"full_name", "religion"})))
    assert question is not None
    assert question.purposes[0].mandatory_fields == ("full_name",)
    assert set(question.purposes[0].voluntary_fields) == {"birth_date", "permanent_residence", "religion"}


def test_a_new_major_asks_for_everything_again() -> None:
    facts = known(
        a_consent(FIELDS),
        purposes={SCHOOL: a_purpose(major=2)},
        policies={SCHOOL: a_policy(purpose_major=2)},
    )
    question = build_question(an_ask(), AGENCY, facts, NOW)
    assert question is not None
    assert set(question.purposes[0].fields) == FIELDS
    assert question.purposes[0].already == ()


def test_a_new_minor_does_not_ask_again() -> None:
    facts = known(a_consent(FIELDS), purposes={SCHOOL: a_purpose(minor=1, title="Other words")})
    assert build_question(an_ask(), AGENCY, facts, NOW) is None


@pytest.mark.parametrize(
    "changes", [{"expires_at": NOW}, {"withdrawn_at": NOW - timedelta(days=1), "withdrawn_by": "subject"}]
)
def test_an_ended_consent_asks_again(changes: dict[str, object]) -> None:
    question = build_question(an_ask(), AGENCY, known(a_consent(FIELDS, **changes)), NOW)
    assert question is not None
    assert set(question.purposes[0].fields) == FIELDS


def test_again_asks_although_all_is_covered() -> None:
    question = build_question(an_ask(again=True), AGENCY, known(a_consent(FIELDS)), NOW)
    assert question is not None
    assert set(question.purposes[0].fields) == FIELDS


def test_no_data_is_a_question_only_when_asked_anew() -> None:
    assert build_question(replace(an_ask(), asks=()), AGENCY, known(), NOW) is None
    question = build_question(replace(an_ask(again=True), asks=()), AGENCY, known(), NOW)
    assert question is not None
    assert question.purposes == ()
    assert Question.from_json(question.to_json()) == question
    assert (question.min_aal, question.min_ial) == (1, 1)
    assert outcome(question, Ticks("allow")).decision == "allow"
    assert outcome(question, Ticks("refuse")).decision == "refuse"


def test_a_declined_field_is_left_out_while_a_consent_lives() -> None:
    consent = a_consent({"full_name", "birth_date", "permanent_residence"})
    facts = known(consent, declined={SCHOOL: frozenset({"religion"})})
    assert build_question(an_ask(), AGENCY, facts, NOW) is None


def test_all_of_a_policy_s_fields_and_one_that_has_to_be_named() -> None:
    """What people say of themselves comes by name only, also beside an ask for everything."""
    everything, by_name = PurposeAsk(SCHOOL), PurposeAsk(SCHOOL, ("full_name", "self_declared"))
    policy = a_policy(fields=FIELDS | {"self_declared"})
    assert "self_declared" not in allowed_fields(everything, policy)
    for asks in ([everything, by_name], [by_name, everything], [by_name, everything, everything]):
        (one,) = merged(asks)
        assert set(allowed_fields(one, policy)) == FIELDS | {"self_declared"}
    (one,) = merged([everything, PurposeAsk(SCHOOL, ("blood_group",))])
    assert set(allowed_fields(one, policy)) == FIELDS


def test_a_purpose_asked_twice_is_one_question() -> None:
    asks = [PurposeAsk(SCHOOL, ("full_name",)), PurposeAsk(SCHOOL, ("religion",), mandatory=True)]
    assert merged(asks) == [PurposeAsk(SCHOOL, ("full_name", "religion"), mandatory=True)]
    assert merged([*asks, PurposeAsk(SCHOOL)])[0].fields == ()


def test_the_question_survives_json() -> None:
    question = _question()
    assert question is not None
    there = json.loads(json.dumps(question.to_json()))
    assert Question.from_json(there) == question
    assert Question.from_json(there).digest() == question.digest()


def test_another_question_has_another_digest() -> None:
    one, other = _question(), _question(PurposeAsk(SCHOOL, ("full_name",)))
    assert one is not None
    assert other is not None
    assert one.digest() != other.digest()
