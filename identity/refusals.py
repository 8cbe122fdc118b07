"""What the sign-in says when it does not let in. The texts are the same whatever the cause behind them."""

from datetime import datetime

from core.errors import Refusal, TooMany


class SignInRefused(Refusal):
    """Number or password wrong, no account, an account of a dead person: one text, one code, one status."""

    status = 422

    def __init__(self) -> None:
        super().__init__("sign-in-refused", "The number or the password is not right.")


class CodeRefused(Refusal):
    """The code is wrong, too old, or was used before."""

    status = 422

    def __init__(self) -> None:
        super().__init__(
            "code-refused", "The code is not right or was used already. Wait for the next code and enter that."
        )


class WaitToTry(TooMany):
    """Too many tries; the next one is possible at `until`. Said alike for numbers without an account."""

    def __init__(self, until: datetime, now: datetime) -> None:
        super().__init__(
            "sign-in-wait",
            "Too many attempts. Please wait before you try again.",
            retry_after=max(1, int((until - now).total_seconds()) + 1),
        )
        self.until = until


class SignInLost(Refusal):
    """What was proven before this step no longer holds (too long ago, or the account changed): start again."""

    status = 409

    def __init__(self) -> None:
        super().__init__("sign-in-lost", "That took too long. Please sign in again.")


class TooManyCodes(Refusal):
    """After the right password, the code was guessed too often: the account is locked (reason `attempts`)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "account-locked-attempts",
            "This account is locked because too many wrong codes were entered. Go with your card to a commune "
            "police office to have it opened.",
        )
