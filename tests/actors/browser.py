"""A person's browser without a screen: keeps cookies, follows redirects, fills in the forms it is shown.

It drives the application over HTTP exactly as a browser without JavaScript would, and can misbehave: send a
form twice, leave the token out, use another browser's page.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pyotp

from core.clock import Clock
from service.sandbox_guide import PersonaGuide


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with their values (hidden ones filled in)."""

    id: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    checkboxes: list[tuple[str, str]] = field(default_factory=list)
    checked: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(found.get("id", ""), found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is None or "name" not in found:
            return
        elif tag == "button":
            self._open.buttons.append((found["name"], found.get("value", "")))
        elif tag == "input" and found.get("type") in {"checkbox", "radio"}:
            choice = (found["name"], found.get("value", "on"))
            self._open.checkboxes.append(choice)
            if "checked" in found:
                self._open.checked.append(choice)
        elif tag in {"input", "select", "textarea"}:
            self._open.fields[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


@dataclass
class Page:
    """What the browser shows."""

    response: httpx.Response

    @property
    def url(self) -> str:
        return str(self.response.url)

    @property
    def path(self) -> str:
        return self.response.url.path

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.text

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def form(self, ident: str) -> Form:
        """The form with this id. Raises LookupError that shows which page it was."""
        for form in self.forms():
            if form.id == ident:
                return form
        raise LookupError(f"no form #{ident} on {self.url} ({self.status}): {self.text[-3000:]}")


class Browser:
    """One browser. home: origin of the service; a redirect that leaves it is not followed but returned."""

    def __init__(self, http: httpx.AsyncClient, home: str, clock: Clock) -> None:
        self.http = http
        self.home = home
        self.clock = clock
        self.page: Page | None = None

    async def open(self, url: str, **params: str) -> Page:
        return await self._show(await self.http.get(urljoin(self.home + "/", url), params=params or None))

    async def submit(self, ident: str, *, button: tuple[str, str] | None = None, **values: Any) -> Page:
        """Fills in and sends the form with this id of the page shown. A list sends a field several times."""
        page = self._shown()
        form = page.form(ident)
        data: dict[str, Any] = {**form.fields}
        for name, value in form.checked:
            data.setdefault(name, []).append(value)
        data |= values
        if button is not None:
            data[button[0]] = button[1]
        elif len(form.buttons) == 1:
            data[form.buttons[0][0]] = form.buttons[0][1]
        url = urljoin(page.url, form.action) if form.action else page.url
        if form.method == "get":
            return await self._show(await self.http.get(url, params=data))
        return await self._show(await self.http.post(url, data=data))

    async def sign_in(self, persona: PersonaGuide, *, code: bool = True) -> Page:
        """Fills in the sign-in pages it is on, as far as they ask."""
        page = await self.submit("signin-form", number=persona.number, password=persona.password)
        if code and page.path == "/signin/code":
            page = await self.submit("code-form", code=self.one_time_code(persona))
        return page

    def one_time_code(self, persona: PersonaGuide) -> str:
        assert persona.totp_secret is not None
        return pyotp.TOTP(persona.totp_secret).at(int(self.clock.now().timestamp()))

    async def _show(self, response: httpx.Response) -> Page:
        for _ in range(12):
            if not response.is_redirect:
                break
            target = urljoin(str(response.url), response.headers["location"])
            if not target.startswith(self.home + "/"):
                break
            response = await self.http.get(target)
        self.page = Page(response)
        return self.page

    def _shown(self) -> Page:
        if self.page is None:
            raise LookupError("no page is open")
        return self.page


def left_for(page: Page) -> dict[str, str]:
    """Where a redirect leaves the service to: address without query under "", and its parameters."""
    location = page.response.headers["location"]
    parts = urlsplit(location)
    return {"": location.split("?")[0], **dict(httpx.QueryParams(parts.query))}
