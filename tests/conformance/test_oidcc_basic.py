"""oidcc-basic-certification-test-plan: OpenID Connect Core, Basic OP (38 modules)."""

from datetime import timedelta
from urllib.parse import urlencode

import orjson
import pytest

from tests.conformance.suite import DISCOVERY, DROP, Conformance

PROFILE_CLAIMS = {
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "preferred_username",
}
SCOPE_CLAIMS = {
    "profile": PROFILE_CLAIMS,
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}


async def test_oidcc_server(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request())
    assert "name" not in tokens["claims"]
    await suite.userinfo(tokens)


async def test_oidcc_response_type_missing(suite: Conformance) -> None:
    error = await suite.error(suite.request(response_type=DROP))
    assert error in {"unsupported_response_type", "invalid_request"}


async def test_oidcc_idtoken_signature(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request())  # checks alg, kid and the signature
    assert tokens["id_token"].count(".") == 2


async def test_oidcc_idtoken_unsigned(suite: Conformance) -> None:
    """Skipped by the suite, since `none` is not announced; here: it truly is not."""
    metadata = (await suite.http.get(DISCOVERY)).json()
    assert "none" not in metadata["id_token_signing_alg_values_supported"]


async def test_oidcc_userinfo_get(suite: Conformance) -> None:
    await suite.userinfo(await suite.tokens(suite.request()))


async def test_oidcc_userinfo_post_header(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request())
    answer = await suite.http.post("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    suite.userinfo_response(answer, tokens)


async def test_oidcc_userinfo_post_body(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request())
    answer = await suite.http.post("/userinfo", data={"access_token": tokens["access_token"]})
    suite.userinfo_response(answer, tokens)


async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request(nonce=DROP))
    assert "nonce" not in tokens["claims"]


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone"])
async def test_oidcc_scope(suite: Conformance, scope: str) -> None:
    """oidcc-scope-profile, -email, -address, -phone."""
    tokens = await suite.tokens(suite.request(scope=f"openid {scope}"))
    told = await suite.userinfo(tokens)
    assert set(told) >= SCOPE_CLAIMS[scope], SCOPE_CLAIMS[scope] - set(told)
    others = set().union(*(claims for name, claims in SCOPE_CLAIMS.items() if name != scope))
    assert not set(told) & others
    assert not set(tokens["claims"]) & (PROFILE_CLAIMS | {"email", "address", "phone_number"})


async def test_oidcc_scope_all(suite: Conformance) -> None:
    told = await suite.userinfo(await suite.tokens(suite.request(scope="openid profile email address phone")))
    assert set(told) >= set().union(*SCOPE_CLAIMS.values())


async def test_oidcc_alternate_happy_flow(suite: Conformance) -> None:
    """The scopes in another order."""
    told = await suite.userinfo(await suite.tokens(suite.request(scope="email openid")))
    assert "email" in told


@pytest.mark.parametrize("display", ["page", "popup"])
async def test_oidcc_display(suite: Conformance, display: str) -> None:
    """oidcc-display-page, oidcc-display-popup."""
    await suite.tokens(suite.request(display=display))


async def test_oidcc_prompt_login(suite: Conformance) -> None:
    first = await suite.tokens(suite.request(scope="openid"))
    suite.furnished.clock.advance(timedelta(seconds=35))
    request = suite.request(prompt="login")
    page = await suite.open(request)
    assert page.path == "/signin", "the person must sign in again"
    second = await suite.tokens(request, suite.callback(await suite.agree(page), request)["code"])
    assert second["claims"]["sub"] == first["claims"]["sub"]
    assert second["claims"]["auth_time"] > first["claims"]["auth_time"]


async def test_oidcc_prompt_none_not_logged_in(suite: Conformance) -> None:
    assert await suite.error(suite.request(prompt="none")) == "login_required"


async def test_oidcc_prompt_none_logged_in(suite: Conformance) -> None:
    first = await suite.tokens(suite.request())
    request = suite.request(prompt="none")
    page = await suite.open(request)
    second = await suite.tokens(request, suite.callback(page, request)["code"])
    assert second["claims"]["sub"] == first["claims"]["sub"]
    assert second["claims"]["auth_time"] == first["claims"]["auth_time"]


async def test_oidcc_max_age_1(suite: Conformance) -> None:
    first = await suite.tokens(suite.request())
    suite.furnished.clock.advance(timedelta(seconds=35))
    request = suite.request(max_age="1")
    page = await suite.open(request)
    assert page.path == "/signin"
    second = await suite.tokens(request, suite.callback(await suite.agree(page), request)["code"])
    now = int(suite.furnished.clock.now().timestamp())
    assert second["claims"]["auth_time"] > first["claims"]["auth_time"]
    assert now - second["claims"]["auth_time"] <= 1


async def test_oidcc_max_age_10000(suite: Conformance) -> None:
    first = await suite.tokens(suite.request(max_age="15000"))
    request = suite.request(max_age="10000")
    page = await suite.open(request)
    second = await suite.tokens(request, suite.callback(page, request)["code"])
    assert second["claims"]["auth_time"] == first["claims"]["auth_time"]
    assert second["claims"]["sub"] == first["claims"]["sub"]


async def test_oidcc_ensure_request_with_unknown_parameter_succeeds(suite: Conformance) -> None:
    await suite.tokens(suite.request(extra="foobar"))


async def test_oidcc_id_token_hint(suite: Conformance) -> None:
    first = await suite.tokens(suite.request())
    request = suite.request(prompt="none", id_token_hint=first["id_token"])
    second = await suite.tokens(request, suite.callback(await suite.open(request), request)["code"])
    assert second["claims"]["sub"] == first["claims"]["sub"]


async def test_oidcc_login_hint(suite: Conformance) -> None:
    await suite.tokens(suite.request(login_hint="buffy@example.com"))


async def test_oidcc_ui_locales(suite: Conformance) -> None:
    await suite.tokens(suite.request(ui_locales="se"))


async def test_oidcc_claims_locales(suite: Conformance) -> None:
    await suite.tokens(suite.request(claims_locales="se"))


async def test_oidcc_ensure_request_with_acr_values_succeeds(suite: Conformance) -> None:
    announced = (await suite.http.get(DISCOVERY)).json()["acr_values_supported"]
    tokens = await suite.tokens(suite.request(acr_values=" ".join(announced)))
    assert tokens["claims"]["acr"] in announced
    # Without metadata the suite asks for "1 2", which nobody here knows.
    await suite.tokens(suite.request(acr_values="1 2"))


async def test_oidcc_codereuse(suite: Conformance) -> None:
    request = suite.request()
    code = await suite.code(request)
    await suite.tokens(request, code)
    assert suite.token_error(await suite.redeem(request, code)) == "invalid_grant"


async def test_oidcc_codereuse_30seconds(suite: Conformance) -> None:
    request = suite.request()
    code = await suite.code(request)
    tokens = await suite.tokens(request, code)
    suite.furnished.clock.advance(timedelta(seconds=30))
    assert suite.token_error(await suite.redeem(request, code)) == "invalid_grant"
    answer = await suite.http.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert 400 <= answer.status_code < 500


async def test_oidcc_ensure_registered_redirect_uri(suite: Conformance) -> None:
    """The person sees an error page; the browser is not sent anywhere."""
    page = await suite.open(suite.request(redirect_uri=f"{suite.client.redirect_uris[0]}/unregistered"))
    assert page.status == 400
    assert "location" not in page.response.headers
    assert "redirect_uri" in page.text


async def test_oidcc_ensure_post_request_succeeds(suite: Conformance) -> None:
    request = suite.request()
    page = await suite.browser._show(await suite.http.post("/authorize", data=request.params))
    await suite.tokens(request, suite.callback(await suite.agree(page), request)["code"])


async def test_oidcc_server_client_secret_post(suite_post: Conformance) -> None:
    await suite_post.userinfo(await suite_post.tokens(suite_post.request()))


async def test_oidcc_request_uri_unsigned(suite: Conformance) -> None:
    """oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported: rejected."""
    request = suite.request(request_uri="https://localhost.emobix.co.uk:8443/test/a/dinhdanh/requestobject.jwt")
    assert await suite.error(request) == "request_uri_not_supported"


async def test_oidcc_unsigned_request_object(suite: Conformance) -> None:
    """oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported: `none` is not announced, and an
    object that is not signed opens nothing."""
    metadata = (await suite.http.get(DISCOVERY)).json()
    assert "none" not in metadata["request_object_signing_alg_values_supported"]
    request = suite.request(state=DROP)
    claims = {"aud": suite.issuer, "iss": suite.client.client_id, **request.params}
    object_ = ".".join([_part({"alg": "none"}), _part(claims), ""])
    request.params["request"] = object_
    page = await suite.open(request)
    assert page.status == 400 or suite.callback(page, request)["error"] == "invalid_request_object"


async def test_oidcc_claims_essential(suite: Conformance) -> None:
    asked = orjson.dumps({"userinfo": {"name": {"essential": True}}}).decode()
    tokens = await suite.tokens(suite.request(claims=asked))
    assert (await suite.userinfo(tokens))["name"] == suite.persona.name
    assert "name" not in tokens["claims"]


async def test_oidcc_ensure_request_object_with_redirect_uri(suite: Conformance) -> None:
    """An address outside the object that is not registered, one inside that is: the browser is not sent outside."""
    request = suite.request()
    object_ = ".".join([_part({"alg": "none"}), _part(request.params), ""])
    bad = {**request.params, "redirect_uri": f"{request.params['redirect_uri']}/bad", "request": object_}
    page = await suite.browser.open("/authorize?" + urlencode(bad))
    assert page.status == 400
    assert "location" not in page.response.headers


async def test_oidcc_refresh_token(suite: Conformance) -> None:
    request = suite.request(scope="openid offline_access", prompt="consent")
    first = await suite.tokens(request)
    suite.furnished.clock.advance(timedelta(seconds=5))
    renewed = suite.token_response(
        await suite.post({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    )
    claims = await suite.id_token(renewed["id_token"], request, renewed["access_token"], nonce=False)
    assert all(claims[name] == first["claims"][name] for name in ("iss", "sub", "aud", "auth_time"))
    assert claims["iat"] > first["claims"]["iat"]
    # Another client cannot use it.
    other = Conformance(suite.furnished, suite.browser, suite.furnished.client("conformance-core-2"), suite.persona)
    answer = await other.post({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    assert other.token_error(answer) == "invalid_grant"


async def test_oidcc_ensure_request_with_valid_pkce_succeeds(suite: Conformance) -> None:
    await suite.tokens(suite.request(pkce=True))


def _part(value: object) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()
