"""Authorization requests of any shape: read as one thing or refused, never a failure; nothing grows on the way."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.web.forms import parse_pairs
from oidc import authorization_details, resources
from oidc.authorization_details import LookupDetail
from oidc.errors import OAuthError
from oidc.redirect_uris import is_app_address, is_registrable, matches, origin_of
from oidc.request_objects import parameters_of
from population_db.api import FIELDS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
ISSUER = "https://id.example"
OURS = (f"{ISSUER}/userinfo", f"{ISSUER}/api/lookup")
TYPES = authorization_details.TYPES
T = TypeVar("T")


def outcome(call: Callable[[], T]) -> tuple[T | None, str]:
    """What came out, or the code it was refused with; anything else fails the test."""
    try:
        return call(), ""
    except OAuthError as error:
        return None, error.error if error.description.isascii() else error.description
    except Refusal as refusal:
        return None, str(refusal.status)


# --- request objects ----------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["scope", "state", "max_age", "claims", "resource", "redirect_uri", "iss", "exp", "x"])


@given(st.dictionaries(_NAMES | st.text(max_size=8), JSON, max_size=8))
def test_claims_become_texts_or_are_refused(claims: dict[str, Any]) -> None:
    found, error = outcome(lambda: parameters_of(claims))
    if found is None:
        assert error == "invalid_request_object"
        return
    assert not {"iss", "aud", "exp", "nbf", "iat", "jti"} & found.keys()
    assert found.keys() <= claims.keys()
    for name, text in found.items():
        assert isinstance(text, str)
        assert "\x00" not in text
        if name != "resource":
            assert text == claims[name] or orjson.loads(text) == orjson.loads(orjson.dumps(claims[name]))


@given(st.integers(200, 1_000))
def test_a_claim_of_any_depth_becomes_a_text_or_is_refused(depth: int) -> None:
    found, error = outcome(lambda: parameters_of({"claims": orjson.loads("[" * depth + "]" * depth)}))
    assert error == "invalid_request_object" if found is None else set(found) == {"claims"}


@given(st.dictionaries(_NAMES, st.text(min_size=1, max_size=20).filter(lambda text: "\x00" not in text), max_size=6))
def test_texts_stay_as_they_are(claims: dict[str, str]) -> None:
    found = parameters_of(claims)
    wanted = {name: text for name, text in claims.items() if name not in {"iss", "exp", "resource"}}
    assert {name: text for name, text in found.items() if name != "resource"} == wanted


# --- resources ----------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([*OURS, "", f"{OURS[0]} {OURS[1]}", "https://other.example", "x y"]), max_size=5))
def test_several_resources_are_the_same_after_joining(values: list[str]) -> None:
    """However they are joined for the way, only values that are ours one by one are taken."""
    raw = resources.joined(values) or None
    sent = [value for value in values if value]
    asked, error = outcome(lambda: resources.asked_resources(raw, issuer=ISSUER, with_lookup=True))
    if asked is None:
        assert error == "invalid_target"
        assert not set(sent) <= set(OURS)
    else:
        assert list(asked) == list(dict.fromkeys(sent))


@given(st.lists(st.sampled_from(OURS), unique=True), st.none() | st.sampled_from([*OURS, "https://other.example"]))
def test_a_token_goes_where_the_grant_goes(granted: list[str], asked: str | None) -> None:
    open_to = granted or [OURS[0]]
    audience, error = outcome(lambda: resources.token_audience(granted, asked, issuer=ISSUER))
    if audience is None:
        assert error == "invalid_target"
        assert asked not in open_to
    else:
        assert audience in open_to
        assert asked in {None, audience}


# --- authorization_details ----------------------------------------------------------------------------------

_DETAIL = st.fixed_dictionaries(
    {"type": st.sampled_from(["consented_lookup"]) | JSON, "purpose": st.sampled_from(["school", "a-b"]) | JSON},
    optional={
        "fields": st.lists(st.sampled_from(sorted(FIELDS)), max_size=4) | JSON,
        "procedure": st.sampled_from(["1.001667"]) | JSON,
        "dossier": st.text(max_size=12) | JSON,
        "other": JSON,
    },
)


@given(st.text(max_size=300) | st.lists(_DETAIL | JSON, max_size=4).map(lambda found: orjson.dumps(found).decode()))
def test_details_are_read_or_refused(raw: str) -> None:
    found, error = outcome(lambda: authorization_details.parse(raw, allowed_types=TYPES))
    if found is None:
        assert error == "invalid_authorization_details"
        return
    assert 0 < len(found) <= authorization_details.MAX_DETAILS
    assert len({each.purpose for each in found}) == len(found)
    again = orjson.dumps([each.to_json() for each in found]).decode()
    assert authorization_details.parse(again, allowed_types=TYPES) == found
    assert [each.to_json() for each in found] == [
        {name: value for name, value in each.items() if value is not None} for each in orjson.loads(raw)
    ]
    assert tuple(LookupDetail.from_json(each.to_json()) for each in found) == found


@given(st.lists(_DETAIL, min_size=1, max_size=3))
def test_without_the_type_nothing_is_read(raw: list[Any]) -> None:
    with pytest.raises(OAuthError):
        authorization_details.parse(orjson.dumps(raw).decode(), allowed_types=())


_SOME_FIELDS = st.lists(st.sampled_from(sorted(FIELDS)), unique=True, max_size=6)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), _SOME_FIELDS, max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), _SOME_FIELDS, max_size=3),
)
def test_what_is_granted_was_asked_and_agreed_to(asked: dict[str, list[str]], agreed: dict[str, list[str]]) -> None:
    wishes = [LookupDetail(purpose, tuple(fields), "p", "d") for purpose, fields in asked.items()]
    granted = authorization_details.granted(wishes, agreed)
    for each in granted:
        assert each.fields
        assert set(each.fields) <= set(agreed[each.purpose])
        assert not asked[each.purpose] or set(each.fields) <= set(asked[each.purpose])
        assert (each.procedure, each.dossier) == ("p", "d")
    assert len({each.purpose for each in granted}) == len(granted)


# --- redirect addresses -------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["https://", "http://", "rp.example", "evil.test", "@", "\\", "/", "//", ":", "443", "#", "?", "a=b", "%2f", "%",
     "..", ".", "\t", "\n", "\x00", " ", "callback", "[::1]", "127.0.0.1", "localhost", "đ", "RP.example", ";", "&",
     "com.example.app", "51004", "0"]
)  # fmt: skip
REGISTERED = ("https://rp.example/callback", "https://rp.example/callback?tenant=1")
APPS = ("com.example.app:/callback", "http://127.0.0.1/callback", "http://[::1]:51004/callback?a=b")


@given(st.lists(_PIECES, max_size=8).map("".join) | st.sampled_from(REGISTERED))
def test_an_address_matches_itself_and_nothing_else(asked: str) -> None:
    assert matches(asked, REGISTERED) == (asked in REGISTERED)
    for changed in (asked + "/", asked + "?", asked + "#", asked.upper(), " " + asked, asked + "\n"):
        assert changed in REGISTERED or not matches(changed, REGISTERED)


@given(st.lists(_PIECES, max_size=8).map("".join), st.sampled_from(APPS), st.integers(0, 70_000))
def test_of_an_apps_address_the_port_alone_may_differ(odd: str, registered: str, port: int) -> None:
    """RFC 8252 §7.3: and that only of a listener on this machine."""
    if odd != registered and matches(odd, APPS):
        told, known = urlsplit(odd), [urlsplit(each) for each in APPS]
        assert told.scheme == "http"
        assert told.hostname in {"127.0.0.1", "::1"}
        assert any((told.hostname, told.path, told.query) == (each.hostname, each.path, each.query) for each in known)
        assert told.username is None
        assert not told.fragment
    parts = urlsplit(registered)
    host = parts.netloc.removesuffix(":51004")
    other = parts._replace(netloc=f"{host}:{port}").geturl() if host else registered.replace(":", f":{port}", 1)
    assert matches(other, APPS) == (bool(host) and 0 < port <= 65_535)
    assert not matches(other, REGISTERED)


@given(st.lists(_PIECES, max_size=8).map("".join) | st.sampled_from(APPS))
def test_what_an_app_may_register_has_one_reading(uri: str) -> None:
    if not is_app_address(uri):
        return
    parts = urlsplit(uri)
    listens = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1"}
    assert listens or ("." in parts.scheme and not parts.netloc and parts.path.startswith("/"))
    assert uri.startswith(f"{parts.scheme}:/")
    assert parts.username is None
    assert not parts.fragment
    assert uri.isascii()
    assert uri.isprintable()
    assert not set(origin_of(uri)) & set(" ;,'\"[]")  # it stands in a policy
    assert matches(uri, (uri,))


@given(st.lists(_PIECES, max_size=8).map("".join), st.booleans())
def test_what_may_be_registered_has_one_reading(uri: str, sandbox: bool) -> None:
    if not is_registrable(uri, sandbox=sandbox):
        return
    parts = urlsplit(uri)
    assert parts.scheme == "https" or (sandbox and parts.scheme == "http")
    assert parts.hostname
    assert parts.username is None
    assert not parts.fragment
    assert "\\" not in uri
    assert "//" not in parts.netloc
    assert uri.isascii()
    assert uri.isprintable()


# --- strict reading -----------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("abresouc=&%20\x00+;"), max_size=60))
def test_a_query_is_read_once_or_refused(raw: str) -> None:
    found, error = outcome(lambda: parse_pairs(raw, multi=frozenset({"resource"})))
    if found is None:
        assert error == "400"
        return
    assert all(len(values) == 1 for name, values in found.items() if name != "resource")
    assert not any("\x00" in value for values in found.values() for value in values)
