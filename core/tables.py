"""The base of every table, and the column types that are used again and again."""

from typing import Any

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """Base of the tables. `table=True` classes do not validate: they are rows, not input."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


def instant(nullable: bool = False, **kw: Any) -> Any:
    """A `timestamptz` column; only aware datetimes may go in."""
    return Column(DateTime(timezone=True), nullable=nullable, **kw)


def jsonb(nullable: bool = False, **kw: Any) -> Any:
    # Nothing is NULL, by the session door too, never the JSON word null.
    return Column(JSONB(none_as_null=True), nullable=nullable, **kw)


def text_array(nullable: bool = False, **kw: Any) -> Any:
    return Column(ARRAY(Text), nullable=nullable, **kw)


def blob(nullable: bool = False, **kw: Any) -> Any:
    return Column(LargeBinary, nullable=nullable, **kw)
