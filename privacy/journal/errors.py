"""What the journal refuses, and what it raises when it is not what it signed."""

from core.errors import NotAllowed


class DisclosureRefused(NotAllowed):
    """Between the decision and the line a consent, a policy or a grant ended: zero fields, a refusal line.

    reason: the guard's code, e.g. "consent-withdrawn".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            "disclosure-refused",
            "These data may no longer be given out.",
            private=reason,
            extra={"reason": reason},
        )
        self.reason = reason


class JournalBroken(Exception):
    """The stored tree is not the one that was signed last; the sequencer stops until somebody looks."""
