"""Numbers of new rows on PostgreSQL, counted from the rows that are there, as SQLite does (host).

A counter of the server never gives back what a dry run took: acts that people confirm by number and
entries of the operators' log would have gaps where nothing is missing. There is one writer at a
time, so nobody else counts meanwhile. Rows that `bulk` writes have the server's numbers: no table
takes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, Table, func, inspect, select
from sqlalchemy.orm import Session, object_mapper

if TYPE_CHECKING:
    from sqlalchemy.orm import UOWTransaction


def counted(table: Table) -> Column[Any] | None:
    """The column by which the rows of this table are numbered, if they are."""
    column = table.autoincrement_column
    if column is None or not isinstance(column.type, Integer) or column.foreign_keys:
        return None
    return column


def give_numbers(session: Session, _context: UOWTransaction, _some: object) -> None:
    """Number what is new in this flush, in the order in which it was added."""
    if session.connection().dialect.name != "postgresql":
        return
    newest: dict[Table, int] = {}
    for row in sorted(session.new, key=lambda one: inspect(one).insert_order):
        mapper = object_mapper(row)
        table = mapper.local_table
        column = counted(table) if isinstance(table, Table) else None
        if column is None or not isinstance(table, Table):
            continue
        name = mapper.get_property_by_column(column).key
        if getattr(row, name) is not None:
            continue
        if table not in newest:
            newest[table] = session.connection().scalar(select(func.max(column))) or 0
        newest[table] += 1
        setattr(row, name, newest[table])
