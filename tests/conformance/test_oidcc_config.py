"""oidcc-config-certification-test-plan: the discovery document and the keys."""

import re

from core.jose import VerificationKey
from service.sandbox_suite import UNKNOWN_METADATA
from tests.conformance.suite import DISCOVERY, Conformance

REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "scopes_supported",
    "claims_supported",
}
REGISTERED = re.compile(r"[a-z0-9_]+")


async def test_oidcc_discovery_endpoint_verification(suite: Conformance) -> None:
    answer = await suite.http.get(DISCOVERY)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) >= REQUIRED
    assert document["issuer"] == suite.issuer
    assert "code" in document["response_types_supported"]
    assert set(document["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "authorization_code" in document["grant_types_supported"]
    assert "openid" in document["scopes_supported"]
    assert all(re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", scope) for scope in document["scopes_supported"])
    assert document["code_challenge_methods_supported"] == ["S256"]
    # Its absence is a warning of the suite: request objects by RS256 are a "should" of Discovery §3.
    assert "RS256" in document["request_object_signing_alg_values_supported"]
    assert isinstance(document["claims_parameter_supported"], bool)
    assert all(isinstance(each, str) for each in document["claims_supported"])
    # Of members that the suite's schema lacks it warns, unless the configuration names them.
    assert set(UNKNOWN_METADATA) <= set(document)
    for name, value in document.items():
        assert REGISTERED.fullmatch(name)
        assert value != [], f"{name} is an empty list"
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{suite.issuer}/"), name


async def test_the_keys(suite: Conformance) -> None:
    """What the suite's ValidateJwks looks at: public, named, usable, apart from each other."""
    keys = (await suite.http.get((await suite.http.get(DISCOVERY)).json()["jwks_uri"])).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        VerificationKey.from_jwk(key)
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "k"} & set(key)
