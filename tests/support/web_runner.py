"""The scripted browser of the OpenID conformance suite, by the rules of its own (`BrowserControl` and its `WebRunner`,
read at the commit that docs/conformance.md names), over the application in this process.

`browser` of a configuration is a list of entries. The first whose `match` fits the address (`*` is any text) and whose
`match-limit` is not used up is taken; with none the address is left to a person. Its tasks run in order, each on the
page that is shown by then: where `match` of a task does not fit the address of the page, an optional task is left out
and any other fails. Commands of a task run in order too; only a click or a text may be optional. Cookies last for a
module. Nothing here happens by itself later, so a wait that is not met at once never is: it fails without waiting.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

from tests.support.web_runner_page import Element, ShownPage

CALLBACK = "/callback"
_SUBMITTED = '<p id="complete">Sent.<span id="submission_complete" hidden></span></p>'
_CAPTURED = "<p>The result was captured.</p>"
_HOPS = 12


class WebRunnerError(Exception):
    """What ends a module of the suite as failed (its TestFailureException)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call at the suite's own address: by which method, where, with which parameters."""

    method: str
    path: str
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the tasks ended. by_hand: no entry matched, so that a person has to open the address."""

    url: str
    text: str
    status: int
    by_hand: bool = False


@dataclass
class WebRunner:
    """One module. browser: the configuration's entries (their limits are used up). suite: address of the alias.

    scripts: whether the one script of our pages runs. refreshes: whether a page goes on by itself. arrivals, visited,
    kept: what the suite got, which addresses were opened, and the pages that it keeps for review, by placeholder.
    """

    http: httpx.AsyncClient
    home: str
    suite: str
    browser: list[dict[str, Any]]
    scripts: bool = True
    refreshes: bool = True
    arrivals: list[Arrival] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    async def go(self, url: str, placeholder: str | None = None, *, method: str = "GET") -> Visit:
        """Opens an address as a module does. placeholder: what the module wants a page for. Raises WebRunnerError."""
        for entry in self.browser:
            if not simple_match(entry["match"], url) or entry.get("match-limit", 1) <= 0:
                continue
            if "match-limit" in entry:
                entry["match-limit"] -= 1
            return await _Run(self, placeholder).run(url, entry["tasks"], method)
        return Visit(url, "", 0, by_hand=True)


def simple_match(pattern: str, text: str) -> bool:
    """Spring's `PatternMatchUtils`: `*` stands for any text, nothing else is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


class _Run:
    """One visit: a window of its own."""

    def __init__(self, runner: WebRunner, placeholder: str | None) -> None:
        self._runner = runner
        self._placeholder = placeholder
        self._page = ShownPage("about:blank", "")

    async def run(self, url: str, tasks: Sequence[dict[str, Any]], method: str) -> Visit:
        if method == "POST":
            bare, _, query = url.partition("?")
            await self._send("POST", bare, parse_qsl(query, keep_blank_values=True))
        else:
            await self._send("GET", url)
        self._runner.visited.append(url)
        for task in tasks:
            if simple_match(task.get("match", "*"), self._page.url):
                for command in task.get("commands", []):
                    await self._do(command)
            elif not task.get("optional", False):
                raise WebRunnerError(f"unexpected address for {task['task']}: {self._page}")
        return Visit(self._page.url, self._page.text, self._page.status)

    # --- commands ---------------------------------------------------------------------------------------

    async def _do(self, command: Sequence[Any]) -> None:
        name, kind, target = command[:3]
        if name == "wait":
            self._wait(command, kind, target)
            return
        if name not in {"click", "text"}:
            raise WebRunnerError(f"invalid command: {command}")
        element, optional = self._page.find(kind, target), command[3 if name == "click" else 4 :][:1]
        if element is None:
            if optional != ["optional"]:
                raise WebRunnerError(f"no such element: {command} on {self._page}")
        elif element.hidden:
            raise WebRunnerError(f"not to be used, as it is hidden: {command} on {self._page}")
        elif name == "text":
            element.attrs["value"] = command[3]
        else:
            await self._click(element)

    def _wait(self, command: Sequence[Any], kind: str, target: str) -> None:
        pattern = command[4] if len(command) > 4 else ""
        action = command[5] if len(command) > 5 else ""
        if kind == "contains":
            met = target in self._page.url
        elif kind == "match":
            met = re.search(target, self._page.url) is not None
        else:
            element = self._page.find(kind, target)
            met = element is not None and (not pattern or re.search(pattern, element.text) is not None)
        if not met:
            raise WebRunnerError(f"timed out waiting: {command} on {self._page}")
        if action:
            self._keep(action)

    def _keep(self, action: str) -> None:
        """Fills the placeholder, unless there is none (any more) and none needs to be."""
        if self._placeholder is not None and self._placeholder not in self._runner.kept:
            self._runner.kept[self._placeholder] = self._page.text
        elif action != "update-image-placeholder-optional":
            raise WebRunnerError(f"no placeholder for {self._page}")

    # --- the browser ------------------------------------------------------------------------------------

    async def _click(self, element: Element) -> None:
        if element.is_tick:
            if "checked" in element.attrs:
                del element.attrs["checked"]
            else:
                element.attrs["checked"] = ""
        elif element.tag == "a":
            await self._send("GET", urljoin(self._page.url, element.attrs["href"]))
        elif element.submits and element.form is not None:
            await self._submit(element.form, element)

    async def _submit(self, form: Element, button: Element | None) -> None:
        pairs = self._page.pairs(form, button)
        url = urljoin(self._page.url, form.attrs.get("action") or self._page.url)
        if form.attrs.get("method", "get").lower() == "post":
            await self._send("POST", url, pairs)
        else:
            await self._send("GET", f"{url.partition('?')[0]}?{urlencode(pairs)}")

    async def _send(self, method: str, url: str, pairs: Sequence[tuple[str, str]] = ()) -> None:
        for _ in range(_HOPS):
            if url.startswith(f"{self._runner.suite}/"):
                self._arrive(method, url, pairs)
                return
            if not url.startswith(f"{self._runner.home}/"):
                raise WebRunnerError(f"neither ours nor the suite's: {url}")
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
            content = urlencode(pairs) if method == "POST" else None
            answer = await self._runner.http.request(method, url, content=content, headers=headers)
            if not answer.is_redirect:
                await self._show(ShownPage(url, answer.text, answer.status_code, answer.headers.get("refresh", "")))
                return
            url = urljoin(url, answer.headers["location"])
            if answer.status_code not in {307, 308}:
                method, pairs = "GET", ()
        raise WebRunnerError(f"redirected without end: {url}")

    async def _show(self, page: ShownPage) -> None:
        """A page as it is when all has been loaded: its frames, its script, the address it goes on to."""
        self._page = page
        for frame in page.frames:
            self._arrived("GET", frame)
        if self._runner.scripts and page.submits_itself:
            await self._submit(page.forms[0], None)
        elif self._runner.refreshes and page.goes_on_to:
            await self._send("GET", page.goes_on_to)

    def _arrive(self, method: str, url: str, pairs: Sequence[tuple[str, str]]) -> None:
        self._arrived(method, url, pairs)
        submitted = urlsplit(url).path.endswith(CALLBACK)
        self._page = ShownPage(url, _SUBMITTED if submitted else _CAPTURED)

    def _arrived(self, method: str, url: str, pairs: Sequence[tuple[str, str]] = ()) -> None:
        path = url.removeprefix(self._runner.suite).partition("?")[0]
        params = pairs if method == "POST" else parse_qsl(urlsplit(url).query, keep_blank_values=True)
        self._runner.arrivals.append(Arrival(method, path, dict(params)))
