"""The rule of disclosure: one success, and every way to spoil it."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from consent.decide import Asker, Subject, decide, refused_terms
from tests.unit.consent.cases import (
    AGENCY,
    CONSENT_ID,
    NOW,
    OTHER_AGENCY,
    OTHER_PERSON,
    PERSON,
    case,
    consented,
    desk,
    official_case,
    policy,
)


def test_a_consented_question_is_allowed_and_names_the_consent() -> None:
    decision = decide(case())
    assert decision.refusal is None
    assert decision.allowed == ("full_name", "birth_date")
    assert decision.consent_ids == {CONSENT_ID}


def test_an_officials_question_within_his_duty_is_allowed_and_rests_on_no_consent() -> None:
    decision = decide(official_case())
    assert decision.refusal is None
    assert decision.allowed == ("full_name", "birth_date")
    assert decision.consent_ids == frozenset()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy": None}, "purpose-not-allowed"),
        ({"policy": policy(agency_id=OTHER_AGENCY)}, "purpose-not-allowed"),
        ({"policy": policy(purpose="pension")}, "purpose-not-allowed"),
        ({"policy": policy(valid_from=NOW + timedelta(seconds=1))}, "purpose-not-allowed"),
        ({"policy": policy(valid_to=NOW)}, "purpose-not-allowed"),
        ({"legal_basis": "emergency"}, "legal-basis-not-allowed"),
        ({"legal_basis": ""}, "legal-basis-not-allowed"),
        ({"policy": policy(max_answer="match")}, "answer-not-allowed"),
        ({"policy": policy(max_answer="")}, "answer-not-allowed"),
        ({"procedure": None}, "procedure-missing"),
        ({"procedure": "9.999999"}, "procedure-not-allowed"),
        ({"dossier": None}, "dossier-missing"),
        ({"dossier": ""}, "dossier-missing"),
        ({"fields": ()}, "field-not-allowed"),
        ({"fields": ("full_name", "religion")}, "field-not-allowed"),
    ],
)
def test_terms_that_do_not_hold(changes: dict[str, Any], code: str) -> None:
    spoilt = case(**changes)
    assert decide(spoilt).refusal == code
    assert decide(spoilt).allowed == ()
    assert refused_terms(spoilt) == decide(spoilt)


def test_terms_never_depend_on_the_person() -> None:
    unknown = case(subject=None, consents=())
    assert refused_terms(unknown) is None
    assert refused_terms(case(subject=None, dossier=None)) == refused_terms(case(dossier=None))


def test_over_asking_names_the_fields_beyond_the_policy() -> None:
    decision = decide(case(fields=("full_name", "religion", "blood_group")))
    assert dict(decision.refused) == {"religion": "field-not-allowed", "blood_group": "field-not-allowed"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"consents": ()}, "consent-missing"),
        ({"consents": (consented(agency_id=OTHER_AGENCY),)}, "consent-missing"),
        ({"consents": (consented(person_id=OTHER_PERSON),)}, "consent-missing"),
        ({"consents": (consented(purpose="pension"),)}, "consent-missing"),
        ({"consents": (consented(purpose_major=0),)}, "consent-missing"),
        ({"consents": (consented(keep_days=89),)}, "consent-missing"),
        ({"consents": (consented(given_at=NOW + timedelta(seconds=1)),)}, "consent-missing"),
        ({"consents": (consented(fields=frozenset({"religion"})),)}, "consent-missing"),
        ({"consents": (consented(expires_at=NOW),)}, "consent-expired"),
        ({"consents": (consented(withdrawn_at=NOW),)}, "consent-withdrawn"),
        ({"consents": (consented(withdrawn_at=NOW + timedelta(hours=1)),)}, "consent-withdrawn"),
        ({"consent_ids": frozenset({uuid.UUID(int=0xD)})}, "consent-missing"),
        ({"subject": None}, "person-not-matched"),
        ({"subject": Subject(person_id=PERSON, alive=False)}, "person-not-matched"),
        ({"subject": Subject(person_id=OTHER_PERSON)}, "consent-missing"),
    ],
)
def test_consent_that_does_not_hold(changes: dict[str, Any], code: str) -> None:
    decision = decide(case(**changes))
    assert decision.refusal == code
    assert decision.allowed == ()
    assert decision.consent_ids == frozenset()


def test_fields_beyond_the_consent_stay_out_and_the_rest_goes() -> None:
    decision = decide(case(fields=("permanent_residence", "birth_date")))
    assert decision.allowed == ("birth_date",)
    assert dict(decision.refused) == {"permanent_residence": "consent-missing"}


def test_two_consents_add_up_and_both_are_named() -> None:
    second = consented(consent_id=uuid.UUID(int=0xD), fields=frozenset({"permanent_residence"}))
    decision = decide(case(fields=("full_name", "permanent_residence"), consents=(consented(), second)))
    assert decision.allowed == ("full_name", "permanent_residence")
    assert decision.consent_ids == {CONSENT_ID, uuid.UUID(int=0xD)}


def test_a_withdrawn_consent_beside_a_live_one_adds_nothing() -> None:
    gone = consented(consent_id=uuid.UUID(int=0xD), fields=frozenset({"permanent_residence"}), withdrawn_at=NOW)
    decision = decide(case(fields=("full_name", "permanent_residence"), consents=(gone, consented())))
    assert decision.allowed == ("full_name",)
    assert decision.consent_ids == {CONSENT_ID}


def test_a_portal_where_the_person_is_signed_in_names_no_dossier() -> None:
    portal = Asker(kind="portal", agency_id=AGENCY)
    assert decide(case(asker=portal, dossier=None, procedure=None)).refusal is None
    assert decide(case(asker=portal, procedure="9.999999")).refusal == "procedure-not-allowed"


def official(**changes: Any) -> dict[str, Any]:
    return {"asker": replace(official_case().asker, **changes)}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (official(aal=1), "level-too-low"),
        (official(ial=1), "level-too-low"),
        (official(desk=None), "appointment-not-valid"),
        (official(desk=desk(valid_from=date(2026, 11, 3))), "appointment-not-valid"),
        (official(desk=desk(valid_to=date(2026, 11, 1))), "appointment-not-valid"),
        (official(desk=desk(permissions=frozenset({"check.match"}))), "permission-missing"),
        (official(desk=desk(areas=frozenset())), "outside-area"),
        (official(desk=desk(areas=frozenset({"79", "00007"}))), "outside-area"),
        ({"dossier": None}, "dossier-missing"),
        ({"procedure": None}, "procedure-missing"),
        ({"subject": Subject(person_id=PERSON, places=())}, "outside-area"),
        ({"subject": Subject(person_id=PERSON, places=(("79", None),))}, "outside-area"),
        ({"subject": Subject(person_id=PERSON, is_asker=True, places=(("01", None),))}, "own-record"),
        (
            {"subject": Subject(person_id=PERSON, is_family_of_asker=True, places=(("01", None),))},
            "own-family",
        ),
    ],
)
def test_an_official_beyond_his_right(changes: dict[str, Any], code: str) -> None:
    decision = decide(official_case(**changes))
    assert decision.refusal == code
    assert decision.allowed == ()


@pytest.mark.parametrize("areas", [{"01"}, {"00004"}, {"79", "01"}, {"*"}])
def test_areas_that_cover_the_residence(areas: set[str]) -> None:
    assert decide(official_case(**official(desk=desk(areas=frozenset(areas))))).refusal is None


def test_the_last_day_of_an_appointment_counts_in_viet_nam() -> None:
    evening = NOW.replace(hour=16, minute=59)  # 23:59 of 2 November in Viet Nam
    assert decide(official_case(at=evening)).refusal is None
    assert decide(official_case(at=evening + timedelta(minutes=1))).refusal == "appointment-not-valid"


def test_a_match_needs_only_the_permission_to_match() -> None:
    only_match = official(desk=desk(permissions=frozenset({"check.match"})))
    assert decide(official_case(answer="match", **only_match)).refusal is None


def test_a_death_is_told_only_to_who_asks_for_it_in_duty() -> None:
    dead = Subject(person_id=PERSON, alive=False, places=(("01", None),))
    knows = policy(fields=frozenset({"full_name", "life_status"}))
    asked = ("full_name", "life_status")
    duty = {"legal_basis": "statutory-duty", "policy": knows, "subject": dead}
    assert decide(case(fields=asked, **duty)).refusal is None
    assert decide(case(fields=("full_name",), **duty)).refusal == "person-not-matched"
    lively = consented(fields=frozenset(asked))
    by_consent = case(fields=asked, policy=knows, subject=dead, consents=(lively,))
    assert decide(by_consent).refusal == "person-not-matched"
