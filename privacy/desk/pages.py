"""The citizen's pages: start, my data, who viewed my data, help, protection."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from consent.api import Consent
from core.errors import Refusal
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import strict_query
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.api import Identity
from oidc.api import OpenIdProvider
from population_db.api import FIELDS, GROUPS, present
from privacy.desk.history import HistoryEntry, present_line
from privacy.journal.api import Journal

PAGE_LINES = 25
LOOKS = frozenset({"disclosure", "refusal"})

GROUP_TITLES = {
    "civil": "Civil status",
    "family": "Family",
    "residence": "Residence",
    "contact": "Contact",
    "sensitive": "Sensitive data",
}

SOURCES = {
    "civil-status": "civil status register",
    "residence": "residence register",
    "police-archive": "police archive",
    "identity-card": "identity card register",
    "self": "your own declaration",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One field with its lines of text."""

    label: str
    sensitive: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One field group with its source and date."""

    code: str
    title: str
    rows: tuple[Row, ...]
    source: str | None
    as_of: str | None


@router.get("/")
async def home(request: Request) -> Response:
    """Open to everybody; shows the way in, or on when somebody is signed in."""
    await part(request, Identity).session(request)
    return part(request, Pages).render(request, "desk/home.html")


@router.get("/help")
async def help_page(request: Request) -> Response:
    """Open to everybody."""
    return part(request, Pages).render(request, "desk/help.html")


@router.get("/privacy")
async def protection(request: Request) -> Response:
    """Open to everybody."""
    return part(request, Pages).render(request, "desk/protection.html")


@router.get("/me")
async def my_data(request: Request, tx: PageTx) -> Response:
    """The own record; a look like any other: decided, journalled, then shown."""
    actor = await part(request, Identity).actor(request, min_aal=2, min_ial=2)
    disclosure = await part(request, Consent).disclose_to_self(tx, actor, tuple(FIELDS))
    pages, locale = part(request, Pages), request_locale(request)

    def translate(message: str) -> str:
        return pages.text(locale, message)

    groups = []
    for code in GROUPS:
        rows, source, as_of = [], None, None
        for spec in FIELDS.values():
            found = disclosure.values.get(spec.code) if spec.group == code else None
            lines = [] if found is None else present(spec.code, found.value, translate)
            if found is None or not lines:
                continue
            rows.append(Row(spec.label_vi if locale == "vi" else spec.label_en, spec.sensitive, tuple(lines)))
            source, as_of = found.source, found.as_of
        groups.append(
            Group(
                code=code,
                title=translate(GROUP_TITLES[code]),
                rows=tuple(rows),
                source=translate(SOURCES.get(source, source)) if source else None,
                as_of=str(as_of) if as_of else None,
            )
        )
    person_id, asked = actor.person_id, part(request, OpenIdProvider).elsewhere.ciba_pages
    waiting = 0 if person_id is None else await asked.waiting_count(tx, person_id)
    return pages.render(request, "desk/my_data.html", groups=groups, waiting=waiting)


@router.get("/me/history")
async def history(request: Request, tx: PageTx) -> Response:
    """Who looked, newest first; `before` is the instant to go on from, `show` is looks or all."""
    actor = await part(request, Identity).actor(request)
    if actor.person_id is None:
        raise Refusal("not-a-person", "Please sign in.", status=403)
    query = strict_query(request)
    show = "all" if query.get("show") == "all" else "looks"
    stored = await part(request, Journal).about(
        tx,
        actor.person_id,
        before=_instant(query.get("before")),
        before_line=_line_id(query.get("line")),
        limit=PAGE_LINES + 1,
        kinds=None if show == "all" else LOOKS,
    )
    pages, locale = part(request, Pages), request_locale(request)
    agencies = await part(request, Identity).agency_names(tx, locale)
    codes = {code for line in stored for code in (line.line.purpose or "").split()}  # a sign-in serves several
    purposes = {
        code: purpose.texts(locale).title
        for code, purpose in (await part(request, Consent).purposes(tx, codes)).items()
    }
    entries: list[HistoryEntry] = [
        present_line(
            line,
            translate=lambda message: pages.text(locale, message),
            locale=locale,
            agencies=agencies,
            purposes=purposes,
        )
        for line in stored[:PAGE_LINES]
    ]
    older = None
    if len(stored) > PAGE_LINES:
        last = entries[-1]
        older = urlencode({"show": show, "before": last.at.isoformat(), "line": last.line_id})
    return pages.render(request, "desk/history.html", entries=entries, show=show, older=older)


def _line_id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise Refusal("malformed-parameters", "The request's parameters cannot be read.") from None


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("malformed-parameters", "The request's parameters cannot be read.") from None
    # The ends of the calendar are no instants in every time zone, and no line lies there.
    if at.tzinfo is None or not 1900 <= at.year <= 9000:
        raise Refusal("malformed-parameters", "The request's parameters cannot be read.")
    return at
