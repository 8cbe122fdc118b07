"""Whatever a request asks: it is read or refused, kept and read back the same, and answered with nothing more."""

import base64
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from oidc.claim_ask import BLIND
from oidc.claims import field_of, value_of, verifiable_claims
from oidc.claims_parameter import ClaimsAsk, from_kept, parse
from oidc.errors import OAuthError
from oidc.grants import Grant, PurposeGrant
from oidc.userinfo_claims import Circumstances, told, wanted
from oidc.verified_claims import TRUST_FRAMEWORK, Assurance, verified_set
from population_db.api import FieldValue
from tests.support.ida_schema import faults

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
HELD: dict[str, Any] = {
    "full_name": "Nguyễn Thị An",
    "birth_date": "1990-09-02",
    "sex": "female",
    "nationality": "VN",
    "permanent_residence": {"text": "1 Phố Huế", "commune_name": "Phường Hai Bà Trưng", "province_name": "Hà Nội"},
    "card": {"issued_on": "2022-03-29", "issued_by": "Cục Cảnh sát", "expires_on": "2030-02-27"},
    "personal_number": "036190990001",
    "email": "an@example.vn",
    "self_declared": {"nickname": "An", "updated_at": 1},
    "religion": "none",
}
VALUES = {code: FieldValue(value, "civil-status", date(2025, 3, 1)) for code, value in HELD.items()}


def conceal(place: str, value: Any) -> str:
    told = hashlib.sha256(f"{place} ".encode() + orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
    return base64.urlsafe_b64encode(told.digest()).rstrip(b"=").decode()


def matches(place: str, value: Any, kept: Iterable[str]) -> bool:
    return conceal(place, value) in kept


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
RIGHT = st.sampled_from([TRUST_FRAMEWORK, "ial2", "population_register", "idcard", "An", "female", "1990-09-02", "VN"])
LEAF: st.SearchStrategy[Any] = (
    st.none()
    | st.just({})
    | st.fixed_dictionaries({"essential": st.booleans()})
    | st.fixed_dictionaries({"value": RIGHT | JUNK})
    | st.fixed_dictionaries({"values": st.lists(RIGHT | JUNK, min_size=1, max_size=3)})
    | st.fixed_dictionaries({"max_age": st.integers(0, 2**40)})
)
HELD_NAMES = st.sampled_from(["name", "birthdate", "gender", "nationalities", "address", "urn:dinhdanh:claim:religion"])
NAMES = HELD_NAMES | st.sampled_from(
    [*verifiable_claims(), "nickname", "email", "given_name", "updated_at", "unknown", "sub"]
)
CLAIMS = st.dictionaries(NAMES, LEAF, max_size=5)
ORIGIN = st.dictionaries(st.sampled_from(["name", "country", "country_code", "region"]), LEAF, max_size=3)
RECORD = st.fixed_dictionaries(
    {"type": st.just({"value": "electronic_record"})},
    optional={"record": st.fixed_dictionaries({}, optional={"type": LEAF, "created_at": LEAF, "source": ORIGIN})},
)
DOCUMENT = st.fixed_dictionaries(
    {"type": st.just({"value": "document"})},
    optional={
        "check_details": st.just([{"check_method": None}]) | st.just([{"check_method": {"value": "pipp"}}]),
        "document_details": st.fixed_dictionaries(
            {}, optional={"type": LEAF, "document_number": LEAF, "date_of_expiry": LEAF, "issuer": ORIGIN}
        ),
    },
)
VERIFICATION = st.fixed_dictionaries(
    {"trust_framework": LEAF},
    optional={
        "assurance_level": LEAF,
        "time": LEAF,
        "verification_process": LEAF,
        "assurance_process": st.fixed_dictionaries({"policy": LEAF}),
        "evidence": st.lists(RECORD | DOCUMENT | st.just({"type": {"value": "vouch"}}), min_size=1, max_size=3),
        "of_tomorrow": LEAF | JUNK,
    },
)
SET = st.fixed_dictionaries({"verification": VERIFICATION, "claims": st.none() | CLAIMS})
REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "userinfo": st.builds(
            lambda plain, verified: {**plain, **({"verified_claims": verified} if verified is not None else {})},
            CLAIMS,
            st.none() | SET | st.lists(SET, min_size=1, max_size=3),
        ),
        "id_token": st.dictionaries(st.sampled_from(["acr", "sub", "auth_time", "name"]), LEAF, max_size=3),
        "other": JUNK,
    },
)


def read(request: Any) -> ClaimsAsk | None:
    try:
        return parse(orjson.dumps(request).decode(), conceal)
    except OAuthError as refused:
        if refused.error != "invalid_request":
            raise
        return None


@given(JUNK | st.fixed_dictionaries({"userinfo": st.fixed_dictionaries({"verified_claims": JUNK})}))
def test_whatever_comes_is_read_or_refused(request: Any) -> None:
    read(request)


@given(REQUEST)
def test_what_is_kept_reads_back_the_same(request: Any) -> None:
    asked = read(request)
    if asked is None:
        return
    again = parse(asked.to_parameter(), conceal)
    assert again == asked
    kept = from_kept(orjson.loads(orjson.dumps(asked.to_keep())))
    assert (kept.userinfo, kept.verified) == (asked.userinfo, asked.verified)


@settings(max_examples=300)
@given(SET, st.just(frozenset(HELD)) | st.frozensets(st.sampled_from(sorted(HELD))))
def test_a_set_says_nothing_that_was_not_asked_for(request: Any, allowed: frozenset[str]) -> None:
    asked = read({"userinfo": {"verified_claims": request}})
    if asked is None:
        return
    (ask,) = asked.verified
    values = {code: value for code, value in VALUES.items() if code in allowed & set(ask.fields)}
    made = verified_set(ask, Assurance(values, 2, NOW, "reference", NOW, matches))
    if made is None:
        return
    assert faults(made) == []
    assert set(made["claims"]) <= set(request["claims"] or {}) & set(verifiable_claims())
    for name, value in made["claims"].items():
        assert field_of(name) in allowed
        _holds(request["claims"][name], value)
    assert set(made["verification"]) <= set(request["verification"])
    for name in ("trust_framework", "assurance_level", "verification_process", "of_tomorrow"):
        limits = request["verification"].get(name)
        if isinstance(limits, dict) and {"value", "values"} & limits.keys():
            _holds(limits, made["verification"].get(name))
    for piece in made["verification"].get("evidence", ()):
        filters = [one for one in request["verification"]["evidence"] if one["type"]["value"] == piece["type"]]
        assert any(_within(piece, one) for one in filters)
        number = piece.get("document_details", {}).get("document_number")
        assert number is None or "personal_number" in allowed


def _holds(asked: Any, value: Any) -> None:
    if asked and "value" in asked:
        assert orjson.dumps(value) == orjson.dumps(asked["value"])
    if asked and "values" in asked:
        assert orjson.dumps(value) in {orjson.dumps(one) for one in asked["values"]}


def _within(piece: Any, asked: Any) -> bool:
    """Whether every member told was asked for; `type` comes with its object."""
    return all(
        name == "type" or (name in asked and (not isinstance(inner, dict) or _within(inner, asked[name] or {})))
        for name, inner in piece.items()
    )


@given(
    REQUEST,
    st.frozensets(st.sampled_from(sorted(HELD))),
    st.frozensets(st.sampled_from(["profile", "email", "purpose:x"])),
)
def test_an_answer_stays_within_consent_and_request(
    request: Any, consented: frozenset[str], scopes: frozenset[str]
) -> None:
    asked = read(request)
    if asked is None:
        return
    grant = _grant(("openid", *sorted(scopes)), consented, asked.to_keep())
    opened = wanted(grant, frozenset(grant.scopes), "sign-in")
    assert set(opened.fields) <= consented
    values = {code: VALUES[code] for code in opened.fields}
    answer = told(opened, values, grant, Circumstances(NOW, "reference", NOW, matches))
    by_scope = {"profile", "email"} & scopes
    plain = request.get("userinfo", {})
    for name, value in answer.items():
        if name == "verified_claims":
            assert faults(value) == []
            continue
        assert field_of(name) in consented
        assert name in plain or by_scope
        assert value == value_of(name, HELD[field_of(name) or ""])
        _holds(plain.get(name), value)
    assert BLIND not in orjson.dumps(answer).decode()


def _grant(scopes: tuple[str, ...], consented: frozenset[str], kept: Mapping[str, Any]) -> Grant:
    return Grant(
        person_id=uuid.uuid4(),
        gid=uuid.uuid4(),
        account_id=uuid.uuid4(),
        client_id="c",
        agency_id=uuid.uuid4(),
        scopes=scopes,
        purposes={"sign-in": PurposeGrant((), tuple(sorted(consented)))},
        acr="",
        aal=1,
        ial=2,
        amr=(),
        auth_time=NOW,
        sid="",
        nonce=None,
        redirect_uri="",
        code_challenge="",
        code_expires_at=NOW,
        dpop_jkt=None,
        kind="code",
        resources=(),
        authorization_details=(),
        claims=kept,
        granted_at=NOW,
        refresh_until=None,
        revoked_at=None,
    )
