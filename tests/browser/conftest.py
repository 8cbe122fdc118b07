"""Fixtures of the browser journey.

service   (session)   the sandbox as real processes: tests/browser/running.py
chromium  (session)   Debian's Chromium, headless, which can reach nothing but this machine
window    (function)  opens browser windows; faults seen in any of them fail the test at its end
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.running import Running, running
from tests.browser.screen import Codes, Screen
from tests.support.holders import CHECKOUT
from tests.support.system_packages import BROWSERS

SHOTS = CHECKOUT / "test-artifacts" / "screens"
PATIENCE_MS = 20_000

Window = Callable[..., Awaitable[Screen]]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up")) as started:
        yield started


@pytest.fixture(scope="session")
def shots() -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    for old in SHOTS.glob("*.png"):
        old.unlink()
    return SHOTS


@pytest.fixture(scope="session")
def codes() -> Codes:
    return Codes()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    expect.set_options(timeout=PATIENCE_MS)
    assert program, "Chromium is not installed: python -m tests.support.system_packages installs it as root"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            headless=True,
            chromium_sandbox=os.geteuid() != 0,  # its sandbox refuses root
            args=[
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        await browser.close()


@pytest.fixture
async def window(service: Running, chromium: Browser, shots: Path, codes: Codes) -> AsyncIterator[Window]:
    opened: list[Screen] = []

    async def open_window(*, script: bool = True, strangers: bool = False) -> Screen:
        """strangers: whether certificates are taken as they are, for servers of a test."""
        context = await chromium.new_context(
            java_script_enabled=script,
            ignore_https_errors=strangers,
            viewport={"width": 1280, "height": 900},
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        screen = Screen(service, context, page, await context.new_cdp_session(page), shots, codes, script)
        screen.watch()
        opened.append(screen)
        return screen

    yield open_window
    for screen in opened:
        await screen.context.close()
    for screen in opened:
        screen.settle()
