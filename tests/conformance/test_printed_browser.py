"""The browser commands that we print for the OpenID Connect plans come through every kind of module, page by page.

What the modules send is in the suite's source; what our answers hold is looked at in the tests of each plan. Here: that
the scripted browser gets where the module waits, once, and that it keeps a page exactly where the table says `review`.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conformance.printed import PLACEHOLDER, Walk, configuration
from tests.conformance.suite import DISCOVERY, DROP, Conformance
from tests.conformance.test_oidcc_basic import SCOPE_CLAIMS
from tests.support.furnished import Furnished
from tests.support.web_runner import WebRunnerError

BASIC = pytest.mark.parametrize("plan", ["oidcc-basic", "oidcc-formpost-basic"])
ONCE: Mapping[str, dict[str, Any]] = {
    "oidcc-server": {},
    "oidcc-display-popup": {"display": "popup"},
    "oidcc-login-hint": {"login_hint": "buffy@example.com"},
    "oidcc-ui-locales": {"ui_locales": "se"},
    "oidcc-claims-essential": {"claims": '{"userinfo":{"name":{"essential":true}}}'},
    "oidcc-refresh-token": {"scope": "openid offline_access", "prompt": "consent"},
}
NO_CHANGE: Mapping[str, dict[str, Any]] = {
    "max-age-10000": {"max_age": "10000"},
    "prompt-none-logged-in": {"prompt": "none"},
}


def mode(plan: str) -> dict[str, Any]:
    return {"response_mode": "form_post"} if "formpost" in plan else {}


@BASIC
@pytest.mark.parametrize("module", list(ONCE))
async def test_one_visit(suite: Conformance, plan: str, module: str) -> None:
    walk = Walk.of(suite, plan, module)
    await walk.tokens(suite.request(**mode(plan), **ONCE[module]))
    assert walk.runner.arrivals[0].method == ("POST" if mode(plan) else "GET")
    walk.ends_as_told(module)


@BASIC
@pytest.mark.parametrize("module", ["oidcc-scope-all", *(f"oidcc-scope-{scope}" for scope in SCOPE_CLAIMS)])
async def test_what_was_consented_to_is_told(suite: Conformance, plan: str, module: str) -> None:
    """The boxes that the commands tick are those of the claims that the module looks for."""
    scopes = list(SCOPE_CLAIMS) if module.endswith("-all") else [module.removeprefix("oidcc-scope-")]
    walk = Walk.of(suite, plan, module)
    tokens = await walk.tokens(suite.request(scope=" ".join(["openid", *scopes]), **mode(plan)))
    assert set(await suite.userinfo(tokens)) >= set().union(*(SCOPE_CLAIMS[scope] for scope in scopes))
    walk.ends_as_told(module)


@BASIC
async def test_by_post(suite: Conformance, plan: str) -> None:
    walk = Walk.of(suite, plan, "oidcc-ensure-post-request-succeeds")
    await walk.tokens(suite.request(**mode(plan)), method="POST")


@BASIC
async def test_levels_that_are_announced_ask_for_no_second_factor(suite: Conformance, plan: str) -> None:
    module = "oidcc-ensure-request-with-acr-values-succeeds"
    announced = (await suite.http.get(DISCOVERY)).json()["acr_values_supported"]
    walk = Walk.of(suite, plan, module)
    tokens = await walk.tokens(suite.request(acr_values=" ".join(announced), **mode(plan)))
    assert tokens["claims"]["acr"] in announced
    walk.ends_as_told(module)


@BASIC
@pytest.mark.parametrize(
    ("module", "again"), [("oidcc-prompt-login", {"prompt": "login"}), ("oidcc-max-age-1", {"max_age": "1"})]
)
async def test_a_second_sign_in_is_kept(suite: Conformance, plan: str, module: str, again: dict[str, Any]) -> None:
    """The first visit has no placeholder; the page of the second is what a person looks at."""
    walk = Walk.of(suite, plan, module)
    first = await walk.tokens(suite.request(**mode(plan)))
    assert not walk.runner.kept
    suite.furnished.clock.advance(timedelta(seconds=2))
    second = await walk.tokens(suite.request(**mode(plan), **again), PLACEHOLDER)
    assert second["claims"]["auth_time"] > first["claims"]["auth_time"]
    assert 'id="signin-form"' in walk.runner.kept[PLACEHOLDER]
    walk.ends_as_told(module)


@BASIC
@pytest.mark.parametrize("kind", [*NO_CHANGE, "id-token-hint"])
async def test_a_second_visit_without_a_page(suite: Conformance, plan: str, kind: str) -> None:
    walk = Walk.of(suite, plan, f"oidcc-{kind}")
    first = await walk.tokens(suite.request(**mode(plan)))
    changes = NO_CHANGE.get(kind, {"prompt": "none", "id_token_hint": first["id_token"]})
    second = await walk.tokens(suite.request(**mode(plan), **changes))
    assert second["claims"]["auth_time"] == first["claims"]["auth_time"]
    walk.ends_as_told(f"oidcc-{kind}")


@BASIC
@pytest.mark.parametrize(
    ("module", "changes", "placeholder", "errors"),
    [
        ("oidcc-prompt-none-not-logged-in", {"prompt": "none"}, None, {"login_required"}),
        (
            "oidcc-response-type-missing",
            {"response_type": DROP},
            PLACEHOLDER,
            {"unsupported_response_type", "invalid_request"},
        ),
    ],
)
async def test_an_error_goes_back(
    suite: Conformance, plan: str, module: str, changes: dict[str, Any], placeholder: str | None, errors: set[str]
) -> None:
    walk = Walk.of(suite, plan, module)
    answer = await walk.asked(suite.request(**mode(plan), **changes), placeholder)
    assert answer["error"] in errors
    walk.ends_as_told(module)


@BASIC
@pytest.mark.parametrize(
    ("module", "added"),
    [
        ("oidcc-ensure-registered-redirect-uri", "/unregistered"),
        ("oidcc-redirect-uri-query-mismatch", "?foo=bad"),
        ("oidcc-redirect-uri-query-added", "?foo=bar"),
        ("oidcc-ensure-redirect-uri-in-authorization-request", None),
    ],
)
async def test_an_error_page_is_kept(suite: Conformance, plan: str, module: str, added: str | None) -> None:
    """The last three are modules of Dynamic, for which no configuration is printed: the override serves whoever writes
    one."""
    walk = Walk.of(suite, plan, module)
    target = DROP if added is None else f"{suite.client.redirect_uris[0]}{added}"
    visit = await walk.open(walk.url(suite.request(redirect_uri=target, **mode(plan))), PLACEHOLDER)
    assert visit.status == 400
    assert walk.runner.arrivals == []
    assert 'id="error-message"' in walk.runner.kept[PLACEHOLDER]


async def test_form_post_without_scripts(suite: Conformance) -> None:
    """The suite's browser runs our one script; should it not, the button is pressed."""
    walk = Walk.of(suite, "oidcc-formpost-basic", "oidcc-server", scripts=False)
    await walk.tokens(suite.request(response_mode="form_post", scope="openid email"))
    await walk.tokens(suite.request(response_mode="form_post", prompt="none", scope="openid email"))


async def test_verified_claims(suite: Conformance) -> None:
    """One after the other in one browser, as the module asks."""
    module = "ekyc-server-testuserprovidedrequest"
    walk = Walk.of(suite, "ekyc", module)
    for claims in configuration(suite.furnished, "ekyc")["ekyc"]["verified_claims_request_list"]:
        tokens = await walk.tokens(suite.request(claims=orjson.dumps(claims).decode()))
        assert "verified_claims" in await suite.userinfo(tokens)
    walk.ends_as_told(module)


def test_every_override_is_walked(furnished: Furnished) -> None:
    """By its name, or what is left without the head that a file's modules share."""
    walked = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_printed_browser*.py"))
    for module in configuration(furnished, "oidcc-basic")["override"]:
        named = [module, module.removeprefix("fapi2-security-profile-final-")]
        assert any(f'"{name}"' in walked for name in [*named, module.removeprefix("oidcc-rp-initiated-logout-")]), (
            module
        )


async def test_a_walk_that_goes_wrong_is_told(suite: Conformance) -> None:
    """The walk itself: an element that never comes, a page where none was expected, an address of nobody."""
    walk = Walk.of(suite, "oidcc-basic", "oidcc-server")
    url = walk.url(suite.request())
    match = walk.runner.browser[0]["match"]
    tasks = {"timed out": [{"task": "t", "commands": [["wait", "id", "none", 10]]}]}
    tasks["unexpected address"] = [{"task": "t", "match": "*/elsewhere"}]
    tasks["no such element"] = [{"task": "t", "commands": [["click", "id", "none"]]}]
    tasks["invalid command"] = [{"task": "t", "commands": [["press", "id", "leave"]]}]
    tasks["no placeholder"] = [
        {"task": "t", "commands": [["wait", "id", "signin-form", 1, ".+", "update-image-placeholder"]]}
    ]
    tasks["is hidden"] = [{"task": "t", "commands": [["click", "name", "csrf"]]}]
    for problem, wrong in tasks.items():
        walk.runner.browser = [{"match": match, "tasks": wrong}]
        with pytest.raises(WebRunnerError, match=problem):
            await walk.runner.go(url)
    walk.runner.browser = [{"match": match, "match-limit": 0, "tasks": []}]
    assert (await walk.runner.go(url)).by_hand
