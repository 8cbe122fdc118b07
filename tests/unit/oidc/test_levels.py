"""`acr` on two axes, and whether a sign-in holds for a request (security cases 53, 54)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.interaction import SignedIn
from oidc.acr import ACR_VALUES, LOWEST, AcrAsk, Level, known_levels
from oidc.authorize.sign_in import sign_in_ask, sign_in_fault

IAL2_AAL2 = Level(2, 2)


def test_the_axes_are_not_compared_with_each_other() -> None:
    assert not Level(2, 1).satisfies(Level(1, 2))
    assert not Level(1, 2).satisfies(Level(2, 1))
    assert IAL2_AAL2.satisfies(Level(2, 1))
    assert IAL2_AAL2.satisfies(Level(1, 2))


def test_unknown_values_are_left_out() -> None:
    assert known_levels(["phr", *ACR_VALUES, "urn:dinhdanh:loa:ial9:aal9"]) == known_levels(ACR_VALUES)


def test_an_essential_ask_is_answered_by_an_asked_value_never_by_more_than_was_reached() -> None:
    ask = AcrAsk((Level(1, 1), Level(1, 2)), essential=True)
    assert ask.answer(IAL2_AAL2) == "urn:dinhdanh:loa:ial1:aal2"
    assert ask.answer(Level(1, 1)) == "urn:dinhdanh:loa:ial1:aal1"
    assert AcrAsk((Level(1, 1),)).answer(IAL2_AAL2) == IAL2_AAL2.acr
    assert AcrAsk().answer(Level(1, 1)) == Level(1, 1).acr


def test_the_sign_in_is_asked_for_the_easiest_of_the_asked_levels() -> None:
    assert AcrAsk((IAL2_AAL2, Level(1, 2))).minimum == Level(1, 2)
    assert AcrAsk().minimum == Level(1, 1)


class _Named:
    def name(self, locale: str | None) -> str:
        return f"Portal ({locale})"


class _Request:
    """The parts of an `Asking` that the rule looks at."""

    def __init__(self, **values: Any) -> None:
        self.acr = values.get("acr", AcrAsk())
        self.locale = "vi"
        self.client = _Named()
        self.forces_sign_in = values.get("forces", False)
        self.max_age_seconds = values.get("max_age")
        self.hint_subject = values.get("hint")
        self.silent = values.get("silent", False)


NOW = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp())
WHO = SignedIn("a", "p", "s", auth_time=NOW - 100, aal=1, ial=2, amr=("pwd",))


def fault(ask: _Request, who: SignedIn = WHO, *, fresh: bool = False) -> str | None:
    found = sign_in_fault(ask, who, begun_at=NOW, fresh=fresh, subject_of=lambda _: "sub")  # type: ignore[arg-type]
    return None if found is None else found.error


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (_Request(), None),
        (_Request(max_age=100), None),
        (_Request(max_age=99), "login_required"),
        (_Request(forces=True), "login_required"),
        (_Request(hint="sub"), None),
        (_Request(hint="other"), "login_required"),
        (_Request(acr=AcrAsk((Level(2, 1),))), None),
        (_Request(acr=AcrAsk((IAL2_AAL2,))), "login_required"),  # a wish: it may step up
        (_Request(acr=AcrAsk((IAL2_AAL2,)), silent=True), None),
        (_Request(acr=AcrAsk((Level(1, 2), Level(2, 1)))), None),
        (_Request(acr=AcrAsk((IAL2_AAL2,), essential=True)), "login_required"),
        (_Request(acr=AcrAsk((IAL2_AAL2,), essential=True), silent=True), "login_required"),
    ],
)
def test_an_existing_session(ask: _Request, expected: str | None) -> None:
    assert fault(ask) == expected


def test_a_forced_sign_in_must_have_happened_on_this_walk_and_after_its_start() -> None:
    again = replace(WHO, auth_time=NOW)
    assert fault(_Request(forces=True), again, fresh=False) == "login_required"
    assert fault(_Request(forces=True), WHO, fresh=True) == "login_required"
    assert fault(_Request(forces=True), again, fresh=True) is None


def test_a_walk_that_ends_below_the_asked_level_says_so() -> None:
    ask = _Request(acr=AcrAsk((IAL2_AAL2,), essential=True))
    assert fault(ask, fresh=True) == "unmet_authentication_requirements"


def test_a_walk_that_ends_below_a_wished_level_ends_well() -> None:
    assert fault(_Request(acr=AcrAsk((IAL2_AAL2,))), fresh=True) is None


def test_a_wish_is_no_demand_on_the_sign_in() -> None:
    def asked(ask: AcrAsk, least: Level = LOWEST) -> tuple[int, int, int]:
        request = _Request(acr=ask)
        told = sign_in_ask(request, least=least, agency_name=None, somebody_else=False)  # type: ignore[arg-type]
        return told.min_ial, told.min_aal, told.wish_aal

    assert asked(AcrAsk((IAL2_AAL2,))) == (1, 1, 2)
    assert asked(AcrAsk((IAL2_AAL2,), essential=True)) == (2, 2, 2)
    assert asked(AcrAsk((Level(2, 1),)), least=Level(1, 2)) == (1, 2, 1)
