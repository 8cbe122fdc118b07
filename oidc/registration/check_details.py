"""Members of client metadata that only people read, or that say what kind of thing the client is. Pure."""

from collections.abc import Mapping
from typing import Any

from oidc.errors import OAuthError
from oidc.redirect_uris import is_web_page
from oidc.registration.check_redirects import application_type

LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
NAMES = ("client_name", "client_name#vi", "client_name#en")
SOFTWARE = ("software_id", "software_version", "software_statement")
DETAILS = (*NAMES, *LINKS, *SOFTWARE, "contacts", "application_type")
"""What the column `details` keeps, as it was sent."""

APPLICATION_TYPES = ("web", "native")
MAX_NAME = 120
MAX_TEXT = 200
MAX_STATEMENT = 16 * 1024
MAX_CONTACTS = 10


def check_details(metadata: Mapping[str, Any], *, sandbox: bool) -> dict[str, Any]:
    """The members that are kept. Raises OAuthError invalid_client_metadata."""
    for name in LINKS:
        link = metadata.get(name)
        if link is not None and not (isinstance(link, str) and is_web_page(link, sandbox=sandbox)):
            raise _refused(name, "must be an https address")
    for name in SOFTWARE:
        _text(metadata, name, MAX_STATEMENT if name == "software_statement" else MAX_TEXT)
    contacts = metadata.get("contacts")
    if contacts is not None and not (
        isinstance(contacts, list)
        and len(contacts) <= MAX_CONTACTS
        and all(isinstance(each, str) and 0 < len(each) <= MAX_TEXT and each.isprintable() for each in contacts)
    ):
        raise _refused("contacts", f"must be a list of at most {MAX_CONTACTS} texts")
    kind = metadata.get("application_type")
    if kind is not None and kind not in APPLICATION_TYPES:
        raise _refused("application_type", f"must be one of {', '.join(APPLICATION_TYPES)}")
    kept = {name: metadata[name] for name in DETAILS if metadata.get(name)}
    return {"application_type": application_type(metadata), **kept}


def checked_name(metadata: Mapping[str, Any], *members: str) -> str:
    """The name people are shown, by the first of the members that is there; every name given must hold."""
    given = [metadata[member] for member in NAMES if metadata.get(member) is not None]
    if any(not _is_name(name) for name in given):
        raise _refused("client_name", f"must be a name of at most {MAX_NAME} characters")
    named = [metadata[member] for member in (*members, *NAMES) if metadata.get(member) is not None]
    if not named:
        raise _refused("client_name", "is missing: people are shown it")
    return str(named[0]).strip()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and name.isprintable() and bool(name.strip())


def _text(metadata: Mapping[str, Any], name: str, longest: int) -> None:
    value = metadata.get(name)
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()):
        raise _refused(name, f"must be a text of at most {longest} characters")


def _refused(name: str, why: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", f"{name} {why}.")
