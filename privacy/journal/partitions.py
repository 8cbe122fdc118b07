"""Monthly partitions, made ahead by the worker (their SQL belongs to the owner: migration 0002)."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, bindparam, text

from core.database import Query, Tx

MONTHS_AHEAD = 3

_MAKE = Query(
    text("SELECT privacy.make_journal_month(:month) AS made")
    .bindparams(bindparam("month", type_=Date))
    .columns(made=Boolean)
)


async def make_months(tx: Tx, now: datetime) -> int:
    """Makes the partitions of this month and the next three; gives how many were new."""
    made = 0
    for ahead in range(MONTHS_AHEAD + 1):
        year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
        row = await tx.row(_MAKE, month=date(year, month + 1, 1))
        made += row is not None and bool(row["made"])
    return made
