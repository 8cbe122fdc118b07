"""Pages: Jinja2 templates of all packages in one environment, in Vietnamese or English.

Each package brings `templates/` (found under its own prefix) and `locale/vi.po`, a plain gettext catalogue
whose msgids are the English texts. Babel reads the catalogues at start; nothing compiled lies in the tree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2
from babel.messages.pofile import read_po
from starlette.requests import Request
from starlette.responses import HTMLResponse

from core.clock import VIETNAM
from core.web.browser import csrf_token
from core.web.headers import content_security_policy
from core.web.locale import request_locale


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where a package keeps its pages. prefix: first part of its template names, e.g. "identity"."""

    prefix: str
    directory: Path


class Pages:
    """Renders templates. One per process."""

    def __init__(self, sources: Iterable[PageSource], *, sandbox: bool, asset_version: str) -> None:
        sources = list(sources)
        self._vietnamese = _catalogue(source.directory / "locale" / "vi.po" for source in sources)
        self._env = jinja2.Environment(
            loader=jinja2.PrefixLoader(
                {source.prefix: jinja2.FileSystemLoader(source.directory / "templates") for source in sources}
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.globals.update(sandbox=sandbox, asset_version=asset_version)
        self._env.filters.update(date=format_date, datetime=format_datetime, phone=format_phone)

    def text(self, locale: str, message: str, **values: object) -> str:
        """The message in the locale; `%(name)s` places are filled from values."""
        found = self._vietnamese.get(message, message) if locale == "vi" else message
        return found % values if values else found

    def gettext(self, request: Request, message: str, **values: object) -> str:
        return self.text(request_locale(request), message, **values)

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        form_action: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """A page. form_action: verified origins a form's redirect may end at (the portal of an interaction)."""
        locale = request_locale(request)
        html = self._env.get_template(template).render(
            request=request,
            locale=locale,
            csrf=lambda: csrf_token(request),
            _=lambda message, **values: self.text(locale, message, **values),
            other_locale_url=_other_locale_url(request, locale),
            viewer=getattr(request.state, "viewer", None),
            **context,
        )
        response = HTMLResponse(html, status_code=status, headers=dict(headers or {}))
        response.headers["Content-Language"] = locale
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Security-Policy"] = content_security_policy(form_action)
        return response


def format_date(value: date | str | None) -> str:
    """dd/MM/yyyy; a partial date "1960" or "1960-05" keeps its precision."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(VIETNAM).date()
    text = value.isoformat() if isinstance(value, date) else value
    return "/".join(reversed(text.split("-")))


def format_datetime(value: datetime | None) -> str:
    """HH:mm dd/MM/yyyy in Viet Nam."""
    return "" if value is None else value.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


def format_phone(value: str | None) -> str:
    """+84912345678 → 0912 345 678."""
    if not value or not value.startswith("+84"):
        return value or ""
    local = "0" + value[3:]
    return f"{local[:4]} {local[4:7]} {local[7:]}"


def _other_locale_url(request: Request, locale: str) -> str:
    """This page in the other language. Pages answered to a POST go to the page's own GET."""
    here = request.url.include_query_params(lang="en" if locale == "vi" else "vi")
    path = here.path.lstrip("/\\")  # one slash in front: "//host" would be another site
    return f"/{path}?{here.query}"


def _catalogue(files: Iterable[Path]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for file in files:
        if not file.exists():
            continue
        with file.open("rb") as source:
            for message in read_po(source, locale="vi"):
                if isinstance(message.id, str) and message.id and isinstance(message.string, str):
                    texts[message.id] = message.string or message.id
    return texts
