"""A person at a screen: a real Chromium, whose every page is looked at on a desktop and on a phone.

A look takes a screenshot at both widths, asks axe for violations, and checks that nothing sticks out sideways.
Whatever the browser complains about (console, failed policy, failed request) is a fault of the page.
"""

import base64
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyotp
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import BrowserContext, CDPSession, ConsoleMessage, Page, Request, expect

from tests.browser.keyboard import tab_faults
from tests.browser.running import Persona, Running

WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
NARROWEST = (320, 640)
"""WCAG 2.2, 1.4.10: no scrolling sideways at 320 px, which is also what 400 % zoom leaves of a desktop."""
AXE_RUN = """
contrast => axe.run({
  resultTypes: ['violations'], preload: false, rules: {'color-contrast': {enabled: contrast}}
}).then(result => result.violations)
"""
"""No preload: axe would fetch the style sheet by script, which the pages' policy rightly forbids."""
CONTRAST_ON = "phone"
"""Colours are the same at every width, and measuring them is most of axe's time: once a page is enough."""

HTTP_ERROR = re.compile(r"the server responded with a status of (4\d\d|503)")
"""Chromium reports the status of a refused page itself; that is the page's answer, not its fault."""

LEFT_BEHIND = "net::ERR_ABORTED"
"""What was still under way as the person went on to the next page. A refused or broken request has other names."""

STEP_SECONDS = 30


class Codes:
    """One-time codes of several people; a step is never used twice, as the service demands."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def next(self, persona: Persona) -> str:
        """The code of the present step, or of the next one, which is accepted as well. Waits if both are used."""
        while True:
            now = int(time.time()) // STEP_SECONDS
            step = max(now, self._used.get(persona.key, 0) + 1)
            if step <= now + 1:
                self._used[persona.key] = step
                return pyotp.TOTP(persona.totp_secret).generate_otp(step)
            time.sleep(1)


@dataclass
class Screen:
    """One browser window. shots: where screenshots go. faults: what was wrong, told by `settle`."""

    service: Running
    context: BrowserContext
    page: Page
    devtools: CDPSession
    shots: Path
    codes: Codes
    script: bool = True
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Listens to everything the browser complains about."""

        def on_console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not HTTP_ERROR.search(message.text):
                self.faults.append(f"{self.page.url}: console {message.type}: {message.text}")

        def on_failed(request: Request) -> None:
            if request.failure != LEFT_BEHIND:
                self.faults.append(f"failed: {request.url}: {request.failure}")

        self.page.on("console", on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("requestfailed", on_failed)

    def settle(self) -> None:
        assert self.faults == [], "\n".join(self.faults)

    async def open(self, url: str) -> None:
        """url: absolute, or a path of the service."""
        await self.page.goto(url if "://" in url else self.service.issuer + url)

    def request_of_portal(self, **changes: str) -> str:
        """An authorization request of the demo portal for a pseudonym alone, as a path."""
        client = self.service.client("portal-enrolment")
        asked = {
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uris"][0],
            "response_type": "code",
            "scope": "openid",
            "state": "s" * 22,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        return f"/authorize?{urlencode({**asked, **changes})}"

    async def click(self, selector: str) -> None:
        await self.page.locator(selector).click()

    async def fill(self, **values: str) -> None:
        """By element id."""
        for ident, value in values.items():
            await self.page.locator(f"#{ident}").fill(value)

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await expect(self.page.locator("main")).to_contain_text(text)

    async def size(self, selector: str) -> tuple[int, int]:
        """Width and height in whole pixels."""
        box = await self.page.locator(selector).bounding_box()
        assert box is not None, f"{selector} is not shown"
        return round(box["width"]), round(box["height"])

    async def title(self, text: str) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    async def look(self, name: str) -> None:
        """Screenshots and axe at both widths; nothing sticks out, at 320 px neither."""
        if self.script:
            await self.page.evaluate(AXE_SCRIPT)
        await self._resize(NARROWEST)
        await self._fits(f"{name} at {NARROWEST[0]} px")
        for device, size in WIDTHS.items():  # the desktop last: there the person goes on
            await self._resize(size)
            await self._screenshot(self.shots / f"{name}-{device}.png")
            await self._fits(f"{name} on the {device}")
            if self.script:  # axe waits for timers, which do not run without script
                self.faults.extend(f"{name} on the {device}: {told}" for told in await self._violations(device))

    async def _resize(self, size: tuple[int, int]) -> None:
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})

    async def stretch(self, selector: str, text: str) -> None:
        """Puts a long text where the page shows a value, to see whether the page still holds it."""
        put = "(all, text) => all.forEach(one => { one.textContent = text; })"
        await self.page.locator(selector).evaluate_all(put, text)

    async def _fits(self, where: str) -> None:
        sideways = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if sideways > 0:
            self.faults.append(f"{where} sticks out by {sideways} px")

    async def tabs(self) -> None:
        """Walks the page by the Tab key."""
        self.faults.extend(await tab_faults(self.page))

    async def _screenshot(self, file: Path) -> None:
        """The whole page, by the browser's own protocol: its fast PNG takes half the time."""
        size = (await self.devtools.send("Page.getLayoutMetrics"))["cssContentSize"]
        taken = await self.devtools.send(
            "Page.captureScreenshot",
            {
                "format": "png",
                "optimizeForSpeed": True,
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1},
            },
        )
        _write(file, taken["data"])

    async def _violations(self, device: str) -> list[str]:
        found: list[dict[str, Any]] = await self.page.evaluate(AXE_RUN, device == CONTRAST_ON)
        return [
            f"{one['id']}: {one['help']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found
            for node in one["nodes"]
        ]

    async def sign_in(self, key: str, *, code: bool = True) -> None:
        """Fills in the sign-in pages it is on."""
        persona = self.service.persona(key)
        await self.fill(number=persona.number, password=persona.password)
        await self.click("#signin-submit")
        if code:
            await self.enter_code(persona)

    async def enter_code(self, persona: Persona) -> None:
        await self.fill(code=self.codes.next(persona))
        await self.click("#code-submit")

    async def tick(self, selectors: Iterable[str]) -> None:
        for selector in selectors:
            await self.page.locator(selector).check()


def _write(file: Path, encoded: str) -> None:
    file.write_bytes(base64.b64decode(encoded))
