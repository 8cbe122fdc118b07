"""Does a sign-in satisfy what is asked?"""

import pytest

from core.interaction import SignInAsk
from identity.assurance import Step, fresh_enough, step_after_password, step_with_session

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("ask", "age", "fresh"),
    [
        (SignInAsk(), 40_000, True),
        (SignInAsk(max_age_seconds=60), 60, True),
        (SignInAsk(max_age_seconds=60), 61, False),
        (SignInAsk(max_age_seconds=0), 0, False),
        (SignInAsk(max_age_seconds=60), -5, False),  # a sign-in of the future proves nothing
        (SignInAsk(force=True), 0, False),
        (SignInAsk(force=True, max_age_seconds=60), 0, False),
    ],
)
def test_freshness(ask: SignInAsk, age: int, fresh: bool) -> None:
    assert fresh_enough(ask, NOW - age, NOW) is fresh


@pytest.mark.parametrize(
    ("min_aal", "min_ial", "aal", "ial", "second_factor", "step"),
    [
        (1, 1, 1, 1, False, Step.DONE),
        (1, 1, 2, 2, True, Step.DONE),
        (2, 1, 2, 1, True, Step.DONE),
        (2, 1, 1, 1, True, Step.CODE),
        (2, 1, 1, 1, False, Step.NO_SECOND_FACTOR),
        (1, 2, 2, 1, True, Step.LEVEL_TOO_LOW),
        (2, 2, 1, 1, True, Step.LEVEL_TOO_LOW),  # no code is asked that cannot help
        (3, 2, 2, 2, True, Step.NO_SECOND_FACTOR),  # no biometric factor here: refused, never a weaker level
    ],
)
def test_levels(min_aal: int, min_ial: int, aal: int, ial: int, second_factor: bool, step: Step) -> None:
    ask = SignInAsk(min_aal=min_aal, min_ial=min_ial)
    found = step_with_session(ask, aal=aal, ial=ial, auth_time=NOW, has_second_factor=second_factor, now=NOW)
    assert found is step


@pytest.mark.parametrize(
    ("min_aal", "aal", "second_factor", "step"),
    [
        (1, 1, True, Step.CODE),
        (1, 1, False, Step.DONE),  # a wish is no demand
        (1, 2, True, Step.DONE),
        (2, 1, False, Step.NO_SECOND_FACTOR),
        (3, 2, True, Step.NO_SECOND_FACTOR),
    ],
)
def test_a_wished_second_factor_is_asked_of_those_who_have_one(
    min_aal: int, aal: int, second_factor: bool, step: Step
) -> None:
    ask = SignInAsk(min_aal=min_aal, wish_aal=2)
    found = step_with_session(ask, aal=aal, ial=1, auth_time=NOW, has_second_factor=second_factor, now=NOW)
    assert found is step


def test_an_old_authentication_asks_the_password_whatever_else_is_missing() -> None:
    ask = SignInAsk(min_aal=2, min_ial=2, max_age_seconds=10)
    found = step_with_session(ask, aal=1, ial=1, auth_time=NOW - 11, has_second_factor=True, now=NOW)
    assert found is Step.PASSWORD


@pytest.mark.parametrize(
    ("second_factor", "locked", "min_aal", "step"),
    [
        (True, False, 1, Step.DONE),
        (True, False, 2, Step.CODE),
        (False, False, 2, Step.NO_SECOND_FACTOR),
        (True, True, 1, Step.CODE),  # the lock is told after both factors
        (False, True, 1, Step.LOCKED),
        (False, True, 2, Step.LOCKED),
    ],
)
def test_after_the_password(second_factor: bool, locked: bool, min_aal: int, step: Step) -> None:
    ask = SignInAsk(min_aal=min_aal)
    assert step_after_password(ask, ial=2, has_second_factor=second_factor, locked=locked) is step
