"""What wrong codes come to, who is told of a lock, and who clears it (security.md 51, 55; ASVS 6.3.8)."""

from datetime import timedelta

import pytest

from tests.support.identity_world import IdentityWorld
from tests.support.refusals_fixture import lock, made, world

__all__ = ["made", "world"]


async def test_a_code_is_good_once(world: IdentityWorld) -> None:
    code = world.code("An")
    first, second = world.browser(), world.browser()
    for browser in (first, second):
        await browser.start(aal=2)
        await browser.enter_password("An")
        await browser.follow()
    await first.send("code-form", code=code)
    assert first.redirects_to("/start/resume")
    page = await second.send("code-form", code=code)
    assert page.status_code == 422
    world.clock.advance(timedelta(seconds=30))
    await second.send("code-form", code=world.code("An"))
    assert second.redirects_to("/start/resume")


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_differ_by_one_step(world: IdentityWorld, steps: int, good: bool) -> None:
    browser = world.browser()
    await browser.start(aal=2)
    await browser.enter_password("An")
    await browser.follow()
    await browser.enter_code("An", steps=steps)
    assert browser.redirects_to("/start/resume") is good


async def test_wrong_codes_wait_and_in_the_end_lock(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(aal=2)
    await browser.enter_password("An")
    await browser.follow()
    statuses = [(await browser.send("code-form", code="000000")).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    async with world.owner.raw() as tx:
        await tx.conn.execute("UPDATE identity.accounts SET code_tries = 99, code_next_try_at = enrolled_at")
    page = await browser.send("code-form", code="000000")
    assert page.status_code == 422
    assert await world.fetch("SELECT 1 FROM identity.accounts WHERE 'attempts' = ANY(lock_reasons)")
    page = await browser.enter_code("An")
    assert page.status_code == 403
    assert "account-locked-attempts" in page.text


async def test_letters_are_no_code(world: IdentityWorld) -> None:
    browser = world.browser()
    await browser.start(aal=2)
    await browser.enter_password("An")
    await browser.follow()
    for typed in ("", "12345", "1234567", "١٢٣٤٥٦", "abcdef"):
        assert (await browser.send("code-form", code=typed)).status_code in (422, 429)


async def test_a_lock_is_told_only_after_both_factors(world: IdentityWorld) -> None:
    await lock(world, "Son", "authority")
    browser = world.browser()
    await browser.start()
    await browser.enter_password("Son")
    assert browser.redirects_to("/signin/code")
    page = await browser.follow()
    assert "khóa" not in page.text.split("<main", 1)[1]
    page = await browser.enter_code("Son")
    assert page.status_code == 403
    assert 'data-reason="authority"' in page.text
    assert "unlock-form" not in page.text
    assert browser.cookie("session") == ""
    await browser.send("leave-form")
    assert (await browser.result())["sign_in_error"] == "cancelled"


async def test_a_lock_without_a_second_factor_is_told_after_the_password(world: IdentityWorld) -> None:
    await lock(world, "Chau", "holder")
    browser = world.browser()
    await browser.start()
    page = await browser.enter_password("Chau")
    assert page.status_code == 403
    assert 'data-reason="holder"' in page.text
    assert "unlock-form" not in page.text  # one factor does not unlock
    page = await browser.post("/signin/unlock?" + str(browser.page.url).split("?", 1)[1] if browser.page else "")
    assert page.status_code == 409


async def test_a_holder_clears_his_own_lock_with_both_factors_but_no_other(world: IdentityWorld) -> None:
    await lock(world, "Son", "holder")
    browser = world.browser()
    await browser.start()
    await browser.enter_password("Son")
    await browser.follow()
    page = await browser.enter_code("Son")
    assert page.status_code == 403
    await lock(world, "Son", "card")  # meanwhile another body asks
    page = await browser.send("unlock-form")
    assert page.status_code == 403
    assert "lock-not-yours" in page.text
    rows = await world.fetch("SELECT lock_reasons FROM identity.accounts WHERE account_id = $1", world.accounts["Son"])
    assert rows[0]["lock_reasons"] == ["holder", "card"]

    async with world.database.page() as tx:
        await world.identity.unlock(tx, await world.person("Son"), "card", cleared_by="authority")
    world.clock.advance(timedelta(minutes=1))
    await browser.start()
    await browser.enter_password("Son")
    await browser.follow()
    await browser.enter_code("Son")
    await browser.send("unlock-form")
    assert (await browser.result())["signed_in"]["aal"] == 2
