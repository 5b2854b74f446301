"""Many rows of one table at once, as the driver itself takes them (host).

SQLAlchemy's own insert spends more on each row than the database does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Base

# without a length: a cast to one would cut off what is longer
_ARRAYS = {int: "bigint", str: "text", bytes: "bytea", bool: "boolean"}
_ROWS_A_STATEMENT = 10_000


def insert_rows(
    session: Session, model: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert ``rows``: the values of ``columns`` in their order, of types the driver knows."""
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - of a mapped class it always is
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _unnest(connection, table, columns, rows)
        return
    compiled = insert(table).values(dict.fromkeys(columns)).compile(dialect=connection.dialect)
    order = compiled.positiontup
    assert order is not None  # noqa: S101 - SQLite's driver counts its arguments
    picks = [list(columns).index(name) for name in order]
    if picks != list(range(len(columns))):
        rows = [tuple(row[pick] for pick in picks) for row in rows]
    connection.exec_driver_sql(str(compiled), list(rows))


def _unnest(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """One array a column: the driver would send a statement for each row."""
    quote = connection.dialect.identifier_preparer.quote
    forms = [f"%s::{_ARRAYS[table.c[name].type.python_type]}[]" for name in columns]
    statement = (
        f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, columns))}) "  # noqa: S608 - of models
        f"SELECT * FROM unnest({', '.join(forms)})"
    )
    for at in range(0, len(rows), _ROWS_A_STATEMENT):
        some = zip(*rows[at : at + _ROWS_A_STATEMENT], strict=True)
        connection.exec_driver_sql(statement, tuple(map(list, some)))
