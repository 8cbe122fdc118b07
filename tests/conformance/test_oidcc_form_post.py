"""oidcc-formpost-basic-certification-test-plan: OAuth 2.0 Form Post Response Mode."""

from tests.conformance.suite import DROP, Conformance


async def test_oidcc_server(suite: Conformance) -> None:
    tokens = await suite.tokens(suite.request(response_mode="form_post"))
    await suite.userinfo(tokens)


async def test_oidcc_formpost_error(suite: Conformance) -> None:
    """An error goes by the form as well."""
    request = suite.request(response_mode="form_post", prompt="none")
    assert await suite.error(request) == "login_required"
    missing = suite.request(response_mode="form_post", response_type=DROP)
    assert await suite.error(missing) in {"unsupported_response_type", "invalid_request"}
