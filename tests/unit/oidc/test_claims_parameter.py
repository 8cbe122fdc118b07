"""The `claims` parameter: what is read, what is refused (security case 50)."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc.claim_ask import BLIND, ClaimAsk
from oidc.claims_parameter import MAX_LENGTH, ClaimsAsk, from_kept, parse
from oidc.errors import OAuthError


def conceal(place: str, value: object) -> str:
    return f"{place}={orjson.dumps(value).decode()}"


def read(asked: object) -> ClaimsAsk:
    return parse(orjson.dumps(asked).decode(), conceal)


def test_reads_essential_voluntary_and_values() -> None:
    raw = orjson.dumps(
        {
            "userinfo": {"name": {"essential": True}, "email": None, "gender": {}},
            "id_token": {"acr": {"essential": True, "values": ["a", "b", 3]}, "sub": {"value": "x"}},
            "other": 1,
        }
    ).decode()
    asked = parse(raw, conceal)
    assert asked.userinfo == {"name": ClaimAsk(essential=True), "email": ClaimAsk(), "gender": ClaimAsk()}
    assert asked.userinfo["name"].constrained is False
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
        '{"x": "' + "y" * MAX_LENGTH + '"}',
        '{"userinfo": {"name": {"values": []}}}',
        '{"userinfo": {"verified_claims": null}}',
        '{"userinfo": {' + ",".join(f'"c{n}": null' for n in range(101)) + "}}",
    ],
)
def test_refuses_what_is_no_such_object(raw: str) -> None:
    with pytest.raises(OAuthError) as refused:
        parse(raw, conceal)
    assert refused.value.error == "invalid_request"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_nothing_but_an_oauth_error_comes_out(raw: str) -> None:
    with contextlib.suppress(OAuthError):
        parse(raw, conceal)


def test_values_to_compare_with_are_kept_as_fingerprints() -> None:
    asked = read({"userinfo": {"birthdate": {"value": "1990-09-02"}, "gender": {"values": ["male", 1, None]}}})
    assert asked.userinfo["birthdate"].blind == ('userinfo/birthdate="1990-09-02"',)
    assert asked.userinfo["gender"].blind == (
        'userinfo/gender="male"',
        "userinfo/gender=1",
        "userinfo/gender=null",
    )
    assert asked.compared == ("birthdate", "gender")


def test_what_is_kept_is_read_back_the_same() -> None:
    asked = read(
        {
            "userinfo": {"name": {"essential": True, "value": "An"}, "email": None, "unknown": None},
            "id_token": {"acr": {"essential": True, "values": ["a"]}, "name": None},
        }
    )
    again = parse(asked.to_parameter(), conceal)
    assert again == asked
    assert parse(again.to_parameter(), conceal) == asked
    assert from_kept(asked.to_keep()).userinfo == asked.userinfo
    assert from_kept({}) == ClaimsAsk()
    assert set(asked.userinfo) == {"name", "email"}
    assert set(asked.id_token) == {"acr"}


def test_a_fingerprint_of_the_client_s_own_making_is_a_limit_like_any_other() -> None:
    asked = read({"userinfo": {"name": {BLIND: ["x", 1]}, "email": {BLIND: "x"}}})
    assert asked.userinfo["name"].blind == ("x",)
    assert asked.userinfo["email"].blind is None


def test_an_age_of_a_birth_date_cannot_be_felt_for() -> None:
    assert read({"userinfo": {"birthdate": {"max_age": 1}}}).userinfo["birthdate"].blind == ()


def test_too_many_values_do_not_fit_where_they_are_kept() -> None:
    claims = {f"urn:dinhdanh:claim:{code}": {"values": list(range(10))} for code in ("religion", "children")}
    assert read({"userinfo": claims}).to_parameter()
    many = {name: {"values": ["x" * 20] * 10} for name in ("name", "email", "gender", "address", "birthdate")}
    asked = parse(orjson.dumps({"userinfo": many}).decode(), lambda place, value: "y" * 300)
    with pytest.raises(OAuthError):
        asked.to_parameter()
