"""A client manages its registration (RFC 7592): security case 47."""

import re
from datetime import timedelta
from typing import Any

import pytest

from oidc.api import Registration as Rooms
from oidc.registration.change import SECRET_OVERLAP
from oidc.registration.register import SECRET_LIFE
from oidc.registration.who import Who
from tests.actors.registering_client import DROP, Registration, acts_of, fapi_client, registered, web_client
from tests.actors.relying_party import RelyingParty
from tests.support.challenges import errors_of
from tests.support.provider_fixture import world as world
from tests.support.provider_world import OPERATOR, SECOND_OPERATOR, ProviderWorld


def party(world: ProviderWorld, told: dict[str, Any], secret: str) -> RelyingParty:
    return RelyingParty(world.http(), world.clock, world.issuer, told["client_id"], secret=secret)


def heard(world: ProviderWorld, told: dict[str, Any]) -> None:
    """The notification of a change has come: within a second it does, or the memory is over."""
    world.provider.foundation.statuses.forget(f"client:{told['client_id']}")


async def authenticates(world: ProviderWorld, told: dict[str, Any], secret: str) -> bool:
    """By an introspection, which needs nothing but the client."""
    heard(world, told)
    answer = await party(world, told, secret).post("/introspect", {"token": "x"})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


async def test_reading(world: ProviderWorld) -> None:
    made = await registered(world)
    answer = await made.read()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    # The secret is kept as a hash: it was shown once.
    assert answer.json() == {name: value for name, value in made.told.items() if name != "client_secret"}


async def test_sending_back_what_one_got_changes_nothing(world: ProviderWorld) -> None:
    for metadata in (web_client(), fapi_client(), web_client(token_endpoint_auth_method="none")):
        made = await registered(world, metadata)
        before, first = made.told, made.token
        answer = await made.change()
        assert answer.status_code == 200, answer.text
        assert made.token != first
        same = {"registration_access_token", "client_secret"}
        assert {name: value for name, value in answer.json().items() if name not in same} == {
            name: value for name, value in before.items() if name not in same
        }


async def test_a_change_replaces_the_whole(world: ProviderWorld) -> None:
    made = await registered(world, web_client(tos_uri="https://rp.example/tos", default_max_age=60))
    host = made.told["redirect_uris"][0].removesuffix("/cb")
    answer = await made.change(
        client_name="Cổng mới", redirect_uris=[f"{host}/new"], tos_uri=None, default_max_age=DROP
    )
    told = answer.json()
    assert answer.status_code == 200, told
    assert told["client_name"] == "Cổng mới"
    assert told["redirect_uris"] == [f"{host}/new"]
    assert not {"tos_uri", "default_max_age"} & set(told)
    assert await acts_of(world, told["client_id"]) == ["oidc.client-registered", "oidc.client-changed"]
    heard(world, told)
    found = await world.provider.foundation.clients.get(told["client_id"])
    assert found is not None
    assert found.redirect_uris == (f"{host}/new",)


async def test_the_token_follows_at_each_change(world: ProviderWorld) -> None:
    made = await registered(world)
    first = made.token
    await made.change()
    assert (await made.read(token=first)).status_code == 401
    assert (await made.change(token=first)).status_code == 401
    assert (await made.read()).status_code == 200


async def test_the_token_of_one_client_opens_no_other(world: ProviderWorld) -> None:
    mine, theirs = await registered(world), await registered(world)
    for answer in (
        await mine.read(path=theirs.path),
        await mine.change(path=theirs.path, client_id=theirs.told["client_id"]),
        await mine.delete(path=theirs.path),
        await mine.read(path="/register/c-nobody"),
        await mine.read(path="/register/%00"),
        await mine.read(path=f"/register/{'x' * 300}"),
        await mine.read(path="/register/%C4%91"),
    ):
        assert answer.status_code in {401, 404}
        if answer.status_code == 401:
            assert answer.json()["error"] == "invalid_token"
            assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_token")]
    assert (await theirs.read()).status_code == 200


async def test_a_client_of_an_operator_has_no_such_token(world: ProviderWorld) -> None:
    made = await registered(world)
    operators = await world.register()
    assert (await made.read(path=f"/register/{operators.client_id}")).status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": DROP}, "invalid_client_metadata"),
        ({"client_id": "c-other"}, "invalid_client_metadata"),
        ({"client_id": 5}, "invalid_client_metadata"),
        ({"client_secret": "chosen by the client itself"}, "invalid_client_metadata"),
        ({"registration_access_token": "x"}, "invalid_client_metadata"),
        ({"registration_client_uri": "https://evil.example"}, "invalid_client_metadata"),
        ({"client_secret_expires_at": 0}, "invalid_client_metadata"),
        ({"client_id_issued_at": 0}, "invalid_client_metadata"),
        ({"dinhdanh_profile": "fapi2"}, "invalid_client_metadata"),
        ({"dinhdanh_profile": "openid-core"}, "invalid_client_metadata"),
        ({"redirect_uris": ["https://elsewhere.example/cb"]}, "invalid_client_metadata"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"scope": "openid purpose:benefit-check"}, "invalid_client_metadata"),
        ({"jwks": {"keys": []}}, "invalid_client_metadata"),
    ],
)
async def test_changes_that_are_refused(world: ProviderWorld, changes: dict[str, Any], error: str) -> None:
    made = await registered(world)
    answer = await made.change(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    kept = (await made.read()).json()  # the token was not spent on it
    assert kept["redirect_uris"] == made.told["redirect_uris"]


async def test_a_gone_client_is_gone(world: ProviderWorld) -> None:
    made = await registered(world)
    secret = made.told["client_secret"]
    assert await authenticates(world, made.told, secret)
    answer = await made.delete()
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    for refused in (await made.read(), await made.change(), await made.delete()):
        assert refused.status_code == 401
    assert not await authenticates(world, made.told, secret)
    page = await world.http().get(party(world, made.told, secret).ask(redirect_uri=made.told["redirect_uris"][0]).url)
    assert (page.status_code, "location" in page.headers) == (400, False)
    assert (await acts_of(world, made.told["client_id"]))[-1] == "oidc.client-deleted"


async def test_a_suspended_client_cannot_help_itself(world: ProviderWorld) -> None:
    made = await registered(world)
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, made.told["client_id"], "suspended", by=OPERATOR)
    for answer in (await made.read(), await made.change(), await made.delete()):
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    async with world.database.raw() as tx:
        await world.provider.registrar.set_state(tx, made.told["client_id"], "active", by=OPERATOR)
    assert (await made.read()).status_code == 200


async def test_a_secret_is_renewed_before_its_end(world: ProviderWorld) -> None:
    made = await registered(world)
    first = made.told["client_secret"]
    assert "client_secret" not in (await made.change(client_secret=first)).json()

    world.clock.advance(SECRET_LIFE - timedelta(days=20))
    answer = await made.change(client_secret=first)
    second = answer.json()["client_secret"]
    assert second != first
    until = int((world.clock.now() + SECRET_LIFE).timestamp())
    assert answer.json()["client_secret_expires_at"] == until
    assert await authenticates(world, made.told, first)
    assert await authenticates(world, made.told, second)

    world.clock.advance(SECRET_OVERLAP)
    assert not await authenticates(world, made.told, first)
    assert await authenticates(world, made.told, second)

    world.clock.advance(SECRET_LIFE)
    assert not await authenticates(world, made.told, second)
    third = (await made.change(client_secret=DROP)).json()["client_secret"]
    assert await authenticates(world, made.told, third)
    assert not await authenticates(world, made.told, second)


async def test_from_a_secret_to_a_key_and_back(world: ProviderWorld) -> None:
    made = await registered(world)
    secret, keys = made.told["client_secret"], fapi_client()["jwks"]
    by_key = await made.change(token_endpoint_auth_method="private_key_jwt", jwks=keys, client_secret=DROP)
    assert by_key.status_code == 200, by_key.text
    assert "client_secret" not in by_key.json()
    assert not await authenticates(world, made.told, secret)
    back = await made.change(token_endpoint_auth_method="client_secret_basic", jwks=DROP)
    assert await authenticates(world, made.told, back.json()["client_secret"])
    assert not await authenticates(world, made.told, secret)


async def test_tokens_for_itself_end_with_the_grant_type(world: ProviderWorld) -> None:
    both = ["authorization_code", "client_credentials"]
    made = await registered(world, web_client(grant_types=both, scope="openid lookup", dpop_bound_access_tokens=False))
    secret = made.told["client_secret"]
    caller = party(world, made.told, secret)
    token = (await caller.client_credentials()).json()["access_token"]

    async def gets() -> str:
        heard(world, made.told)
        answer = await caller.client_credentials()
        return "token" if answer.status_code == 200 else str(answer.json()["error"])

    assert await gets() == "token"
    assert (await made.change(grant_types=["authorization_code"], scope="openid")).status_code == 200
    assert await gets() == "unauthorized_client"
    assert (await made.change(grant_types=both, scope="openid lookup")).status_code == 200
    assert await gets() == "token"
    heard(world, made.told)
    introspected = await caller.post("/introspect", {"token": token})
    assert introspected.json() == {"active": False}


async def test_a_registration_is_its_clients_own(world: ProviderWorld) -> None:
    """A form for a page of ours cannot be forged with it: it takes JSON and a token in a header."""
    made: Registration = await registered(world)
    answer = await world.http().put(made.path, json=made.told)
    assert (answer.status_code, errors_of(answer.headers["www-authenticate"])) == (401, [("Bearer", None)])
    options = await world.http().options(made.path)
    assert "access-control-allow-origin" not in options.headers


async def approved(world: ProviderWorld, metadata: dict[str, Any], **terms: Any) -> Registration:
    """Registered by a program, looked at by a second person."""
    made = await registered(world, metadata, **terms)
    desk = world.parts.get(Rooms).desk
    async with world.database.page() as tx:
        review = await desk.review_of(tx, made.told["client_id"])
        assert review is not None
        await desk.approve(tx, review.review_id, world.agency_id, by=Who.of_ref(SECOND_OPERATOR))
    return made


@pytest.mark.parametrize("seconded", [False, True])
async def test_what_two_people_stand_behind_no_token_changes(world: ProviderWorld, seconded: bool) -> None:
    """By review, or since two people made the token: RFC 7592 §2.2, 403."""
    core = {"profiles": ("openid-core",)}
    metadata = web_client(dinhdanh_profile=DROP, tos_uri="https://rp.example/tos")
    if seconded:
        made = await registered(world, metadata, seconded=True, **core)
    else:
        made = await approved(world, metadata, **core)
    token, host = made.token, made.told["redirect_uris"][0].removesuffix("/cb")
    for changes in (
        {"redirect_uris": [f"{host}/cb", f"{host}/open-redirector"]},
        {"post_logout_redirect_uris": [f"{host}/bye"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"scope": "openid"},
        {"grant_types": ["authorization_code", "refresh_token"]},
        {"client_name": "Cổng khác"},
        {"tos_uri": DROP},
        {"backchannel_logout_uri": f"{host}/logout"},
    ):
        answer = await made.change(**changes)
        told = answer.json()
        assert (answer.status_code, told["error"]) == (403, "access_denied"), changes
        assert set(changes) <= set(re.findall(r"[a-z_]+", told["error_description"]))
        assert f"/official/clients/{made.told['client_id']}/change" in told["error_description"]
    assert (await made.read(token=token)).json()["redirect_uris"] == [f"{host}/cb"]
    keys = fapi_client()["jwks"]
    answer = await made.change(jwks=keys, contacts=["doi-ho-tro@rp.example"])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["jwks"], answer.json()["contacts"]) == (keys, ["doi-ho-tro@rp.example"])
    answer = await made.change(jwks=DROP, jwks_uri=f"{host}/keys", contacts=DROP)
    assert answer.status_code == 200, answer.text
