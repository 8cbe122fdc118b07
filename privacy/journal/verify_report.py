"""What the verifier found."""

from collections.abc import Callable
from dataclasses import dataclass, field

MAX_KEPT = 1_000
"""Findings and notes kept in a report; all are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed.

    kind: line-changed, line-missing, line-added, line-twice, line-unopenable, leaf-changed, leaf-missing,
    leaf-order, leaf-unsigned, checkpoint-changed, checkpoint-missing, checkpoint-signature,
    checkpoint-root, pending-late or pending-twice. place: names the row. detail: what is wrong with it;
    never personal data.
    """

    kind: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}: {self.detail}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """findings: what was tampered with (at most MAX_KEPT; `found` counts all). notes: what is worth knowing
    and no proof of tampering, e.g. a clock set back. erased: lines whose person's key was destroyed on
    purpose. root_hash: the root rebuilt from the raw rows.
    """

    lines: int
    leaves: int
    pending: int
    checkpoints: int
    erased: int
    tree_size: int
    root_hash: bytes
    origin: str | None
    found: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.found == 0


@dataclass(frozen=True, slots=True)
class Progress:
    """stage: leaves, pending or lines. total: 0 where it is not known beforehand."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class Tally:
    """A report in the making."""

    lines: int = 0
    leaves: int = 0
    pending: int = 0
    checkpoints: int = 0
    erased: int = 0
    origin: str | None = None
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    noted: int = 0
    notes: list[str] = field(default_factory=list)

    def find(self, kind: str, place: str, detail: str) -> None:
        self.found += 1
        if len(self.findings) < MAX_KEPT:
            self.findings.append(Finding(kind, place, detail))

    def note(self, text: str) -> None:
        self.noted += 1
        if len(self.notes) < MAX_KEPT:
            self.notes.append(text)

    def report(self, tree_size: int, root_hash: bytes) -> VerifyReport:
        return VerifyReport(
            lines=self.lines,
            leaves=self.leaves,
            pending=self.pending,
            checkpoints=self.checkpoints,
            erased=self.erased,
            tree_size=tree_size,
            root_hash=root_hash,
            origin=self.origin,
            found=self.found,
            findings=tuple(self.findings),
            notes=tuple(self.notes),
        )
