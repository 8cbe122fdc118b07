"""Generating a population and importing it, by the commands, on the whole machine."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.house import NoHouse, command, environment

TOLD = re.compile(
    r"([\d,]+) rows read.*?: ([\d,]+) new, ([\d,]+) changed, ([\d,]+) unchanged, ([\d,]+) refused; ([\d.,]+) s"
)


@dataclass(frozen=True)
class Imported:
    """What one import said. seconds: its own count, without the start of the command."""

    read: int
    new: int
    changed: int
    unchanged: int
    refused: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.read / self.seconds if self.seconds else 0.0


@dataclass
class RegistryFigures:
    """copy_rate: persons a second of COPY alone."""

    people: int
    generate_rate: float
    first: Imported
    second: Imported
    copy_rate: float = 0.0


def generate(people: int, file: Path, data_dir: Path, port: int) -> float:
    """Writes a population; people per second."""
    started = perf_counter()
    _run("registry", "generate", "--people", str(people), "--seed", "1", "--out", str(file), at=data_dir, port=port)
    return people / (perf_counter() - started)


def import_file(file: Path, data_dir: Path, port: int) -> Imported:
    """Imports it beside the running service."""
    said = " ".join(_run("registry", "import", str(file), at=data_dir, port=port).split())
    found = TOLD.search(said)
    if found is None:
        raise NoHouse(f"the import did not report: {said[-300:]}")
    read, new, changed, unchanged, refused = (int(number.replace(",", "")) for number in found.groups()[:5])
    return Imported(read, new, changed, unchanged, refused, float(found.group(6).replace(",", "")))


def _run(*words: str, at: Path, port: int) -> str:
    done = subprocess.run(command(*words), env=environment(at, port), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoHouse(f"`dinhdanh {words[0]} {words[1]}` failed: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout
