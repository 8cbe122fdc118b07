"""The suite's configurations: every plan names clients that there are, and elements that our pages have."""

import re
from pathlib import Path
from typing import Any

import pytest

from oidc.api import ACR_VALUES
from oidc.claims import verifiable_claims
from oidc.verified_claims import TRUST_FRAMEWORK
from service.errors import CommandError
from service.sandbox_clients import plans
from service.sandbox_conformance import DEFAULT_REDIRECT, ConformanceSettings
from service.sandbox_guide import ClientGuide, PersonaGuide, Sandbox
from service.sandbox_suite import PLANS, suite_configuration

CHECKOUT = Path(__file__).parents[3]
ISSUER, MTLS = "https://localhost:8443", "https://localhost:8445"
SHOWN_BY_THE_SUITE = {"submission_complete"}
NAMED_BY_DATA = re.compile(r"(purpose|field)-sign-in(-[a-z_]+)?")


def guide() -> Sandbox:
    """As the sandbox furnishes it: the planned clients, with made-up keys."""
    clients = tuple(
        ClientGuide(
            client_id=plan.client_id,
            name=plan.name_vi,
            agency=plan.agency,
            profile=plan.profile,
            auth_method=plan.auth_method,
            client_secret="s" if plan.auth_method.startswith("client_secret") else None,
            private_jwk={"kty": "EC", "alg": "ES256"} if plan.has_key else None,
            redirect_uris=plan.redirect_uris,
            post_logout_redirect_uris=plan.post_logout_redirect_uris,
            grant_types=plan.grant_types,
            scopes=plan.scopes,
            dpop_bound=plan.bound_by == "dpop",
            mtls_bound=plan.bound_by == "mtls",
            certificate="certificate" if plan.has_certificate else None,
            certificate_key="key" if plan.has_certificate else None,
            delivery_mode=plan.further.get("backchannel_token_delivery_mode"),
        )
        for plan in plans("https://localhost:8444", DEFAULT_REDIRECT)
    )
    an = PersonaGuide("An", "Nguyễn Thị An", "036190990001", "1990-09-02", 2, "pw", "secret", "", "")
    return Sandbox(ISSUER, "https://localhost:8444", (an,), (), (), clients, DEFAULT_REDIRECT)


def ids_of_pages() -> set[str]:
    """Literal ids in our templates, and the names that the form macros make ids of."""
    found: set[str] = set()
    for page in [*CHECKOUT.glob("*/templates/**/*.html"), *CHECKOUT.glob("core/web/templates/**/*.html")]:
        text = page.read_text("utf-8")
        found |= set(re.findall(r'\bid="([A-Za-z0-9-]+)"', text)) | set(re.findall(r'\bfield\("([a-z_]+)"', text))
    return found


def commands_of(configuration: dict[str, Any]) -> list[list[Any]]:
    entries = [
        *configuration["browser"],
        *(one for each in configuration["override"].values() for one in each["browser"]),
    ]
    return [command for entry in entries for task in entry["tasks"] for command in task.get("commands", [])]


@pytest.mark.parametrize("plan", list(PLANS))
def test_a_plan_is_complete(plan: str) -> None:
    made = suite_configuration(guide(), plan, MTLS)
    assert made["alias"] == "dinhdanh"
    assert made["server"]["discoveryUrl"].startswith(ISSUER)
    assert made["client"]["client_id"] != made["client2"]["client_id"]
    for client in (made["client"], made["client2"]):
        assert "client_secret" in client or "jwks" in client
    wanted = PLANS[plan]
    assert ("mtls" in made) == wanted.by_certificate
    assert made["resource"]["resourceUrl"].startswith(MTLS if wanted.by_certificate else ISSUER)
    assert ("dpop_signing_alg" in made["client"]) == wanted.dpop
    # Where discovery announces levels, the CIBA plan will not go on without one for its second client.
    assert (made["client2"].get("acr_value") in ACR_VALUES) == wanted.clients.startswith("ciba-")
    assert "acr_value" not in made["client"]


@pytest.mark.parametrize("plan", list(PLANS))
def test_the_browser_names_what_our_pages_have(plan: str) -> None:
    """That it gets through with them is walked in tests/conformance/test_printed_browser*.py."""
    known = ids_of_pages() | SHOWN_BY_THE_SUITE
    for command in commands_of(suite_configuration(guide(), plan, MTLS)):
        assert command[1] == "id"
        assert command[2] in known or NAMED_BY_DATA.fullmatch(command[2]), command


def test_modules_of_their_own_are_in_the_table() -> None:
    table = (CHECKOUT / "docs" / "conformance.md").read_text("utf-8")
    for module in suite_configuration(guide(), "oidcc-basic", MTLS)["override"]:
        assert f"`{module}`" in table, module
    for name, plan in PLANS.items():
        assert f"`{name}`" in table
        assert plan.name in table


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match="there is no plan"):
        suite_configuration(guide(), "oidcc-hybrid", MTLS)
    bare = guide()
    without = Sandbox(bare.issuer, bare.portal, bare.personas, (), (), (), DEFAULT_REDIRECT)
    with pytest.raises(CommandError, match="behind TLS only"):
        suite_configuration(without, "fapi2-mtls-mtls", "")


@pytest.mark.parametrize("value", ["http://suite.example/callback", "https://suite.example/elsewhere"])
def test_an_odd_address_of_return_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="callback"):
        ConformanceSettings(conformance_redirect=value)


def test_verified_claims_are_asked_for_where_they_are_told() -> None:
    """In userinfo alone: the variant is that, and every request of the configuration too."""
    assert PLANS["ekyc"].variant["ekyc_verified_claims_response_support"] == "userinfo"
    asked = suite_configuration(guide(), "ekyc", MTLS)["ekyc"]
    assert asked["verified_claims_request_list"]
    assert all(set(each) == {"userinfo"} for each in asked["verified_claims_request_list"])
    known, unknown = asked["userinfo"]["verified_claims"]
    assert known["verification"]["trust_framework"] == TRUST_FRAMEWORK
    assert set(known["claims"]) <= set(verifiable_claims())
    assert unknown["verification"]["trust_framework"] != TRUST_FRAMEWORK
    assert not set(unknown["claims"]) & set(verifiable_claims())
