"""Scopes, and fields as claims."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from oidc import scopes
from oidc.claims import (
    SCOPE_CLAIMS,
    SCOPE_FIELDS,
    field_of,
    may_be_verified,
    purpose_claims,
    value_of,
    verifiable_claims,
)
from oidc.claims_parameter import ClaimsAsk, parse, sign_in_fields
from oidc.errors import OAuthError
from oidc.grants import Grant, PurposeGrant
from oidc.userinfo_claims import wanted


@pytest.mark.parametrize("raw", ["", " ", "openid  email", "openid\temail", 'openid "', "ö", "x " * 50 + "x"])
def test_malformed_scopes_are_refused(raw: str) -> None:
    with pytest.raises(OAuthError):
        scopes.parse(raw)


def test_scopes_are_kept_once_and_in_order() -> None:
    assert scopes.parse("openid purpose:school email openid") == ("openid", "purpose:school", "email")
    assert scopes.purposes_of(("openid", "purpose:school", "purpose:land")) == ("school", "land")


def test_words_that_are_no_scope_here() -> None:
    """A purpose is one whoever declared it; a word of any length may be none."""
    asked = scopes.parse(f"openid admin Email https://x.example/{'a' * 200} phone lookup purpose:x purposes:x")
    assert scopes.understood(asked) == ("openid", "phone", "lookup", "purpose:x")
    assert all(scopes.may_be_registered(scope) for scope in scopes.understood(asked))
    long = f"purpose:{'a' * 200}"
    assert scopes.understood((long, "purpose:")) == (long, "purpose:")
    assert not scopes.may_be_registered(long)


def test_a_refresh_may_ask_for_less_only() -> None:  # security case 30
    assert scopes.narrowed(("openid", "email"), None) == ("openid", "email")
    assert scopes.narrowed(("openid", "email"), "openid") == ("openid",)
    with pytest.raises(OAuthError) as refused:
        scopes.narrowed(("openid",), "openid email")
    assert refused.value.error == "invalid_scope"


def test_names_of_claims() -> None:
    assert field_of("birthdate") == "birth_date"
    assert field_of("given_name") == "full_name"
    assert field_of("urn:dinhdanh:claim:children") == "children"
    assert field_of("urn:dinhdanh:claim:full_name") is None, "one name for one thing"
    assert field_of("urn:dinhdanh:claim:self_declared") is None
    assert field_of("urn:dinhdanh:claim:shoe_size") is None
    assert field_of("sub") is None
    assert field_of("nickname") == "self_declared"


def test_only_facts_of_the_registry_are_ever_verified() -> None:
    assert may_be_verified("name")
    assert may_be_verified("nationalities")
    assert may_be_verified("urn:dinhdanh:claim:marital_status")
    for claim in ("given_name", "nickname", "updated_at", "email", "email_verified", "phone_number", "sub", "nonsense"):
        assert not may_be_verified(claim), claim
    assert not {"nickname", "family_name", "email"} & set(verifiable_claims())


def test_every_scope_stands_for_the_claims_of_the_specification() -> None:
    """OpenID Connect Core §5.4."""
    assert set(SCOPE_CLAIMS["profile"]) == {
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
        "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    }  # fmt: skip
    assert set(SCOPE_CLAIMS["email"]) == {"email", "email_verified"}
    assert set(SCOPE_CLAIMS["phone"]) == {"phone_number", "phone_number_verified"}
    assert SCOPE_CLAIMS["address"] == ("address",)
    assert SCOPE_FIELDS["profile"] == ("full_name", "birth_date", "sex", "self_declared")


@pytest.mark.parametrize(("held", "told"), [("1960", "1960"), ("1960-05", "1960"), ("1960-05-17", "1960-05-17")])
def test_partial_birth_dates(held: str, told: str) -> None:
    assert value_of("birthdate", held) == told


def test_values_as_claims() -> None:
    address = {
        "text": "1 Phố Huế",
        "commune": "00256",
        "commune_name": "Phường Hai Bà Trưng",
        "province_name": "Hà Nội",
    }
    assert value_of("address", address) == {
        "formatted": "1 Phố Huế",
        "locality": "Phường Hai Bà Trưng",
        "region": "Hà Nội",
        "country": "VN",
    }
    assert value_of("email_verified", "an@example.vn") is False
    assert value_of("nationalities", "VN") == ["VN"]
    assert value_of("place_of_birth", {"text": "xã Yên Trị", "province_name": "Ninh Bình"}) == {
        "locality": "xã Yên Trị",
        "region": "Ninh Bình",
    }
    assert value_of("nickname", {"nickname": "An", "updated_at": 1}) == "An"
    assert value_of("website", {"nickname": "An", "updated_at": 1}) is None
    assert value_of("name", None) is None
    assert purpose_claims({"permanent_residence": address, "email": None}) == {
        "urn:dinhdanh:claim:permanent_residence": address
    }


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Nguyễn Thị An", ("Nguyễn", "Thị", "An")),
        ("TRẦN QUỐC BÌNH", ("TRẦN", "QUỐC", "BÌNH")),
        ("Hoàng Thị Thu Giang", ("Hoàng", "Thị Thu", "Giang")),
        ("Lê Lợi", ("Lê", None, "Lợi")),
        ("Tôn Thất Tùng", ("Tôn Thất", None, "Tùng")),
        ("Âu Dương Ngọc Lan", ("Âu Dương", "Ngọc", "Lan")),
        ("H'Tâm Niê", (None, None, None)),  # Ê Đê: the family name stands last
        ("Y Moan Ênuôl", (None, None, None)),
        ("Nguyễn", (None, None, None)),
        ("Marie Curie", (None, None, None)),
    ],
)
def test_parts_of_a_name_are_hints_where_the_cut_is_sure(name: str, parts: tuple[str | None, ...]) -> None:
    assert tuple(value_of(part, name) for part in ("family_name", "middle_name", "given_name")) == parts


def _asked(**members: object) -> ClaimsAsk:
    return parse(orjson.dumps(members).decode(), lambda place, value: f"{place}={value}")


def test_fields_asked_for_by_scopes_and_single_claims() -> None:
    userinfo = {"name": {"essential": True}, "urn:dinhdanh:claim:marital_status": None, "zoneinfo": None, "x": None}
    asked = sign_in_fields(("openid", "profile", "email"), _asked(userinfo=userinfo))
    assert asked.fields == ("full_name", "birth_date", "sex", "self_declared", "email", "marital_status")
    assert asked.essential == {"full_name"}


def test_fields_asked_for_inside_verified_claims() -> None:
    document = {"type": {"value": "document"}, "document_details": {"type": None, "document_number": None}}
    verified = {
        "verification": {"trust_framework": None, "evidence": [document]},
        "claims": {"birthdate": {"essential": True}, "nickname": None, "email": None},
    }
    asked = sign_in_fields(("openid",), _asked(userinfo={"verified_claims": verified}))
    assert asked.fields == ("birth_date", "card", "personal_number")
    assert asked.essential == {"birth_date"}
    nothing = sign_in_fields(("openid",), _asked(id_token={"verified_claims": verified, "name": None}))
    assert nothing.fields == (), "an id_token never holds a field of a record"


def _grant(
    granted: tuple[str, ...], purposes: dict[str, tuple[str, ...]], claims: Mapping[str, Any] | None = None
) -> Grant:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    return Grant(
        person_id=uuid.uuid4(),
        gid=uuid.uuid4(),
        account_id=uuid.uuid4(),
        client_id="c",
        agency_id=uuid.uuid4(),
        scopes=granted,
        purposes={code: PurposeGrant((), fields) for code, fields in purposes.items()},
        acr="",
        aal=1,
        ial=1,
        amr=(),
        auth_time=at,
        sid="",
        nonce=None,
        redirect_uri="",
        code_challenge="",
        code_expires_at=at,
        dpop_jkt=None,
        kind="code",
        resources=(),
        authorization_details=(),
        claims=claims or {},
        granted_at=at,
        refresh_until=None,
        revoked_at=None,
    )


def test_a_dropped_scope_takes_its_fields_along() -> None:  # security case 30
    grant = _grant(
        ("openid", "profile", "email", "purpose:school"),
        {"sign-in": ("full_name", "email", "marital_status"), "school": ("children",)},
        {"userinfo": {"urn:dinhdanh:claim:marital_status": None, "name": None}},
    )
    everything = wanted(grant, frozenset(grant.scopes), "sign-in")
    assert everything.fields == ("children", "email", "full_name", "marital_status")
    less = wanted(grant, frozenset({"openid", "profile"}), "sign-in")
    assert less.fields == ("full_name", "marital_status")


def test_a_consented_field_that_nothing_asks_for_stays_in() -> None:
    grant = _grant(("openid", "email"), {"sign-in": ("full_name", "email", "self_declared")})
    opened = wanted(grant, frozenset(grant.scopes), "sign-in")
    assert opened.fields == ("email",)
    assert set(opened.claims) == {"email", "email_verified"}


def test_what_people_say_of_themselves_goes_by_its_claims_only() -> None:
    grant = _grant(("openid", "purpose:sign-in"), {"sign-in": ("full_name", "self_declared")})
    assert wanted(grant, frozenset(grant.scopes), "sign-in").fields == ("full_name",)
