"""The `claims` parameter: what is read, what is refused (security case 50)."""

import contextlib
import re
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc.claim_ask import BLIND, ClaimAsk
from oidc.claims_parameter import MAX_LENGTH, ClaimsAsk, from_kept, parse
from oidc.errors import OAuthError
from oidc.verified_claims import Assurance, verified_set


def conceal(place: str, value: object) -> str:
    """As long as a real fingerprint, and of its characters."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{place}={orjson.dumps(value).decode()}").ljust(43, "-")


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
    assert asked.userinfo["birthdate"].blind == (conceal("userinfo/birthdate", "1990-09-02"),)
    assert asked.userinfo["gender"].blind == (
        conceal("userinfo/gender", "male"),
        conceal("userinfo/gender", 1),
        conceal("userinfo/gender", None),
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
    own = "x" * 43
    asked = read({"userinfo": {"name": {BLIND: [own, 1]}, "email": {BLIND: "x"}, "gender": {BLIND: ["079084000999"]}}})
    assert asked.userinfo["name"].blind == (own,)
    assert asked.userinfo["gender"].blind == ()  # a limit still, that nothing meets
    assert asked.userinfo["email"].blind is None


LIMIT = {"value": "x"}
WORDS = [
    {"verification": {"trust_framework": None, "Zar 079084000999": LIMIT, "\0": LIMIT}, "claims": None},
    {"verification": {"trust_framework": {BLIND: ["Zar 079084000999", "\0"]}}, "claims": {"name": {BLIND: ["\0 Zar"]}}},
    {"verification": {"trust_framework": None, "assurance_process": {"Zar\0": LIMIT}}, "claims": None},
    {
        "verification": {
            "trust_framework": None,
            "evidence": [
                {"type": {"value": "Zar\0"}, "Zar": LIMIT},
                {"type": {"value": "electronic_record"}, "record": {"Zar" * 1000: LIMIT}, "\0": LIMIT},
                {"type": {"value": "document"}, "check_details": [{"check_method": {"value": "Zar"}}]},
            ],
        },
        "claims": {"Zar": LIMIT, "name": None},
    },
]


@pytest.mark.parametrize("verified", WORDS)
def test_nothing_of_the_client_s_own_words_is_kept(verified: object) -> None:
    """Neither in the cache nor with the grant nor in a line of the journal; the limits stay."""
    asked = read({"userinfo": {"verified_claims": verified}})
    for kept in (asked.to_parameter(), orjson.dumps(asked.to_keep()).decode(), *asked.verified[0].elements):
        assert "Zar" not in kept
        assert "\\u0000" not in kept
        assert "079084000999" not in kept
    assert from_kept(asked.to_keep()).verified == asked.verified
    held = Assurance({}, 2, None, "process", datetime(2026, 11, 2, tzinfo=UTC), lambda *_: False)
    assert verified_set(asked.verified[0], held) is None


def test_an_age_of_a_birth_date_cannot_be_felt_for() -> None:
    assert read({"userinfo": {"birthdate": {"max_age": 1}}}).userinfo["birthdate"].blind == ()


def test_too_many_values_do_not_fit_where_they_are_kept() -> None:
    claims = {f"urn:dinhdanh:claim:{code}": {"values": list(range(10))} for code in ("religion", "children")}
    assert read({"userinfo": claims}).to_parameter()
    many = {name: {"values": ["x" * 20] * 10} for name in ("name", "email", "gender", "address", "birthdate")}
    asked = parse(orjson.dumps({"userinfo": many}).decode(), lambda place, value: "y" * 300)
    with pytest.raises(OAuthError):
        asked.to_parameter()
