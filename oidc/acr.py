"""`acr`: two axes in one URN, the account's level (ial, mức độ tài khoản) and the authentication's (aal).

Both stand in Decree 69/2024: account levels 1 and 2, authentication levels 1 to 4; levels 1 and 2 of the
latter are offered now. The axes are ordered each by itself, not against each other. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_PREFIX = "urn:dinhdanh:loa:"


@dataclass(frozen=True, slots=True)
class Level:
    """An account level 1..2 and an authentication level 1..4."""

    ial: int
    aal: int

    @property
    def acr(self) -> str:
        return f"{_PREFIX}ial{self.ial}:aal{self.aal}"

    def satisfies(self, asked: "Level") -> bool:
        """Whether one who stands here has at least what is asked, on both axes."""
        return self.ial >= asked.ial and self.aal >= asked.aal


LOWEST = Level(1, 1)
SUPPORTED = (Level(1, 1), Level(1, 2), Level(2, 1), Level(2, 2))
_BY_ACR = {level.acr: level for level in SUPPORTED}
ACR_VALUES = tuple(_BY_ACR)


def known_levels(values: Iterable[str]) -> tuple[Level, ...]:
    """The levels behind those `acr` values that we know; unknown ones are left out."""
    return tuple(_BY_ACR[value] for value in values if value in _BY_ACR)


@dataclass(frozen=True, slots=True)
class AcrAsk:
    """What a request asks. levels: any of them will do, the best liked first; empty: nothing asked.

    essential: the answer's `acr` must be one of those asked (OpenID Connect Core §5.5.1.1).
    """

    levels: tuple[Level, ...] = ()
    essential: bool = False

    @property
    def minimum(self) -> Level:
        """The least to ask of the sign-in: the easiest of the asked levels."""
        return min(self.levels, key=lambda level: (level.ial + level.aal, level.ial), default=LOWEST)

    def met_by(self, level: Level) -> bool:
        return not self.levels or any(level.satisfies(asked) for asked in self.levels)

    def answer(self, level: Level) -> str:
        """The `acr` to state for one who signed in at `level`, which must meet an essential ask.

        An essential ask is answered by the highest asked value that holds; otherwise it is the level as it
        is. Never more than what was reached.
        """
        held = [asked for asked in self.levels if level.satisfies(asked)]
        if not self.essential or not held or level in held:
            return level.acr
        return max(held, key=lambda asked: (asked.ial + asked.aal, asked.ial)).acr
