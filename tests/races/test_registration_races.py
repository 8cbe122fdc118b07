"""Registration: what is single stays single, however many come at once."""

import asyncio
import uuid

from core.errors import Conflict
from oidc.api import Registration
from oidc.registration.who import Who
from privacy.journal.api import ActorRef
from tests.actors.registering_client import acts_of, new_token, post, registered, web_client
from tests.support.provider_fixture import world as world
from tests.support.provider_world import ProviderWorld

AT_ONCE = 8


async def test_a_token_for_one_client_makes_one(world: ProviderWorld) -> None:
    token, http = await new_token(world, uses=1), world.http()
    answers = await asyncio.gather(*(post(http, token, web_client()) for _ in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * (AT_ONCE - 1)
    left = await world.fetch("SELECT uses_left FROM oidc.initial_access_tokens WHERE uses_left = 0")
    assert len(left) == 1


async def test_a_token_for_three_makes_three(world: ProviderWorld) -> None:
    token, http = await new_token(world, uses=3), world.http()
    answers = await asyncio.gather(*(post(http, token, web_client()) for _ in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [401] * (AT_ONCE - 3)


async def test_a_host_goes_to_one_agency(world: ProviderWorld) -> None:
    """Agencies that register the same host in the same moment: one has it, whose pseudonyms it is for."""
    tokens = [await new_token(world, agency_id=uuid.uuid4()) for _ in range(AT_ONCE)]
    metadata, http = web_client(scope="openid"), world.http()
    answers = await asyncio.gather(*(post(http, token, metadata) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * (AT_ONCE - 1)
    agencies = await world.fetch(
        "SELECT DISTINCT agency_id FROM oidc.clients WHERE redirect_uris = $1", metadata["redirect_uris"]
    )
    assert len(agencies) == 1


async def test_one_registration_token_changes_once(world: ProviderWorld) -> None:
    made = await registered(world)
    token = made.token
    answers = await asyncio.gather(*(made.change(token=token, client_name=f"Cổng {n}") for n in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    assert (await made.read()).status_code == 200
    assert (await acts_of(world, made.told["client_id"])).count("oidc.client-changed") == 1


async def test_deleting_at_once(world: ProviderWorld) -> None:
    made = await registered(world)
    answers = await asyncio.gather(*(made.delete() for _ in range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [204] + [401] * (AT_ONCE - 1)


async def test_two_approvals_at_once(world: ProviderWorld) -> None:
    """Approved and refused by several people in the same moment: one decision holds."""
    made = await registered(world, web_client(dinhdanh_profile=None), profiles=("openid-core",))
    client_id, desk = made.told["client_id"], world.parts.get(Registration).desk
    async with world.database.raw_read() as tx:
        review = await desk.review_of(tx, client_id)
    assert review is not None

    async def decide(number: int) -> str:
        by = Who.of_ref(ActorRef("operator", f"reviewer-{number}"))
        try:
            async with world.database.page() as tx:
                if number % 2:
                    await desk.approve(tx, review.review_id, world.agency_id, by=by)
                else:
                    await desk.refuse(tx, review.review_id, world.agency_id, by=by, reason="")
        except Conflict as conflict:
            return conflict.code
        return "decided"

    outcomes = await asyncio.gather(*(decide(number) for number in range(4)))
    assert sorted(outcomes) == ["decided"] + ["review-decided"] * 3
    rows = await world.fetch("SELECT state FROM oidc.clients WHERE client_id = $1", client_id)
    decisions = await world.fetch("SELECT decision FROM oidc.client_reviews WHERE client_id = $1", client_id)
    assert (rows[0]["state"], decisions[0]["decision"]) in {("active", "approved"), ("deleted", "refused")}
    acts = await acts_of(world, client_id)
    assert len([act for act in acts if act in {"oidc.client-approved", "oidc.client-refused"}]) == 1
