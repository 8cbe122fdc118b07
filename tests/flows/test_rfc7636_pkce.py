"""RFC 7636: the verifier at the token endpoint (security case 13)."""

from typing import Any

import pytest

from tests.actors.relying_party import DROP
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (DROP, "invalid_request"),
        ("w" * 43, "invalid_grant"),
        ("w" * 42, "invalid_grant"),
        ("w" * 129, "invalid_grant"),
        ("w" * 42 + "!", "invalid_grant"),
        ("w" * 43 + "\n", "invalid_grant"),
    ],
)
@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
async def test_a_verifier_that_does_not_fit(world: ProviderWorld, method: str, verifier: Any, error: str) -> None:
    portal = await world.register(method=method)
    attempt, got = await world.browser().walk(portal)
    answer = await portal.exchange(attempt, got["code"], code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_the_challenge_itself_is_no_verifier(world: ProviderWorld) -> None:
    """What `plain` would take."""
    portal = await world.register()
    attempt, got = await world.browser().walk(portal)
    answer = await portal.exchange(attempt, got["code"], code_verifier=attempt.params["code_challenge"])
    assert answer.json()["error"] == "invalid_grant"
