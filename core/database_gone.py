"""What it looks like when the database is gone, going, coming or full, and what is said then."""

import asyncpg
import sqlalchemy.exc

from core.errors import Refusal, Unavailable


def unavailable(cause: BaseException) -> Unavailable:
    return Unavailable(
        "database-unavailable",
        "The service is interrupted for a moment. Please try again.",
        private=type(cause).__name__,
    )


_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, cannot connect now, statement timeout
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.OperationalError,
    ConnectionError,
    TimeoutError,
)


def means_gone(error: BaseException) -> bool:
    if isinstance(error, _GONE):
        return True
    if isinstance(error, OSError):  # the socket file is missing, the host unknown
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        inner = getattr(error.orig, "__cause__", None)
        return error.connection_invalidated or isinstance(inner, _GONE)
    return isinstance(error, sqlalchemy.exc.TimeoutError)


def raise_unavailable(error: BaseException | None) -> None:
    """Raises Unavailable when `error` is what a missing server looks like; the caller raises everything else."""
    if error is not None and not isinstance(error, Refusal) and means_gone(error):
        raise unavailable(error) from error
