"""Addresses bent by an attacker: other hosts, control characters, ends of the calendar, names that fill metrics."""

import re
from datetime import timedelta

import pytest
import structlog
from prometheus_client import generate_latest

from tests.support.furnished import Furnished

TOTP_STEP = timedelta(seconds=90)
"""A one-time code is good once: the next sign-in needs the next one."""


async def test_no_redirect_repeats_the_host_header(furnished: Furnished) -> None:
    async with furnished.http() as http:
        for path in ("/me/", "/signin/", "/api/lookup/v1/records/", "/static"):
            answer = await http.post(path, headers={"Host": "evil.example"})
            assert "evil.example" not in answer.headers.get("location", ""), path
            assert answer.status_code in {404, 405}, path


@pytest.mark.parametrize("path", ["//evil.example/", "/%2Fevil.example", "/%5Cevil.example", "/%2F%2Fevil.example/x"])
async def test_the_language_link_stays_here(furnished: Furnished, path: str) -> None:
    async with furnished.http() as http:
        answer = await http.get(f"{furnished.settings.issuer}{path}")
        assert answer.status_code == 404
        links = re.findall(r'id="language" href="([^"]*)"', answer.text)
        assert links
        assert all(re.match(r"/[^/\\]", link) for link in links), links


@pytest.mark.parametrize(
    "path", ["/me/consents/%00/withdraw", "/me/receipts/%00", "/me/receipts/a%0Ab/file", "/static/%00", "/%7F"]
)
async def test_control_characters_name_nothing(furnished: Furnished, path: str) -> None:
    async with furnished.browser() as browser:
        await browser.open("/me")
        await browser.sign_in(furnished.persona("An"))
        furnished.clock.advance(TOTP_STEP)
        answer = await browser.http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


async def test_a_history_without_lines_and_at_the_ends_of_time(furnished: Furnished) -> None:
    async with furnished.browser() as browser:
        await browser.open("/me/history")
        page = await browser.sign_in(furnished.persona("Uyen"))
        furnished.clock.advance(TOTP_STEP)
        assert (page.path, page.status) == ("/me/history", 200)
        for before, status in (
            ("1950-01-01T00:00:00+00:00", 200),
            ("0001-01-01T00:00:00+23:59", 400),
            ("9999-12-31T23:59:59-23:59", 400),
            ("2026-01-01T00:00:00", 400),
        ):
            assert (await browser.open("/me/history", before=before)).status == status, before


async def test_a_number_in_an_address_reaches_neither_log_nor_metrics(furnished: Furnished) -> None:
    number = furnished.persona("An").number
    with structlog.testing.capture_logs() as logged:
        async with furnished.http() as http:
            for path in (f"/static/{number}", f"/{number}", f"/me/{number}", f"/me/receipts/{number}"):
                await http.get(path)
    assert number not in str(logged)
    assert number not in generate_latest().decode()
