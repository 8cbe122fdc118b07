"""Whether a sign-in is good enough for a request, and what to ask of the sign-in page when not. Pure."""

from collections.abc import Callable

from core.interaction import SignedIn, SignInAsk
from oidc.acr import LOWEST, Level
from oidc.authorize.asking import Asking
from oidc.errors import OAuthError

SubjectOf = Callable[[SignedIn], str]


def sign_in_fault(
    asking: Asking, signed_in: SignedIn, *, begun_at: int, fresh: bool, subject_of: SubjectOf
) -> OAuthError | None:
    """What is wrong with a sign-in for this request, or None.

    begun_at: when the request came (epoch seconds): an authentication made after that is fresh, however
    long the person then reads. fresh: whether it was made on this request's own walk.
    """
    if not asking.acr.met_by(Level(signed_in.ial, signed_in.aal)):
        if asking.acr.essential:
            error = "unmet_authentication_requirements" if fresh else "login_required"
            return OAuthError(error, "The sign-in does not reach the level that was asked for.")
        if signed_in.aal < asking.acr.minimum.aal and not fresh and not asking.silent:
            # A wish: the sign-in page asks for the second factor of those who have one, and lets the others go on.
            return OAuthError("login_required", "The sign-in could reach a higher level.")
    if asking.forces_sign_in and not (fresh and signed_in.auth_time >= begun_at):
        return OAuthError("login_required", "The person has to sign in anew.")
    if asking.max_age_seconds is not None and signed_in.auth_time < begun_at - asking.max_age_seconds:
        return OAuthError("login_required", "The sign-in is older than max_age.")
    if asking.hint_subject is not None and subject_of(signed_in) != asking.hint_subject:
        return OAuthError("login_required", "Somebody else than the expected person is signed in.")
    return None


def sign_in_ask(asking: Asking, *, least: Level, agency_name: str | None, somebody_else: bool) -> SignInAsk:
    """What the sign-in page is asked for. least: what policies demand beside the request's own ask.
    somebody_else: another person than expected is signed in."""
    asked = asking.acr.minimum
    needed = asked if asking.acr.essential else LOWEST
    return SignInAsk(
        min_aal=max(needed.aal, least.aal),
        min_ial=max(needed.ial, least.ial),
        wish_aal=asked.aal,
        max_age_seconds=asking.max_age_seconds,
        force=asking.forces_sign_in or somebody_else,
        client_name=asking.client.name(asking.locale),
        agency_name=agency_name,
    )
