"""RFC 7636: the verifier at the token endpoint (security case 13)."""

from typing import Any

import pytest

from tests.actors.relying_party import DROP
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]


@pytest.mark.parametrize(
    "verifier",
    [DROP, "w" * 43, "w" * 42, "w" * 129, "w" * 42 + "!", "w" * 43 + "\n"],
)
@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
async def test_a_verifier_that_does_not_fit_spends_the_code(world: ProviderWorld, method: str, verifier: Any) -> None:
    """Whatever is wrong with it, so that nobody tries a second one (RFC 7636 §4.6 gives the error)."""
    portal = await world.register(method=method)
    attempt, got = await world.browser().walk(portal)
    answer = await portal.exchange(attempt, got["code"], code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    again = await portal.exchange(attempt, got["code"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_the_challenge_itself_is_no_verifier(world: ProviderWorld) -> None:
    """What `plain` would take."""
    portal = await world.register()
    attempt, got = await world.browser().walk(portal)
    answer = await portal.exchange(attempt, got["code"], code_verifier=attempt.params["code_challenge"])
    assert answer.json()["error"] == "invalid_grant"
