"""What the holder says of himself: seen, changed, erased, member by member or as a whole."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import BadInput
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.pages import Pages
from identity.identity import Identity
from identity.records import actor_ref
from identity.self_declared import MEMBERS, SelfDeclared, from_form
from identity.session_pages import current
from identity.walk import see

PATH = "/me/profile"
_READ_AT_MOST = 2_000
"""Characters of an entry; one that is too long by less is shown again with what to mend."""
_LENGTHS = {"action": 10, "version": 9, **dict.fromkeys(MEMBERS, _READ_AT_MOST)}
COMMON_ZONES = ("Asia/Ho_Chi_Minh", "Asia/Seoul", "Asia/Taipei", "Asia/Tokyo", "Europe/Berlin", "Europe/Paris")
COMMON_LANGUAGES = ("vi-VN", "en-GB", "en-US", "fr-FR", "km-KH", "zh-CN")

router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def profile_page(request: Request, tx: PageTx) -> Response:
    """The holder's: the form, with what is kept."""
    session = await current(request, tx)
    kept = await part(request, Identity).declarations.kept(tx, session.person)
    saved = request.query_params.get("saved") == "1"
    return _page(request, kept.declared.said(), kept.version, kept.declared, errors={}, saved=saved)


@router.post(PATH)
async def change_profile(request: Request, tx: PageTx) -> Response:
    """The holder's: `save` keeps the entries, an empty one erases the member; `erase` erases them all."""
    form = await read_form(request, _LENGTHS)
    session = await current(request, tx)
    identity, pages = part(request, Identity), part(request, Pages)
    if form["action"] not in {"save", "erase"} or not (form["version"].isascii() and form["version"].isdigit()):
        raise BadInput("unknown-action", "The request has entries to mend.")
    declared, faults = (SelfDeclared(), {}) if form["action"] == "erase" else from_form(form)
    seen = int(form["version"])
    if faults:
        errors = {name: pages.gettext(request, fault) for name, fault in faults.items()}
        kept = await identity.declarations.kept(tx, session.person)
        return _page(request, form, seen, kept.declared, errors=errors, status=422)
    by = actor_ref(identity.actor_of(session, as_official=False))
    await identity.declare(tx, session.person, declared, seen=seen, by=by)
    return see(f"{PATH}?saved=1")


def _page(
    request: Request,
    entries: Mapping[str, str],
    version: int,
    kept: SelfDeclared,
    *,
    errors: dict[str, str],
    saved: bool = False,
    status: int = 200,
) -> Response:
    return part(request, Pages).render(
        request,
        "identity/profile.html",
        status=status,
        entries=entries,
        version=version,
        kept=kept,
        errors=errors,
        saved=saved,
        longest={name: member.longest for name, member in MEMBERS.items()},
        zones=COMMON_ZONES,
        languages=COMMON_LANGUAGES,
    )
