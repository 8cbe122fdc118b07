"""Four eyes over an agency's clients, whichever way they come; and nobody's eyes after his dismissal."""

import json
import re
from html import unescape

import pytest

from core.cache import Cache
from core.jose import SigningKey
from tests.actors.client_admin import (
    LIST,
    approved,
    changed_form,
    client_admin,
    clients_in,
    errors_in,
    proposed,
    reviews_in,
    state_in,
)
from tests.actors.registering_client import acts_of, post, registered, statement, trust_publisher, web_client
from tests.actors.relying_party import RelyingParty
from tests.support.clients_fixture import world
from tests.support.provider_world import OPERATOR, ProviderWorld

__all__ = ["world"]

EVIL = '"><script>alert(1)</script>'


@pytest.fixture(autouse=True)
async def fresh_counts(world: ProviderWorld) -> None:
    await world.parts.get(Cache).redis.flushdb()


async def test_who_is_dismissed_loses_the_pages_at_once(world: ProviderWorld) -> None:
    """Security cases on officials: the session remembers the appointment, the database knows its end."""
    async with client_admin(world, "Minh") as gone, client_admin(world, "Nga") as second:
        client_id, review = await proposed(second)
        await gone.open(f"{LIST}/tokens")
        made = await gone.browser.http.get(f"{LIST}/tokens")
        csrf = re.search(r'name="csrf" value="([^"]*)"', made.text)
        assert csrf
        await gone.dismiss()
        own = f"{LIST}/{client_id}"
        for path in (LIST, f"{LIST}/new", f"{LIST}/tokens", own, f"{own}/secret", review):
            answer = await gone.browser.http.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/official/appointment"), path
        for path, form in (
            (f"{LIST}/tokens", {"note": "", "uses": "1", "days": "1", "profiles": "fapi2"}),
            (f"{own}/suspend", {"reason": "x"}),
            (review, {"decision": "approve", "reason": ""}),
        ):
            answer = await gone.browser.http.post(path, data={"csrf": csrf[1], **form})
            assert (answer.status_code, answer.headers.get("location")) == (303, "/official/appointment"), path
        assert state_in(await second.open(f"{LIST}/{client_id}")) == "Chờ duyệt"


async def test_a_token_of_the_agency_registers_for_it(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        await admin.open(f"{LIST}/tokens")
        wrong = await admin.browser.send("token-form", uses="0", days="x", profiles=[], note="Nhà thầu A")
        assert (wrong.status_code, errors_in(wrong)) == (422, {"uses", "days", "profiles"})
        assert "Nhà thầu A" in wrong.text
        page = await admin.browser.send(
            "token-form", uses="2", days="3", profiles=["standard", "openid-core"], note=EVIL
        )
        found = re.search(r'id="initial-token">([^<]+)<', page.text)
        assert found, page.text[:3000]
        assert "<script" not in page.text
        assert found[1] not in (await admin.open(f"{LIST}/tokens")).text
        async with client_admin(world, "Nga") as second:
            for profile in ("standard", "openid-core"):
                before = set(reviews_in(await admin.open()))
                answer = await post(world.http(), found[1], web_client(dinhdanh_profile=profile))
                told = answer.json()
                assert (answer.status_code, told["dinhdanh_state"]) == (201, "pending"), answer.text
                assert told["client_id"] in clients_in(await admin.open())
                party = RelyingParty(
                    world.http(), world.clock, world.issuer, told["client_id"], secret=told["client_secret"]
                )
                assert (await party.post("/introspect", {"token": "x"})).status_code == 401
                review = (set(reviews_in(await admin.open())) - before).pop()
                # Who made the token stands behind what is registered with it.
                shown = unescape((await second.open(review)).text)
                assert re.search(rf"Token [0-9a-f]{{8}} “{re.escape(EVIL)}”", shown), "a token, whatever its note says"
                own = await admin.post(review, decision="approve", reason="")
                assert own.status_code == 403
                assert 'id="told"' in (await second.decide(review, "approve")).text
                world.provider.foundation.clients.forget_all()
                assert (await party.post("/introspect", {"token": "x"})).status_code == 200
            assert 'id="legacy"' in (await second.open(f"{LIST}/{told['client_id']}")).text
        gone = await post(world.http(), found[1], web_client())
        assert gone.status_code == 401


async def test_ending_a_token(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        await admin.open(f"{LIST}/tokens")
        page = await admin.browser.send("token-form", uses="2", days="3", profiles=["standard"], note="Thử")
        token = re.search(r'id="initial-token">([^<]+)<', page.text)
        ident = re.search(r'name="token" value="([^"]+)"', page.text)
        assert token
        assert ident
        ended = await admin.post(f"{LIST}/tokens/revoke", token=ident[1])
        assert ended.status_code == 303
        assert (await post(world.http(), token[1], web_client())).status_code == 401
        assert (await admin.post(f"{LIST}/tokens/revoke", token=ident[1])).status_code == 404
        assert (await admin.post(f"{LIST}/tokens/revoke", token="nonsense")).status_code == 404


async def test_what_the_operator_suspended_the_agency_cannot_reinstate(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        page = f"{LIST}/{client_id}"

        async def operator(state: str) -> None:
            async with world.database.raw() as tx:
                await world.provider.registrar.set_state(tx, client_id, state, by=OPERATOR)

        async def agency(act: str) -> int:
            return (await first.post(f"{page}/{act}", reason="Thử")).status_code

        await operator("suspended")
        shown = await first.open(page)
        assert 'id="by-operator"' in shown.text
        assert 'id="to-reinstate"' not in shown.text
        assert await agency("suspend") == 303  # nothing changes: it is no way to make the suspension its own
        refused = await first.post(f"{page}/reinstate")
        assert (refused.status_code, "Đơn vị vận hành" in refused.text) == (409, True)
        await operator("active")
        assert state_in(await first.open(page)) == "Đang dùng"

        assert await agency("suspend") == 303
        await operator("suspended")  # on top of the agency
        assert await agency("reinstate") == 409
        await operator("active")
        assert (await agency("suspend"), await agency("reinstate")) == (303, 303)
        assert state_in(await first.open(page)) == "Đang dùng"


async def test_a_suspension_of_before_counts_as_the_operators(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        async with world.owner.raw() as tx:  # as a process of before this column wrote it
            await tx.conn.execute("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", client_id)
        assert (await first.post(f"{LIST}/{client_id}/reinstate")).status_code == 409


async def test_a_statement_hides_nothing_from_the_second_person(world: ProviderWorld) -> None:
    """What a publisher signed stands above what is proposed, and so is what the second person has to see."""
    key = SigningKey.generate("ES256")
    await trust_publisher(world, key)
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        said = statement(key, client_name="Cổng do nhà phát hành đặt tên")
        further = json.dumps({"software_statement": said})
        client_id = await approved(first, second)
        proposal = await changed_form(first, path=f"{LIST}/{client_id}/change", name_vi="Tên vô hại", further=further)
        assert 'id="told"' in proposal.text, proposal.text[:3000]
        review = reviews_in(proposal)[-1]
        shown = await second.open(review)
        assert "Cổng do nhà phát hành đặt tên" in shown.text
        # As a proposal of before lay there: what the statement says is not in it.
        await world.fetch(
            'UPDATE oidc.client_reviews SET metadata = metadata || \'{"client_name": "Tên vô hại"}\'::jsonb'
            " WHERE client_id = $1 AND decided_at IS NULL RETURNING review_id",
            client_id,
        )
        stale = await second.decide(review, "approve")
        assert stale.status_code == 409
        assert "Cổng do nhà phát hành đặt tên" not in (await second.open(f"{LIST}/{client_id}")).text


async def test_a_lost_secret_ends_at_once(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as first, client_admin(world, "Nga") as second:
        client_id = await approved(first, second)
        page = f"{LIST}/{client_id}"

        async def renewed(**form: str) -> str:
            await first.open(f"{page}/secret")
            found = re.search(r'id="client-secret">([^<]+)<', (await first.browser.send("secret-form", **form)).text)
            assert found
            return found[1]

        async def good(secret: str) -> bool:
            world.provider.foundation.clients.forget_all()
            party = RelyingParty(world.http(), world.clock, world.issuer, client_id, secret=secret)
            return (await party.post("/introspect", {"token": "x"})).status_code == 200

        secrets = [await renewed(), await renewed()]
        assert [await good(secret) for secret in secrets] == [True, True]  # time to change over
        secrets.append(await renewed(lost="yes"))
        assert [await good(secret) for secret in secrets] == [False, False, True]
        assert (await first.post(f"{page}/suspend", reason="Lộ mã bí mật")).status_code == 303
        assert 'id="ends-now"' in (await first.open(f"{page}/secret")).text
        secrets.append(await renewed())
        assert (await first.post(f"{page}/reinstate")).status_code == 303
        assert [await good(secret) for secret in secrets] == [False, False, False, True]


async def test_a_registration_token_is_ended(world: ProviderWorld) -> None:
    made = await registered(world)
    client_id = made.told["client_id"]
    page = f"{LIST}/{client_id}"
    async with client_admin(world, "Minh") as admin:
        assert 'id="to-registration"' in (await admin.open(page)).text
        await admin.open(f"{page}/registration")
        done = await admin.browser.send("registration-form")
        assert (state_in(done), 'id="to-registration"' in done.text) == ("Đang dùng", False)
        for answer in (await made.read(), await made.change(), await made.delete()):
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        assert (await acts_of(world, client_id))[-1] == "oidc.registration-token-ended"
        assert (await admin.post(f"{page}/registration")).status_code == 409
        party = RelyingParty(world.http(), world.clock, world.issuer, client_id, secret=made.told["client_secret"])
        assert (await party.post("/introspect", {"token": "x"})).status_code == 200


async def test_a_token_ends_with_the_appointment_of_who_made_it(world: ProviderWorld) -> None:
    async with client_admin(world, "Minh") as admin:
        await admin.open(f"{LIST}/tokens")
        page = await admin.browser.send("token-form", uses="9", days="3", profiles=["standard"], note="Thử")
        token = re.search(r'id="initial-token">([^<]+)<', page.text)
        assert token
        assert (await post(world.http(), token[1], web_client())).status_code == 201
        await admin.dismiss()
        refused = await post(world.http(), token[1], web_client())
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    async with client_admin(world, "Minh", permissions=frozenset({"check.match"})):  # back, for something else
        assert (await post(world.http(), token[1], web_client())).status_code == 401
    async with client_admin(world, "Minh"):
        assert (await post(world.http(), token[1], web_client())).status_code == 201
