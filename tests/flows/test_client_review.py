"""Clients on the pages of their agency: proposed by one person, approved by another, watched, suspended (case 63)."""

import json
import re
import uuid
from datetime import timedelta
from html import escape
from typing import Any

import pytest

from core.cache import Cache
from identity.api import Identity
from tests.actors.client_admin import (
    LIST,
    approved,
    changed_form,
    client_admin,
    clients_in,
    errors_in,
    key_set,
    make_unit,
    new_client,
    proposed,
    reviews_in,
    state_in,
)
from tests.actors.registering_client import acts_of, registered
from tests.actors.relying_party import RelyingParty
from tests.support.client_certificates import issue
from tests.support.clients_fixture import world
from tests.support.provider_world import OPERATOR, SCHOOL, ProviderWorld

__all__ = ["world"]

EVIL = '"><script>alert(1)</script>'


@pytest.fixture(autouse=True)
async def fresh_counts(world: ProviderWorld) -> None:
    await world.parts.get(Cache).redis.flushdb()


async def test_two_people_make_a_client(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id, review = await proposed(first, scope=["profile", f"purpose:{SCHOOL}"])
        assert state_in(await first.open(f"{LIST}/{client_id}")) == "Chờ duyệt"
        assert await acts_of(world, client_id) == ["oidc.client-proposed"]

        mine = await first.open(review)
        assert 'id="mine"' in mine.text
        assert 'id="review-approve"' not in mine.text
        refused = await first.browser.send("review-form", decision="approve")
        assert refused.status_code == 403
        assert state_in(await first.open(f"{LIST}/{client_id}")) == "Chờ duyệt"

        done = await second.decide(review, "approve")
        assert 'id="told"' in done.text
        assert state_in(await second.open(f"{LIST}/{client_id}")) == "Đang dùng"
        assert await acts_of(world, client_id) == ["oidc.client-proposed", "oidc.client-approved"]
        assert (await second.post(review, decision="refuse", reason="")).status_code == 409

        asked = await second.open(f"{LIST}/{client_id}/secret")
        assert asked.status_code == 200
        shown = await second.browser.send("secret-form")
        assert shown.headers["cache-control"] == "no-store"
        secret = re.search(r'id="client-secret">([^<]+)<', shown.text)
        assert secret
        assert secret[1] not in (await second.open(f"{LIST}/{client_id}")).text
        party = RelyingParty(world.http(), world.clock, world.issuer, client_id, secret=secret[1])
        assert (await party.post("/introspect", {"token": "x"})).status_code == 200
        assert (await acts_of(world, client_id))[-1] == "oidc.client-secret-made"


async def test_a_pending_client_is_refused_everywhere(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        entries = new_client(auth_method="none")
        client_id, _ = await proposed(admin, **entries)
        party = RelyingParty(
            world.http(), world.clock, world.issuer, client_id, method="none", redirect_uri=entries["redirect_uris"]
        )
        page = await world.http().get(party.ask().url)
        assert (page.status_code, "location" in page.headers) == (400, False)
        for path in ("/par", "/token", "/revoke", "/introspect", "/device_authorization", "/bc-authorize"):
            answer = await party.post(path, {"token": "x", "grant_type": "authorization_code", "code": "x"})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), path


async def test_a_change_is_shown_and_decided(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        await first.open(f"{LIST}/{client_id}/change")
        form = await changed_form(first, name_vi="Cổng tuyển sinh mới", further='{"default_max_age": 600}')
        assert 'id="told"' in form.text, form.text[:3000]
        again = await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên khác")
        assert again.status_code == 422  # one at a time
        review = reviews_in(form)[-1]
        shown = await second.open(review)
        assert "default_max_age" in shown.text
        assert "Cổng tuyển sinh mới" in shown.text
        assert "<code>redirect_uris</code>" not in shown.text  # only what differs
        await second.decide(review, "approve")
        page = await second.open(f"{LIST}/{client_id}")
        assert "Cổng tuyển sinh mới" in page.text
        assert (await acts_of(world, client_id))[-2:] == ["oidc.client-changed", "oidc.client-approved"]


async def test_approving_a_change_ends_no_secret_that_somebody_has(world: ProviderWorld) -> None:
    """Nobody is shown one at an approval, so none may take the place of the one in use, even when it ends soon."""
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        await world.fetch(
            "UPDATE oidc.clients SET secret_expires_at = $2 WHERE client_id = $1",
            client_id,
            world.clock.now() + timedelta(days=20),
        )
        of_secret = "SELECT secret_hash, secret_expires_at, former_secret_hash FROM oidc.clients WHERE client_id = $1"
        before = await world.fetch(of_secret, client_id)
        page = await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên mới")
        assert 'id="told"' in (await second.decide(reviews_in(page)[-1], "approve")).text
        assert "Tên mới" in (await second.open(f"{LIST}/{client_id}")).text
        assert await world.fetch(of_secret, client_id) == before
        assert before[0]["secret_hash"] is not None


async def test_a_change_meanwhile_makes_the_proposal_stale(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        page = await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên mới")
        review = reviews_in(page)[-1]
        await second.open(f"{LIST}/{client_id}/secret")
        await second.browser.send("secret-form")
        stale = await second.decide(review, "approve")
        assert stale.status_code == 409
        assert "Tên mới" not in (await second.open(f"{LIST}/{client_id}")).text
        refused = await second.decide(review, "refuse", reason="Mã bí mật đã đổi")
        assert 'id="told"' in refused.text


async def test_taking_back_and_refusing(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        for admin in (first, second):
            client_id, review = await proposed(first)
            page = await admin.decide(review, "refuse", reason="Không cần nữa")
            assert client_id not in clients_in(page)
            assert review not in reviews_in(page)
            assert (await acts_of(world, client_id))[-1] == "oidc.client-refused"
            shown = await second.open(review)
            assert "Không cần nữa" in shown.text
            late = await second.post(review, decision="approve", reason="")
            assert late.status_code == 409


async def test_suspending_and_reinstating(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        await first.open(f"{LIST}/{client_id}/suspend")
        empty = await first.browser.send("suspend-form", reason=" ")
        assert (empty.status_code, errors_in(empty)) == (422, {"reason"})
        page = await first.browser.send("suspend-form", reason="Lộ mã bí mật")
        assert state_in(page) == "Tạm ngừng"
        await first.open(f"{LIST}/{client_id}/reinstate")
        assert state_in(await first.browser.send("reinstate-form")) == "Đang dùng"
        assert (await acts_of(world, client_id))[-2:] == ["oidc.client-suspended", "oidc.client-active"]


async def test_nothing_is_lost_of_a_form_to_mend(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        before = reviews_in(await admin.open())
        entries = new_client(
            name_en="",
            redirect_uris="javascript:alert(1)",
            contacts="doi-ho-tro@rp.example",
            further='{"default_max_age": 60}',
        )
        page = await admin.propose(**entries)
        assert (page.status_code, errors_in(page)) == (422, {"name_en"})
        page = await admin.propose(**{**entries, "name_en": "Portal"})
        assert (page.status_code, errors_in(page)) == (422, {"redirect_uris"})
        for kept in ("Cổng tuyển sinh", "doi-ho-tro@rp.example", "javascript:alert(1)", "default_max_age"):
            assert escape(kept) in page.text
        assert re.search(r'value="stay" id="use-stay" checked', page.text)
        assert re.search(r'value="profile" id="scope-1" checked', page.text)
        assert reviews_in(await admin.open()) == before


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"name_vi": ""}, "name_vi"),
        ({"name_vi": "x" * 121}, "name_vi"),
        ({"use": []}, "use"),
        ({"use": ["stay"]}, "use"),
        ({"profile": "fapi3"}, "profile"),
        ({"profile": "fapi2"}, "auth_method"),
        ({"auth_method": "client_secret_jwt"}, "auth_method"),
        ({"auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": "not json"}, "jwks"),
        ({"jwks": json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]})}, "jwks"),
        ({"jwks_uri": "http://rp.example/keys"}, "jwks_uri"),
        ({"redirect_uris": "https://a.example/cb\nhttps://b.example/cb"}, "redirect_uris"),
        ({"redirect_uris": "https://rp.example/#f"}, "redirect_uris"),
        ({"post_logout_redirect_uris": "data:text/html,x"}, "post_logout_redirect_uris"),
        ({"client_uri": "javascript:alert(1)"}, "client_uri"),
        ({"policy_uri": "javascript:alert(1)"}, "policy_uri"),
        ({"logo_uri": "data:image/png,x"}, "logo_uri"),
        ({"tos_uri": EVIL}, "tos_uri"),
        ({"contacts": "\n".join(["a@rp.example"] * 11)}, "contacts"),
        ({"further": "[]"}, "further"),
        ({"further": "{"}, "further"),
        ({"further": '{"client_secret": "mine"}'}, "further"),
        ({"further": '{"scope": "openid admin"}'}, "further"),
        ({"further": '{"dinhdanh_profile": "openid-core"}'}, "further"),
        ({"further": '{"request_uris": ["https://rp.example/r"]}'}, "further"),
        ({"further": '{"default_max_age": "soon"}'}, "further"),
        ({"further": '{"tos": "\\u0000"}'}, "further"),
        ({"further": '{"software_id": "\\ud800"}'}, "further"),
        ({"further": '{"default_max_age": 1' + "0" * 40 + "}"}, "further"),
        ({"further": '{"software_version": "1", "software_version": "2"}'}, "further"),
        ({"jwks": '{"keys": [], "keys": []}'}, "jwks"),
        ({"jwks": json.dumps({"keys": [{**issue().jwk, "exp": 10**40}]})}, "jwks"),
        ({"scope": ["purpose:benefit-check"]}, "scope"),
        ({"scope": ["admin"]}, "scope"),
    ],
)
async def test_faults_are_told_at_their_entry(world: ProviderWorld, changes: dict[str, Any], entry: str) -> None:
    async with client_admin(world, "Minh") as admin:
        page = await admin.propose(**changes)
        assert (page.status_code, errors_in(page)) == (422, {entry}), page.text[:3000]
        assert EVIL not in page.text


async def test_what_people_write_is_text(world: ProviderWorld) -> None:
    """Security case 63, and 6: an address is shown, never a link to follow."""
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id, review = await proposed(
            first,
            name_vi=f"Cổng {EVIL}",
            name_en=EVIL,
            contacts=EVIL,
            client_uri="https://rp.example/?q=javascript:alert(1)",
            further=json.dumps({"software_id": EVIL}),
        )
        for page in (
            await second.open(),
            await second.open(review),
            await second.open(f"{LIST}/{client_id}"),
            await second.open(f"{LIST}/{client_id}/change"),
            await world.http().get(f"/sandbox/clients/{client_id}/requests"),
            await world.http().get("/sandbox/clients"),
        ):
            assert page.status_code == 200
            assert "<script" not in page.text
            assert 'href="https://rp.example' not in page.text
        refused = await second.decide(review, "refuse", reason=EVIL)
        assert "<script" not in refused.text
        assert "<script" not in (await second.open(review)).text


async def test_only_administrators_of_the_agency(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        client_id, review = await proposed(admin)
    async with client_admin(world, "Nga", permissions=frozenset({"check.match"})) as other:
        for path in (LIST, f"{LIST}/new", f"{LIST}/tokens", f"{LIST}/{client_id}", review):
            assert (await other.open(path)).status_code == 403
        assert 'id="to-clients"' not in (await other.open("/official")).text
    async with world.database.page() as tx:
        identity = world.parts.get(Identity)
        await identity.create_agency(tx, "H40.99", "Sở khác", "Another department")
    await make_unit(world, "H40.99")
    async with client_admin(world, "Nga", agency="H40.99") as stranger:
        assert 'id="no-clients"' in (await stranger.open()).text
        for path in (f"{LIST}/{client_id}", f"{LIST}/{client_id}/change", f"{LIST}/{client_id}/secret", review):
            assert (await stranger.open(path)).status_code == 404, path
        for path in (f"{LIST}/{client_id}/secret", f"{LIST}/{client_id}/reinstate"):
            assert (await stranger.post(path)).status_code in {403, 404}
        answer = await stranger.post(review, decision="approve", reason="")
        assert answer.status_code in {403, 404}
        assert (await stranger.open(f"{LIST}/reviews/{uuid.uuid4()}")).status_code == 404
        assert (await stranger.open(f"{LIST}/reviews/nonsense")).status_code == 404


async def test_forms_need_their_token(world: ProviderWorld) -> None:
    """Security case 51."""
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        for path in (
            f"{LIST}/new",
            f"{LIST}/tokens",
            f"{LIST}/tokens/revoke",
            f"{LIST}/{client_id}/change",
            f"{LIST}/{client_id}/secret",
            f"{LIST}/{client_id}/registration",
            f"{LIST}/{client_id}/suspend",
            f"{LIST}/{client_id}/reinstate",
            f"{LIST}/reviews/{uuid.uuid4()}",
        ):
            answer = await first.browser.http.post(path, data={"csrf": "forged"})
            assert answer.status_code == 403, path


async def test_a_client_with_keys_and_one_that_registered_itself(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(
            first, second, profile="fapi2", auth_method="private_key_jwt", jwks=json.dumps(key_set())
        )
        page = await first.open(f"{LIST}/{client_id}")
        assert 'id="to-secret"' not in page.text
        assert (await first.post(f"{LIST}/{client_id}/secret")).status_code == 400
        same = await changed_form(first, path=f"{LIST}/{client_id}/change")
        assert 'id="told"' in same.text, same.text[:3000]  # the form gives back what it was given

        own = await registered(world)
        assert own.told["client_id"] in clients_in(await first.open())
        world.clock.advance(timedelta(seconds=1))  # a change is known by its time
        page = await changed_form(first, path=f"{LIST}/{own.told['client_id']}/change", name_vi="Tên mới")
        await second.decide(reviews_in(page)[-1], "approve")
        world.provider.foundation.clients.forget_all()  # at the latest within a second it does so by itself
        assert (await own.read()).json()["client_name"] == "Tên mới"  # its token is still its own


async def test_operators_clients_are_seen_too(world: ProviderWorld) -> None:
    party = await world.register()
    async with client_admin(world, "Minh") as admin:
        assert party.client_id in clients_in(await admin.open())
        async with world.database.raw() as tx:
            await world.provider.registrar.set_state(tx, party.client_id, "suspended", by=OPERATOR)
        assert state_in(await admin.open(f"{LIST}/{party.client_id}")) == "Tạm ngừng"
