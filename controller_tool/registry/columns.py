"""Makes PostgreSQL's columns hold and sort what SQLite's do (host).

Migrations name plain types. SQLite's INTEGER has 64 bits and its text is sorted by its bytes;
PostgreSQL's INTEGER has 32 and its text is sorted as the server's language has it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, Integer, String, event

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATTACHED = "after_parent_attach"


@contextmanager
def same_everywhere(connection: Connection) -> Iterator[None]:
    """What migrations make within this is the same on PostgreSQL as on SQLite."""
    if connection.dialect.name != "postgresql":
        yield
        return
    event.listen(Column, _ATTACHED, _settle)
    try:
        yield
    finally:
        event.remove(Column, _ATTACHED, _settle)


def text_form(connection: Connection, length: int) -> str:
    """The form of a text column of at most so many characters, for a statement by hand."""
    return f"VARCHAR({length})" + (
        ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    )


def _settle(column: Column[Any], _table: object) -> None:
    kind = column.type
    if isinstance(kind, Integer):
        column.type = BigInteger()
    elif isinstance(kind, String) and kind.collation is None:
        column.type = type(kind)(kind.length, collation="C")
