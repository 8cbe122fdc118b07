"""What one library's one flow came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """reason: why it failed, in the library's words. ms: how long it took, for people to look at."""

    library: str
    flow: str
    ok: bool
    ms: int
    reason: str = ""
