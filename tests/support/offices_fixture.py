"""Citizens, and a ward's two units with Minh and Nga appointed, for tests of sessions; import `made` and `world`."""

import pytest

from tests.support.identity_world import IdentityWorld, make_desk


@pytest.fixture(scope="module")
async def made(plain_people: IdentityWorld) -> IdentityWorld:
    for key in ("An", "Binh", "Minh", "Nga", "Quy"):
        await plain_people.enrol(key)
    await plain_people.enrol("Chau", ial=1, totp=False)
    async with plain_people.database.page() as tx:
        await plain_people.identity.create_agency(tx, "H26.12", "UBND phường Cửa Nam", "Cửa Nam ward")
        await plain_people.identity.create_unit(tx, "H26.12", "one-stop", "Bộ phận Một cửa", "One-stop desk")
        await plain_people.identity.create_unit(tx, "H26.12", "civil-status", "Tư pháp - hộ tịch", "Civil status")
        await make_desk(plain_people, tx, "Minh", "H26.12", "one-stop", "Cán bộ tiếp nhận")
        await make_desk(plain_people, tx, "Nga", "H26.12", "one-stop", "Cán bộ tiếp nhận")
        await make_desk(plain_people, tx, "Nga", "H26.12", "civil-status", "Công chức hộ tịch")
    return plain_people


@pytest.fixture
async def world(made: IdentityWorld) -> IdentityWorld:
    await made.reset()
    return made
