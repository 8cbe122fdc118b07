"""The `claims` parameter: what is read, what is refused (security case 50)."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc.claims_parameter import ClaimAsk, parse
from oidc.errors import OAuthError


def test_reads_essential_voluntary_and_values() -> None:
    raw = orjson.dumps(
        {
            "userinfo": {"name": {"essential": True}, "email": None, "gender": {}},
            "id_token": {"acr": {"essential": True, "values": ["a", "b", 3]}, "sub": {"value": "x"}},
            "other": 1,
        }
    ).decode()
    asked = parse(raw)
    assert asked.userinfo == {"name": ClaimAsk(essential=True), "email": ClaimAsk(), "gender": ClaimAsk()}
    assert asked.id_token == {"acr": ClaimAsk(True, ("a", "b")), "sub": ClaimAsk(values=("x",))}


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "1",
        "null",
        '"x"',
        "{",
        '{"userinfo": []}',
        '{"userinfo": {"name": 1}}',
        '{"userinfo": {"name": {"essential": "yes"}}}',
        '{"userinfo": {"name": {"values": "x"}}}',
        '{"id_token": {"acr": {"value": "a", "values": ["b"]}}}',
        '{"a":' * 30 + "1" + "}" * 30,
        "[" * 5000,
        '{"x": "' + "y" * 5000 + '"}',
        '{"userinfo": {' + ",".join(f'"c{n}": null' for n in range(61)) + "}}",
    ],
)
def test_refuses_what_is_no_such_object(raw: str) -> None:
    with pytest.raises(OAuthError) as refused:
        parse(raw)
    assert refused.value.error == "invalid_request"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_nothing_but_an_oauth_error_comes_out(raw: str) -> None:
    with contextlib.suppress(OAuthError):
        parse(raw)
