"""An official at her desk looks at her own child and husband after she got another number (security.md: officials)."""

from datetime import timedelta

from core.database import Database
from identity.api import Identity
from population_db.api import Number, Registry
from population_db.synthetic.personas import persona
from privacy.journal.api import ActorRef
from service.sandbox_world import DESK
from tests.support.furnished import Furnished


def fresh_number(old: str) -> Number:
    """The same province, century, sex and year; another serial."""
    return Number(old[:6] + f"{(int(old[6:]) + 7919) % 1_000_000:06d}")


async def test_family_is_found_through_a_changed_number(furnished: Furnished) -> None:
    """Khoi and Binh name An by a number she no longer has. The rule by itself: tests/unit/consent/test_kinship.py."""
    world = furnished
    registry, identity = world.web.get(Registry), world.web.get(Identity)
    new = fresh_number(persona("An").number)
    async with world.web.get(Database).page() as tx:
        mother = await registry.find_by_number(tx, persona("An").number)
        child = await registry.find_by_number(tx, persona("Khoi").number)
        assert mother is not None
        assert child is not None
        await registry.change_number(tx, mother.person_id, new, reason="birth-data-wrong", source="civil-status")
        holders = await registry.holders_of(tx, [persona("An").number, new.digits, "001190999999"])
        assert holders == {persona("An").number: mother.person_id, new.digits: mother.person_id}
        today = identity.appointed.today()
        by = ActorRef("operator", "tests")
        await identity.appoint(
            tx, mother.person_id, DESK, "H26.01.01", "Cán bộ", {"*"}, {"check.match", "check.fields"}, today, by=by
        )
    async with world.browser() as browser:
        await browser.open("/official")
        await browser.submit("signin-form", number=new.digits, password=world.persona("An").password)
        page = await browser.submit("code-form", code=browser.one_time_code(world.persona("An")))
        world.clock.advance(timedelta(seconds=90))
        assert page.path == "/official"
        for key in ("Khoi", "Binh"):
            await browser.open("/official/check")
            page = await browser.submit(
                "check-form",
                service="desk-check|1.004194",
                dossier="H26.01-1",
                number=persona(key).number,
                full_name=persona(key).full_name,
            )
            assert 'data-code="own-family"' in page.text, (key, page.text[-3000:])
