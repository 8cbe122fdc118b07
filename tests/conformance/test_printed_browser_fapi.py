"""The browser commands that we print for the five FAPI 2.0 plans come through every module that needs the browser.

Names as in the suite without their common head `fapi2-security-profile-final-`.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from core.jose import SigningKey, decode_unverified
from service.sandbox_suite import PLANS
from tests.actors.relying_party import DROP, Attempt, RelyingParty
from tests.conformance.called import certificate_of
from tests.conformance.certified import certified_template, furnished
from tests.conformance.printed import PLACEHOLDER, Walk, configuration
from tests.conformance.suite import Conformance
from tests.support.furnished import Furnished

__all__ = ["certified_template", "furnished"]

HEAD = "fapi2-security-profile-final-"
FAPI_PLANS = [name for name in PLANS if name.startswith("fapi2-")]
OTHER_ADDRESS = 1
"""The place of the address with a query among a client's; the suite's second client comes back to it."""


@dataclass
class Printed:
    """A plan's two clients, and a browser of its own for every module."""

    furnished: Furnished
    suite: Conformance
    plan: str

    def walk(self, module: str) -> Walk:
        return Walk.of(self.suite, self.plan, HEAD + module)

    def party(self, number: int = 1) -> RelyingParty:
        client = self.furnished.client(f"conformance-{PLANS[self.plan].clients}-{number}")
        return RelyingParty(
            http=self.suite.http,
            clock=self.furnished.clock,
            issuer=self.suite.issuer,
            client_id=client.client_id,
            method=client.auth_method,
            key=None if client.private_jwk is None else SigningKey.from_jwk(client.private_jwk),
            proof_key=SigningKey.generate("ES256") if client.dpop_bound else None,
            certificate=None if client.certificate is None else certificate_of(client),
            redirect_uri=client.redirect_uris[OTHER_ADDRESS if number == 2 else 0],
            signs=self.plan == "fapi2-message-signing",
        )

    async def pushed(self, party: RelyingParty, **changes: Any) -> Attempt:
        mode = {"response_mode": "jwt"} if party.signs else {}
        return await party.pushed(**mode, **changes)

    def url(self, attempt: Attempt, **beside: str) -> str:
        """The authorization request. beside: parameters outside what was pushed."""
        return self.suite.issuer + Attempt("", "", "", {**attempt.params, **beside}).url

    def opened(self, answer: Mapping[str, str]) -> Mapping[str, Any]:
        """What the suite reads in an answer, also in one by JARM."""
        if self.plan != "fapi2-message-signing" or "error" in answer:
            return answer
        return decode_unverified(answer["response"]).claims

    async def redeemed(self, party: RelyingParty, attempt: Attempt, answer: Mapping[str, str]) -> None:
        assert "error" not in (told := self.opened(answer)), told
        assert (await party.exchange(attempt, str(told["code"]))).status_code == 200


@pytest.fixture(params=FAPI_PLANS)
async def printed(furnished: Furnished, request: pytest.FixtureRequest) -> AsyncIterator[Printed]:
    async with furnished.browser() as browser:
        client = furnished.client(f"conformance-{PLANS[request.param].clients}-1")
        suite = Conformance(furnished, browser, client, furnished.persona("An"))
        yield Printed(furnished, suite, request.param)


async def test_happy_flow(printed: Printed) -> None:
    """Both clients, the second with an address of return that has a query."""
    walk = printed.walk("happy-flow")
    for number in (1, 2):
        party = printed.party(number)
        attempt = await printed.pushed(party, scope="openid offline_access")
        await printed.redeemed(party, attempt, await walk.answer(printed.url(attempt)))
    walk.ends_as_told(f"{HEAD}happy-flow")


async def test_user_rejects_authentication(printed: Printed) -> None:
    walk = printed.walk("user-rejects-authentication")
    for number in (1, 2):
        party = printed.party(number)
        answer = await walk.answer(printed.url(await printed.pushed(party, scope="openid")))
        assert printed.opened(answer)["error"] == "access_denied"
    walk.ends_as_told(f"{HEAD}user-rejects-authentication")


@pytest.mark.parametrize(
    ("module", "beside", "changes"),
    [
        ("ensure-different-nonce-inside-and-outside-request-object", {"nonce": "outside"}, {}),
        ("ensure-different-state-inside-and-outside-request-object", {"state": "outside"}, {}),
        ("state-only-outside-request-object-not-used", {"state": "outside"}, {"state": DROP}),
        ("ensure-authorization-request-with-long-nonce", {}, {"nonce": "n" * 384}),
        ("ensure-authorization-request-with-long-state", {}, {"state": "s" * 1000}),
    ],
)
async def test_an_error_page_may_be_shown(
    printed: Printed, module: str, beside: dict[str, str], changes: dict[str, Any]
) -> None:
    """Modules that have a placeholder for an error page, and end well without one: if the sign-in page took its place,
    the suite would end them before the code comes."""
    walk, party = printed.walk(module), printed.party()
    attempt = await printed.pushed(party, **changes)
    await printed.redeemed(party, attempt, await walk.answer(printed.url(attempt, **beside), PLACEHOLDER))
    walk.ends_as_told(HEAD + module)


async def test_ensure_unsigned_authorization_request_without_using_par_fails(printed: Printed) -> None:
    module = "ensure-unsigned-authorization-request-without-using-par-fails"
    walk, party = printed.walk(module), printed.party()
    mode = {"response_mode": "jwt"} if party.signs else {}
    party.signs = False
    answer = await walk.answer(printed.url(party.ask(**mode)), PLACEHOLDER)
    assert printed.opened(answer)["error"] == "invalid_request"
    walk.ends_as_told(HEAD + module)


async def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(printed: Printed) -> None:
    """The suite fails the module when anything comes back before the address was opened twice."""
    module = "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"
    walk, party = printed.walk(module), printed.party()
    attempt = await printed.pushed(party)
    first = await walk.open(printed.url(attempt))
    assert walk.runner.arrivals == [], "nobody may sign in at the first visit"
    assert 'id="signin-form"' in first.text
    await printed.redeemed(party, attempt, await walk.answer(printed.url(attempt), PLACEHOLDER))
    assert len(walk.runner.visited) == 2
    walk.ends_as_told(HEAD + module)


async def test_par_attempt_reuse_request_uri(printed: Printed) -> None:
    module = "par-attempt-reuse-request_uri"
    walk, party = printed.walk(module), printed.party()
    attempt = await printed.pushed(party)
    await printed.redeemed(party, attempt, await walk.answer(printed.url(attempt)))
    visit = await walk.open(printed.url(attempt), PLACEHOLDER)
    assert visit.status == 400
    assert len(walk.runner.arrivals) == 1
    assert 'id="error-message"' in walk.runner.kept[PLACEHOLDER]
    walk.ends_as_told(HEAD + module)


@pytest.mark.parametrize(
    "module", ["par-attempt-to-use-expired-request_uri", "par-attempt-to-use-request_uri-for-different-client"]
)
async def test_an_error_page_is_kept(printed: Printed, module: str) -> None:
    walk = printed.walk(module)
    attempt = await printed.pushed(printed.party())
    if module.endswith("different-client"):
        attempt.params["client_id"] = printed.party(2).client_id
    else:
        printed.furnished.clock.advance(timedelta(seconds=601))
    visit = await walk.open(printed.url(attempt), PLACEHOLDER)
    assert visit.status == 400
    assert walk.runner.arrivals == []
    assert 'id="error-message"' in walk.runner.kept[PLACEHOLDER]
    walk.ends_as_told(HEAD + module)


@pytest.mark.parametrize("plan", [name for name in PLANS if name.startswith("fapi-ciba")])
def test_ciba_opens_no_browser(furnished: Furnished, plan: str) -> None:
    """What the suite asks there a person answers at the pages of her own; printed is what all plans have."""
    assert configuration(furnished, plan)["browser"] == configuration(furnished, "oidcc-basic")["browser"]
