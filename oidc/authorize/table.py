"""The whole protocol of an authorization request, as one table: rows are checks, in order; columns endpoints.

Each check is one function that establishes something on the `Asking` or raises an OAuthError. Until
`check_redirect_uri` has passed, an error is a page at the provider; from then on it goes to the client.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from oidc.authorize.asking import Asking
from oidc.authorize.checks import client, details, hints, kept, levels, proof, redirect, request_object, response, scope

Check = Callable[[Asking], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A check and the endpoints that run it."""

    check: Check
    authorize: bool
    par: bool


YES, NO = True, False

TABLE: tuple[Row, ...] = (
    #   check                                           /authorize  /par
    Row(client.check_client, YES, NO),
    Row(client.check_authenticated_client, NO, YES),
    Row(request_object.refuse_nested_request_uri, NO, YES),
    Row(request_object.refuse_two_requests, YES, NO),
    Row(request_object.load_pushed_request, YES, NO),
    Row(request_object.load_request_object, YES, YES),
    Row(kept.check_state, YES, YES),
    Row(redirect.check_redirect_uri, YES, YES),
    Row(redirect.check_response_mode, YES, YES),
    Row(request_object.refuse_foreign_request_uri, YES, NO),
    Row(request_object.refuse_registration, YES, YES),
    Row(request_object.require_signed_request, YES, YES),
    Row(request_object.require_pushed_request, YES, NO),
    Row(response.check_response_type, YES, YES),
    Row(response.check_grant_type, YES, YES),
    Row(proof.check_pkce, YES, YES),
    Row(proof.check_dpop_jkt, YES, YES),
    Row(scope.check_scope, YES, YES),
    Row(details.check_authorization_details, YES, YES),
    Row(details.check_resource, YES, YES),
    Row(scope.check_claims, YES, YES),
    Row(response.check_nonce, YES, YES),
    Row(levels.check_prompt, YES, YES),
    Row(levels.check_max_age, YES, YES),
    Row(levels.check_acr, YES, YES),
    Row(hints.check_id_token_hint, YES, YES),
    Row(hints.check_asked_subject, YES, YES),
    Row(hints.check_ui_locales, YES, YES),
    Row(kept.check_lengths, YES, YES),
    Row(kept.drop_what_is_not_read, YES, YES),
)


_AT_AUTHORIZE = tuple(row.check for row in TABLE if row.authorize)
_AT_PAR = tuple(row.check for row in TABLE if row.par)


async def run(asking: Asking) -> None:
    """Runs the column of the endpoint. Raises OAuthError from the first check that does not hold."""
    for check in _AT_AUTHORIZE if asking.endpoint == "authorize" else _AT_PAR:
        waiting = check(asking)
        if waiting is not None:
            await waiting
