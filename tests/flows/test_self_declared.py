"""What the holder says of himself: the page, what is kept of it, who sees it, how it goes."""

from datetime import timedelta
from html import unescape

import pytest

from identity.api import Identity
from privacy.vault.api import Vault
from tests.support.identity_world import form_of
from tests.support.provider_fixture import world
from tests.support.provider_world import CitizenBrowser, ProviderWorld

__all__ = ["world"]

PAGE = "/me/profile"
SAID = {
    "nickname": "Zarbiệtdanh",
    "preferred_username": "zar.hiển.thị",
    "profile": "https://zar-hoso.example.vn/an",
    "picture": "https://zar-anh.example.vn/an.jpg",
    "website": "https://zar-trang.example.vn/",
    "zoneinfo": "Asia/Ho_Chi_Minh",
    "locale": "vi-VN",
}


@pytest.fixture
async def browser(world: ProviderWorld) -> CitizenBrowser:
    """Signed in as An."""
    world.clock.advance(timedelta(minutes=1))
    made = world.browser()
    await made.open(PAGE)
    await made.sign_in("An")
    assert made.page is not None
    assert made.page.url.path == PAGE
    return made


async def save(browser: CitizenBrowser, **entries: str) -> str:
    answer = await browser.send("profile-form", action="save", **{**dict.fromkeys(SAID, ""), **entries})
    return answer.text


async def kept(world: ProviderWorld, key: str = "An") -> dict[str, str]:
    async with world.database.raw_read() as tx:
        return (await world.parts.get(Identity).self_declared(tx, await world.person(key))).said()


async def test_saved_shown_changed_and_erased(world: ProviderWorld, browser: CitizenBrowser) -> None:
    page = await save(browser, **SAID)
    assert 'id="saved"' in page
    assert await kept(world) == SAID
    for name, value in SAID.items():
        chosen = " selected" if name in {"zoneinfo", "locale"} else ""
        assert f'value="{value}"{chosen}' in unescape(page)
    page = await save(browser, **{**SAID, "locale": "lo-LA"})
    assert '<option value="lo-LA" selected>' in page, "one that is not among the choices stays"
    await save(browser, **{**SAID, "nickname": "An", "website": ""})
    found = await kept(world)
    assert (found["nickname"], "website" in found) == ("An", False), "an empty entry erases its member"
    page = (await browser.send("erase-form")).text
    assert await kept(world) == {}
    assert "erase-form" not in page, "nothing is left to erase"
    assert await world.fetch("SELECT 1 FROM identity.self_declared") == []


async def test_each_change_is_on_record_by_name(world: ProviderWorld, browser: CitizenBrowser) -> None:
    await save(browser, nickname="An", locale="vi-VN")
    await save(browser, nickname="An", locale="en-GB")
    await save(browser, nickname="An", locale="en-GB")  # nothing changed: nothing to tell
    lines = [line.line for line in await world.lines("An") if line.line.action == "profile.changed"]
    assert [line.fields for line in lines[:2]] == [
        ("self_declared.locale",),
        ("self_declared.nickname", "self_declared.locale"),
    ]
    assert all(line.actor.kind == "citizen" and "An" not in str(line.details) for line in lines)
    history = (await browser.open("/me/history?show=all&lang=en")).text
    assert "You changed your self-declared profile" in history
    assert "Nickname (self-declared)" in history
    await browser.open(PAGE)
    await browser.send("erase-form")


async def test_entries_to_mend_are_shown_again(world: ProviderWorld, browser: CitizenBrowser) -> None:
    await save(browser, nickname="An")
    wrong = {
        "nickname": "036190990001",
        "preferred_username": "x" * 100,
        "profile": "http://example.vn/",
        "picture": "javascript:alert(1)",
        "website": "https://127.0.0.1/",
        "zoneinfo": "Hà Nội",
        "locale": '"><script>alert(1)</script>',
    }
    answer = await browser.send("profile-form", action="save", **wrong)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == len(wrong)
    assert "Biệt danh: Không nhập số định danh" in answer.text, "the summary says which entry"
    assert "<script>alert" not in answer.text
    assert 'value="http://example.vn/"' in answer.text, "what was typed is not lost"
    assert await kept(world) == {"nickname": "An"}
    await browser.send("profile-form", action="save", **dict.fromkeys(wrong, ""))
    assert await kept(world) == {}


async def test_two_pages_at_once(world: ProviderWorld, browser: CitizenBrowser) -> None:
    """The second to save is told, and loses nothing of the first."""
    await browser.open(PAGE)
    assert browser.page is not None
    first, second = browser.page, browser.page
    browser.page = first
    await save(browser, nickname="Một")
    browser.page = second
    answer = await browser.send("profile-form", action="save", nickname="Hai")
    assert answer.status_code == 409
    assert await kept(world) == {"nickname": "Một"}
    await browser.open(PAGE)
    await browser.send("erase-form")


@pytest.mark.parametrize(
    "changes", [{"csrf": "x"}, {"action": "read"}, {"version": "-1"}, {"version": "x"}, {"nickname": "x" * 3000}]
)
async def test_forged_forms_change_nothing(
    world: ProviderWorld, browser: CitizenBrowser, changes: dict[str, str]
) -> None:
    assert browser.page is not None
    action, hidden = form_of(browser.page.text, "profile-form")
    answer = await browser.http.post(action, data={**hidden, "action": "save", "nickname": "An", **changes})
    assert answer.status_code in {403, 422}
    assert await kept(world) == {}


async def test_nobody_else_sees_it(world: ProviderWorld, browser: CitizenBrowser) -> None:
    await save(browser, nickname="Zarbiệtdanh")
    other = world.browser()
    await other.open(PAGE)
    page = await other.sign_in("Binh")
    assert "Zarbiệtdanh" not in page.text
    assert (await world.http().get(PAGE)).status_code == 303
    await browser.open(PAGE)
    await browser.send("erase-form")


async def test_sealed_at_rest_and_gone_with_the_key(world: ProviderWorld, browser: CitizenBrowser) -> None:
    await save(browser, **SAID)
    (row,) = await world.fetch("SELECT person_id, version, sealed FROM identity.self_declared")
    assert not any(value.encode() in row["sealed"] for value in SAID.values())
    binh = await world.person("Binh")
    async with world.owner.raw() as tx:
        # A row that is moved to somebody else, or put back after a change, does not open.
        await tx.conn.execute(
            "INSERT INTO identity.self_declared SELECT $1, version, sealed, updated_at FROM identity.self_declared",
            binh,
        )
        await tx.conn.execute("UPDATE identity.self_declared SET version = version + 1 WHERE person_id <> $1", binh)
    assert await kept(world, "Binh") == {}
    assert await kept(world) == {}
    async with world.owner.raw() as tx:
        await tx.conn.execute("DELETE FROM identity.self_declared WHERE person_id = $1", binh)
        await tx.conn.execute("UPDATE identity.self_declared SET version = version - 1")
    assert await kept(world) == SAID
    async with world.worker.raw() as tx:
        assert await world.parts.get(Vault).destroy_person_key(tx, row["person_id"])
    assert await kept(world) == {}
    page = (await browser.open(PAGE)).text
    assert "Zarbiệtdanh" not in page
