"""Scopes, and fields as claims."""

import uuid
from datetime import UTC, datetime

import pytest

from oidc import scopes
from oidc.claims import claim_of, field_of, purpose_claims, sign_in_fields, standard_claims
from oidc.claims_parameter import ClaimAsk
from oidc.errors import OAuthError
from oidc.grants import Grant, PurposeGrant
from oidc.userinfo import wanted


@pytest.mark.parametrize(
    "raw", ["", " ", "openid  email", "openid\temail", 'openid "', "ö", "a" * 200, "x " * 50 + "x"]
)
def test_malformed_scopes_are_refused(raw: str) -> None:
    with pytest.raises(OAuthError):
        scopes.parse(raw)


def test_scopes_are_kept_once_and_in_order() -> None:
    assert scopes.parse("openid purpose:school email openid") == ("openid", "purpose:school", "email")
    assert scopes.purposes_of(("openid", "purpose:school", "purpose:land")) == ("school", "land")


def test_a_refresh_may_ask_for_less_only() -> None:  # security case 30
    assert scopes.narrowed(("openid", "email"), None) == ("openid", "email")
    assert scopes.narrowed(("openid", "email"), "openid") == ("openid",)
    with pytest.raises(OAuthError) as refused:
        scopes.narrowed(("openid",), "openid email")
    assert refused.value.error == "invalid_scope"


def test_names_of_claims() -> None:
    assert claim_of("full_name") == "name"
    assert claim_of("marital_status") == "urn:dinhdanh:claim:marital_status"
    assert field_of("birthdate") == "birth_date"
    assert field_of("urn:dinhdanh:claim:children") == "children"
    assert field_of("urn:dinhdanh:claim:full_name") is None
    assert field_of("sub") is None
    assert field_of("nickname") is None


@pytest.mark.parametrize(("held", "told"), [("1960", "1960"), ("1960-05", "1960"), ("1960-05-17", "1960-05-17")])
def test_partial_birth_dates(held: str, told: str) -> None:
    assert standard_claims({"birth_date": held}) == {"birthdate": told}


def test_values_as_claims() -> None:
    address = {
        "text": "1 Phố Huế",
        "commune": "00256",
        "commune_name": "Phường Hai Bà Trưng",
        "province_name": "Hà Nội",
    }
    told = standard_claims({"full_name": "Nguyễn An", "permanent_residence": address, "email": None, "phone": "+84912"})
    assert told == {
        "name": "Nguyễn An",
        "phone_number": "+84912",
        "address": {
            "formatted": "1 Phố Huế",
            "locality": "Phường Hai Bà Trưng",
            "region": "Hà Nội",
            "country": "VN",
        },
    }
    assert purpose_claims({"permanent_residence": address, "email": None}) == {
        "urn:dinhdanh:claim:permanent_residence": address
    }


def test_fields_asked_for_by_scopes_and_single_claims() -> None:
    asked = sign_in_fields(
        ("openid", "profile", "email"),
        {"name": ClaimAsk(essential=True), "urn:dinhdanh:claim:marital_status": ClaimAsk(), "zoneinfo": ClaimAsk()},
    )
    assert asked.fields == ("full_name", "birth_date", "sex", "email", "marital_status")
    assert asked.essential == {"full_name"}


def _grant(granted: tuple[str, ...], purposes: dict[str, tuple[str, ...]]) -> Grant:
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
        claims={},
        granted_at=at,
        refresh_until=None,
        revoked_at=None,
    )


def test_a_dropped_scope_takes_its_fields_along() -> None:  # security case 30
    grant = _grant(
        ("openid", "profile", "email", "purpose:school"),
        {"sign-in": ("full_name", "email", "marital_status"), "school": ("children",)},
    )
    everything = wanted(grant, frozenset(grant.scopes), "sign-in")
    assert everything.fields == ("children", "email", "full_name", "marital_status")
    less = wanted(grant, frozenset({"openid", "profile"}), "sign-in")
    assert less.fields == ("full_name", "marital_status")
