"""Answers of the token endpoint and of what takes its tokens (RFC 6749 §5): tokens told, errors by their code."""

from typing import Any

import httpx

from tests.actors.relying_party import RelyingParty
from tests.support.provider_world import ProviderWorld


async def tokens_of(world: ProviderWorld, party: RelyingParty, **ask: Any) -> dict[str, Any]:
    """A whole sign-in of An by a browser of her own; what the token endpoint answered."""
    attempt, got = await world.browser().walk(party, **ask)
    answer = await party.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def error_of(answer: httpx.Response, status: int = 400) -> str:
    """§5.2: told in words as well, and kept nowhere."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["error_description"]
    return str(body["error"])
