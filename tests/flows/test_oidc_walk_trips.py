"""How often a walk asks the database about consents: more often only when something is left to be asked."""

from typing import Any

import pytest

from consent.api import Consent, ConsentAsk, PurposeAsk, Standing
from core.errors import NotAllowed
from tests.support.counting_tx import CountingTx
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, STRICT, ProviderWorld

__all__ = ["world"]


async def stand(
    world: ProviderWorld, *asks: PurposeAsk, key: str = "An", answered: bool = False, again: bool = False
) -> tuple[Standing, int]:
    """How it stands, and the number of statements."""
    ask = ConsentAsk(await world.person(key), world.agency_id, "c", "c", asks, again=again)
    async with world.database.raw_read() as inner:
        tx: Any = CountingTx(inner)
        return await world.parts.get(Consent).standing(tx, ask, answered=answered), len(tx.ran)


async def test_what_is_agreed_to_costs_one_statement(world: ProviderWorld) -> None:
    await world.browser().walk(await world.register(), "An", scope=f"openid purpose:{SCHOOL}")
    standing, statements = await stand(world, PurposeAsk(SCHOOL))
    assert (standing.question, statements) == (None, 1)
    assert set(standing.granted[SCHOOL].fields) == {"full_name", "permanent_residence", "children"}
    standing, statements = await stand(world, PurposeAsk(SCHOOL, ("children",)), PurposeAsk(SCHOOL, ("full_name",)))
    assert (standing.question, statements) == (None, 1)
    assert set(standing.granted[SCHOOL].fields) == {"children", "full_name"}


async def test_what_is_open_is_asked_beside_what_is_agreed_to(world: ProviderWorld) -> None:
    await world.browser().walk(await world.register(), "An", scope=f"openid purpose:{SCHOOL}")
    standing, statements = await stand(world, PurposeAsk(SCHOOL), PurposeAsk(STRICT))
    assert standing.question is not None
    assert [one.code for one in standing.question.purposes] == [STRICT]
    assert set(standing.granted) == {SCHOOL}
    assert (standing.min_ial, standing.min_aal) == (1, 1)  # of what is granted, not of what is asked
    assert statements == 4
    again, _ = await stand(world, PurposeAsk(SCHOOL), again=True)
    assert again.question is not None


async def test_after_the_answer_nothing_more_is_asked(world: ProviderWorld) -> None:
    standing, statements = await stand(world, PurposeAsk(STRICT), key="Chau", answered=True)
    assert (standing.question, dict(standing.granted), statements) == (None, {}, 1)


async def test_a_purpose_without_a_policy_is_refused_also_beside_granted_ones(world: ProviderWorld) -> None:
    await world.browser().walk(await world.register(), "An", scope=f"openid purpose:{SCHOOL}")
    with pytest.raises(NotAllowed):
        await stand(world, PurposeAsk(SCHOOL), PurposeAsk("without-policy"))
