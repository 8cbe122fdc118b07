"""What the holder says of himself: seen, changed, erased, member by member or as a whole."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import BadInput
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.locale import request_locale
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
ZONES = (
    "Asia/Ho_Chi_Minh", "Asia/Bangkok", "Asia/Phnom_Penh", "Asia/Vientiane", "Asia/Singapore", "Asia/Taipei",
    "Asia/Shanghai", "Asia/Seoul", "Asia/Tokyo", "Australia/Sydney", "Europe/Moscow", "Europe/Berlin",
    "Europe/Prague", "Europe/Warsaw", "Europe/Paris", "Europe/London", "America/New_York", "America/Chicago",
    "America/Los_Angeles",
)  # fmt: skip
"""Where citizens live. Another zone that is kept already stays among the choices."""
LANGUAGES = {
    "vi-VN": "Tiếng Việt", "en-GB": "English", "tyz": "Tày", "mtq": "Mường", "km-KH": "Khmer", "hmn": "Hmoob (Mông)",
    "nut": "Nùng", "jra": "Jrai (Gia Rai)", "rad": "Ê Đê", "bdq": "Bahnar (Ba Na)", "cjm": "Chăm",
    "zh-Hans": "中文 (Hoa)", "fr-FR": "Français", "ko-KR": "한국어", "ja-JP": "日本語",
}  # fmt: skip
"""Language → its own name, the same in both languages of the page."""

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
        summary={name: f"{_label(name, request_locale(request))}: {text}" for name, text in errors.items()},
        saved=saved,
        longest={name: member.longest for name, member in MEMBERS.items()},
        zones={name: name.replace("_", " ") for name in ZONES},
        languages=LANGUAGES,
    )


def _label(name: str, locale: str) -> str:
    member = MEMBERS[name]
    return member.label_vi if locale == "vi" else member.label_en
