"""Does a sign-in satisfy what is asked? Pure rules: no framework, no database, no clock.

Two axes (Decree 69/2024): the level of the account (ial 1 or 2, how the person was proofed) and the level of
the authentication (aal: 1 = one factor, 2 = two different factors, article 20). `amr` values are those of
RFC 8176: `pwd`, `otp`, `mfa`.
"""

from enum import Enum

from core.interaction import SignInAsk

AMR_PASSWORD = ("pwd",)
AMR_PASSWORD_AND_CODE = ("pwd", "otp", "mfa")


class Step(Enum):
    """What the person has to do next, or what stands in the way."""

    DONE = "done"
    PASSWORD = "password"  # noqa: S105  a step's name
    CODE = "code"
    LOCKED = "locked"
    LEVEL_TOO_LOW = "ial"
    NO_SECOND_FACTOR = "aal"


def fresh_enough(ask: SignInAsk, auth_time: int, now: int) -> bool:
    """Whether an authentication that took place before this request is young enough for it.

    OpenID Connect Core 3.1.2.1: `prompt=login` and `max_age=0` want a new one, whatever is there.
    """
    if ask.force:
        return False
    if ask.max_age_seconds is None:
        return True
    return 0 <= now - auth_time <= ask.max_age_seconds and ask.max_age_seconds > 0


def step_with_session(ask: SignInAsk, *, aal: int, ial: int, auth_time: int, has_second_factor: bool, now: int) -> Step:
    """What an existing session still lacks. Times are epoch seconds.

    Age is asked first: a person who has to sign in anew may do so as somebody else.
    """
    if not fresh_enough(ask, auth_time, now):
        return Step.PASSWORD
    return _levels(ask, aal=aal, ial=ial, has_second_factor=has_second_factor)


def step_after_password(ask: SignInAsk, *, ial: int, has_second_factor: bool, locked: bool) -> Step:
    """What comes after the right password.

    A lock is told only after all factors that the account has: one stolen factor learns nothing of it.
    """
    if locked:
        return Step.CODE if has_second_factor else Step.LOCKED
    return _levels(ask, aal=1, ial=ial, has_second_factor=has_second_factor)


def _levels(ask: SignInAsk, *, aal: int, ial: int, has_second_factor: bool) -> Step:
    if ial < ask.min_ial:
        return Step.LEVEL_TOO_LOW
    wanted = max(ask.min_aal, ask.wish_aal)
    if aal >= wanted:
        return Step.DONE
    if wanted == 2 and has_second_factor:
        return Step.CODE
    return Step.DONE if aal >= ask.min_aal else Step.NO_SECOND_FACTOR
