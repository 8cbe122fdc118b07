"""The discovery document says what is there and no more: every member has a check here, which tries each value that
is listed and some that are not. A new member without a check fails, and so does one that promises too much.
"""

import pytest

from identity.api import SELF_DECLARED, Identity, SelfDeclared
from population_db.api import FIELDS
from privacy.journal.api import ActorRef
from tests.support.metadata_checks import (
    CIBA,
    EVERYTHING,
    OTHER_ALGS,
    Check,
    Told,
    acr_values,
    booleans_false,
    challenge_methods,
    claims,
    delivery_modes,
    encrypts,
    endpoint_methods,
    grant_types,
    id_token_algs,
    is_answered,
    is_flag,
    is_issuer,
    is_part_of_another,
    iss_in_answers,
    nothing_required,
    prompts,
    proof_algs,
    registers,
    request_parameter,
    request_uri_parameter,
    response_modes,
    response_types,
    scopes,
    token_methods,
    ui_locales,
    verified,
)
from tests.support.provider_fixture import world as provider
from tests.support.provider_world import ProviderWorld, publish

__all__ = ["provider"]


@pytest.fixture(scope="module")
async def world(provider: ProviderWorld) -> ProviderWorld:
    await publish(provider, EVERYTHING, fields=frozenset({*FIELDS, SELF_DECLARED}))
    said = dict.fromkeys(("profile", "picture", "website"), "https://example.vn/")
    said |= {"nickname": "A", "preferred_username": "a", "zoneinfo": "Asia/Ho_Chi_Minh", "locale": "vi-VN"}
    person_id = await provider.person("An")
    async with provider.database.page() as tx:
        by = ActorRef("citizen", "tests")
        await provider.parts.get(Identity).declare(tx, person_id, SelfDeclared.of(said), seen=0, by=by)
    return provider


@pytest.fixture(scope="module")
async def metadata(world: ProviderWorld) -> Told:
    answer = await world.http().get("/.well-known/openid-configuration")
    found: Told = answer.json()
    return found


CHECKS: dict[str, Check] = {
    "issuer": is_issuer,
    "scopes_supported": scopes,
    "response_types_supported": response_types,
    "response_modes_supported": response_modes,
    "grant_types_supported": grant_types,
    "subject_types_supported": registers("subject_type", "public"),
    "id_token_signing_alg_values_supported": id_token_algs,
    "acr_values_supported": acr_values,
    "claims_supported": claims,
    "claim_types_supported": is_part_of_another,
    "claims_parameter_supported": is_part_of_another,
    "claims_locales_supported": is_part_of_another,
    "verified_claims_supported": is_part_of_another,
    "trust_frameworks_supported": verified,
    "evidence_supported": is_part_of_another,
    "electronic_records_supported": is_part_of_another,
    "documents_supported": is_part_of_another,
    "claims_in_verified_claims_supported": is_part_of_another,
    "request_parameter_supported": request_parameter,
    "request_uri_parameter_supported": request_uri_parameter,
    "require_request_uri_registration": booleans_false,
    "require_pushed_authorization_requests": nothing_required,
    "require_signed_request_object": nothing_required,
    "request_object_signing_alg_values_supported": registers(
        "request_object_signing_alg", *OTHER_ALGS, profiles=("standard", "openid-core")
    ),
    "prompt_values_supported": prompts,
    "ui_locales_supported": ui_locales,
    "code_challenge_methods_supported": challenge_methods,
    "authorization_response_iss_parameter_supported": iss_in_answers,
    "authorization_details_types_supported": registers("authorization_details_types", "payment", as_list=True),
    "dpop_signing_alg_values_supported": proof_algs,
    "token_endpoint_auth_methods_supported": token_methods,
    "introspection_endpoint_auth_methods_supported": endpoint_methods("/introspect"),
    "revocation_endpoint_auth_methods_supported": endpoint_methods("/revoke"),
    **{
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": registers(
            "token_endpoint_auth_signing_alg", *OTHER_ALGS
        )
        for endpoint in ("token", "introspection", "revocation")
    },
    "userinfo_signing_alg_values_supported": registers("userinfo_signed_response_alg", *OTHER_ALGS),
    "introspection_signing_alg_values_supported": registers("introspection_signed_response_alg", "RS256", *OTHER_ALGS),
    "authorization_signing_alg_values_supported": registers("authorization_signed_response_alg", "RS256", *OTHER_ALGS),
    **encrypts("id_token"),
    **encrypts("userinfo"),
    **encrypts("introspection"),
    **encrypts("authorization"),
    "backchannel_logout_supported": is_flag("backchannel_logout_uri", "https://rp.example/logout"),
    "backchannel_logout_session_supported": is_flag("backchannel_logout_session_required", True),
    "frontchannel_logout_supported": is_flag("frontchannel_logout_uri", "https://rp.example/out"),
    "frontchannel_logout_session_supported": is_flag("frontchannel_logout_session_required", True),
    "backchannel_token_delivery_modes_supported": delivery_modes,
    "backchannel_authentication_request_signing_alg_values_supported": registers(
        "backchannel_authentication_request_signing_alg",
        *OTHER_ALGS,
        more={"backchannel_token_delivery_mode": "poll", **CIBA},
    ),
    "backchannel_user_code_parameter_supported": booleans_false,
}


def check_of(name: str) -> Check | None:
    if name.endswith("_endpoint") or name == "jwks_uri":
        return is_answered
    return CHECKS.get(name)


async def test_every_member_has_a_check_and_every_check_a_member(metadata: Told) -> None:
    assert [name for name in metadata if check_of(name) is None] == []
    assert [name for name in CHECKS if name not in metadata] == []


async def test_both_documents_say_the_same(world: ProviderWorld, metadata: Told) -> None:
    assert (await world.http().get("/.well-known/oauth-authorization-server")).json() == metadata


async def test_what_is_listed_works_and_what_is_not_is_refused(world: ProviderWorld, metadata: Told) -> None:
    """All at once, so that one run shows every untruth."""
    untrue = []
    for name, value in metadata.items():
        check = check_of(name)
        if check is None:
            untrue.append(f"{name}: nobody checks it")
            continue
        try:
            await check(world, value, metadata)
        except (AssertionError, KeyError) as fault:
            untrue.append(f"{name}: {fault!r}"[:600])
    assert untrue == [], "\n\n".join(untrue)
