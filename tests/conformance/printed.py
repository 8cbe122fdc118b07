"""A module of the suite with the browser commands that `dinhdanh sandbox --conformance PLAN` prints for it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from service.sandbox_conformance import CALLBACK
from service.sandbox_suite import suite_configuration
from tests.conformance.certified import MTLS_BASE
from tests.conformance.suite import Conformance, Request
from tests.support.furnished import Furnished
from tests.support.web_runner import Visit, WebRunner

TABLE = Path(__file__).parents[2] / "docs" / "conformance.md"
PLACEHOLDER = "a page to look at"


def configuration(furnished: Furnished, plan: str) -> dict[str, Any]:
    """As the suite reads it: what was printed, in JSON."""
    told: dict[str, Any] = json.loads(json.dumps(suite_configuration(furnished.sandbox, plan, MTLS_BASE)))
    return told


def runner_of(suite: Conformance, plan: str, module: str, *, scripts: bool = True) -> WebRunner:
    """The suite's browser for a module: an override stands in the place of what all modules have."""
    told = configuration(suite.furnished, plan)
    browser = told["override"].get(module, {}).get("browser", told["browser"])
    base = suite.furnished.sandbox.conformance_redirect.removesuffix(CALLBACK)
    return WebRunner(suite.http, suite.issuer, base, browser, scripts=scripts)


def is_for_review(module: str) -> bool:
    """Whether the table of results says so. Raises LookupError without a row."""
    row = re.search(rf"^\| `{re.escape(module)}` \|(.*)\|$", TABLE.read_text("utf-8"), re.MULTILINE)
    if row is None:
        raise LookupError(f"no row for {module}")
    return row[1].strip().startswith(("review", "R"))


@dataclass
class Walk:
    """A module on its way. suite: what it sends and looks at; runner: its browser."""

    suite: Conformance
    runner: WebRunner

    @classmethod
    def of(cls, suite: Conformance, plan: str, module: str, *, scripts: bool = True) -> "Walk":
        return cls(suite, runner_of(suite, plan, module, scripts=scripts))

    def url(self, request: Request) -> str:
        return f"{self.suite.issuer}/authorize?{urlencode(request.params)}"

    async def open(self, url: str, placeholder: str | None = None, *, method: str = "GET") -> Visit:
        """An address that an entry is printed for."""
        visit = await self.runner.go(url, placeholder, method=method)
        assert not visit.by_hand, url
        return visit

    async def answer(self, url: str, placeholder: str | None = None, *, method: str = "GET") -> dict[str, str]:
        """Opens it and comes back to the suite, once."""
        before = len(self.runner.arrivals)
        visit = await self.open(url, placeholder, method=method)
        assert visit.url.startswith(f"{self.runner.suite}{CALLBACK}"), visit
        (arrival,) = self.runner.arrivals[before:]
        assert arrival.path == CALLBACK
        return arrival.params

    async def asked(self, request: Request, placeholder: str | None = None, *, method: str = "GET") -> dict[str, str]:
        """An authorization request; what the suite gets for it."""
        answer = await self.answer(self.url(request), placeholder, method=method)
        assert answer.get("state") == request.state
        return answer

    async def tokens(self, request: Request, placeholder: str | None = None, *, method: str = "GET") -> dict[str, Any]:
        """Authorization that must succeed, and the tokens for its code."""
        answer = await self.asked(request, placeholder, method=method)
        assert "error" not in answer, answer
        return await self.suite.tokens(request, answer["code"])

    def ends_as_told(self, module: str) -> None:
        """The suite finds for review exactly what the table says."""
        assert bool(self.runner.kept) == is_for_review(module), (module, set(self.runner.kept))
