"""The form of a client: what an administrator fills in, as metadata and back. Pure.

The common members have an entry each; every other member can be given as JSON, by its registered name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import BadInput
from oidc import scopes
from oidc.registration.as_metadata import PROFILE, STATE
from oidc.registration.check import DEVICE
from oidc.registration.check_details import LINKS
from oidc.registration.check_options import CIBA
from oidc.registration.reading import read_object

LENGTHS: Mapping[str, int] = {
    "name_vi": 120,
    "name_en": 120,
    "profile": 40,
    "auth_method": 40,
    "redirect_uris": 24_000,
    "post_logout_redirect_uris": 24_000,
    "jwks_uri": 1_024,
    "jwks": 24_000,
    **dict.fromkeys(LINKS, 1_024),
    "contacts": 2_000,
    "further": 24_000,
}
READ = dict.fromkeys(LENGTHS, 24_000)
"""What is read: an entry that is too long comes back to be mended, with all others."""
MULTI = frozenset({"use", "scope"})
LINES = ("redirect_uris", "post_logout_redirect_uris", "contacts")
USES: Mapping[str, str] = {
    "sign-in": "authorization_code",
    "stay": "refresh_token",
    "back-end": "client_credentials",
    "device": DEVICE,
    "ciba": CIBA,
}
"""Tick → grant type."""

_PEOPLE = frozenset({"sign-in", "device", "ciba"})
_NAMES = {"client_name#vi": "name_vi", "client_name#en": "name_en"}
_OWN = frozenset(
    {
        "client_name",
        *_NAMES,
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "scope",
        "jwks",
        "jwks_uri",
        "redirect_uris",
        "post_logout_redirect_uris",
        *LINKS,
        "contacts",
    }
)
_NOT_THEIRS = frozenset({PROFILE, STATE, "client_id", "client_secret", "subject_type"})
_FIELD_OF = {
    **_NAMES,
    "client_name": "name_vi",
    "token_endpoint_auth_method": "auth_method",
    "grant_types": "use",
    "scope": "scope",
    **{name: name for name in (*LINES, *LINKS, "jwks", "jwks_uri")},
}
FAULTS: Mapping[str, str] = {
    "name_vi": "Enter the Vietnamese name, at most 120 characters.",
    "name_en": "Enter the English name, at most 120 characters.",
    "profile": "Choose one of the profiles.",
    "auth_method": "Choose a way to authenticate that the profile allows.",
    "use": "Choose what the client does; staying signed in goes with signing people in.",
    "scope": "Choose only data that your agency's policies hold.",
    "redirect_uris": "Enter https addresses on one host of your own, one a line, without #. "
    "An app may also have com.example.app:/path or http://127.0.0.1/path.",
    "post_logout_redirect_uris": "Enter https addresses, one a line, without #. "
    "An app may also have com.example.app:/path.",
    "jwks_uri": "Enter an https address, or the keys themselves, not both.",
    "jwks": "Enter public keys as a JWK set for ES256, PS256 or EdDSA; never a private key.",
    "client_uri": "Enter an https address.",
    "logo_uri": "Enter an https address.",
    "policy_uri": "Enter an https address.",
    "tos_uri": "Enter an https address.",
    "contacts": "Enter at most ten addresses, one a line.",
    "further": "Enter a JSON object with registered member names that have no entry of their own above.",
}
"""Entry → what to do, as English msgid."""


@dataclass(frozen=True, slots=True)
class ClientForm:
    """The entries as they stand in the form."""

    values: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LENGTHS, ""))
    uses: Sequence[str] = ()
    scopes: Sequence[str] = ()


def form_from(sent: Mapping[str, Sequence[str]]) -> ClientForm:
    """The form as it was sent, so that nothing is lost when it has to be mended."""
    values = {name: (sent[name][0] if sent[name] else "").replace("\r\n", "\n") for name in LENGTHS}
    return ClientForm(values, tuple(sent["use"]), tuple(sent["scope"]))


def form_of(metadata: Mapping[str, Any]) -> ClientForm:
    """The form filled with what is registered."""
    values = dict.fromkeys(LENGTHS, "")
    for member, name in _NAMES.items():
        values[name] = metadata.get(member) or metadata.get("client_name", "")
    values["profile"] = metadata.get(PROFILE, "")
    values["auth_method"] = metadata.get("token_endpoint_auth_method", "")
    for name in LINES:
        values[name] = "\n".join(metadata.get(name, ()))
    for name in (*LINKS, "jwks_uri"):
        values[name] = metadata.get(name, "")
    values["jwks"] = _pretty(metadata["jwks"]) if metadata.get("jwks") else ""
    further = {
        name: value for name, value in metadata.items() if name not in _OWN | _NOT_THEIRS and value not in (False, [])
    }
    values["further"] = _pretty(further) if further else ""
    grant_types = metadata.get("grant_types", ())
    held = str(metadata.get("scope", "")).split()
    return ClientForm(values, tuple(use for use, grant_type in USES.items() if grant_type in grant_types), tuple(held))


def metadata_of(form: ClientForm) -> dict[str, Any]:
    """The metadata the form stands for. Raises BadInput that names each entry to mend."""
    faults = {name: FAULTS[name] for name, most in LENGTHS.items() if len(form.values[name]) > most}
    further = _object(form.values["further"], faults, "further")
    if (_OWN | _NOT_THEIRS) & set(further):
        faults["further"] = FAULTS["further"]
    metadata: dict[str, Any] = {**further, "client_name": form.values["name_vi"].strip()}
    for member, name in _NAMES.items():
        metadata[member] = form.values[name].strip()
        if not metadata[member]:
            faults[name] = FAULTS[name]
    for name in LINES:
        lines = [line.strip() for line in form.values[name].split("\n") if line.strip()]
        if lines:
            metadata[name] = lines
    for name in (*LINKS, "jwks_uri"):
        if form.values[name].strip():
            metadata[name] = form.values[name].strip()
    if form.values["jwks"].strip():
        metadata["jwks"] = _object(form.values["jwks"], faults, "jwks")
    grant_types = [USES[use] for use in USES if use in form.uses]
    if not grant_types or ("stay" in form.uses and not _PEOPLE & set(form.uses)):
        faults["use"] = FAULTS["use"]
    if not form.values["auth_method"]:
        faults["auth_method"] = FAULTS["auth_method"]
    if faults:
        raise BadInput("client-form", "Some entries have to be mended.", fields=faults)
    metadata["token_endpoint_auth_method"] = form.values["auth_method"]
    metadata["grant_types"] = grant_types
    metadata["response_types"] = ["code"] if "sign-in" in form.uses else []
    metadata["scope"] = " ".join(_scopes(form))
    return metadata


def fault_of(description: str) -> dict[str, str]:
    """The entry that an error of the check is about: its description begins with the member's name."""
    member = description.split(" ", 1)[0]
    entry = _FIELD_OF.get(member, "further")
    return {entry: FAULTS[entry]}


def _scopes(form: ClientForm) -> list[str]:
    """Ticked scopes, and those that the uses stand for."""
    people = bool(_PEOPLE & set(form.uses))
    own = [scopes.OPENID] if people else []
    ticked = [scope for scope in form.scopes if scope not in {scopes.OPENID, scopes.OFFLINE, scopes.LOOKUP}]
    offline = [scopes.OFFLINE] if people and "stay" in form.uses else []
    lookup = [scopes.LOOKUP] if "back-end" in form.uses else []
    return [*own, *(ticked if people else []), *offline, *lookup]


def _object(text: str, faults: dict[str, str], name: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        return read_object(text)
    except ValueError:
        faults[name] = FAULTS[name]
        return {}


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
