"""Many rows of one table at once, as the driver itself takes them (host).

SQLAlchemy's own insert spends more on each row than the database does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Base


def insert_rows(
    session: Session, model: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert ``rows``: the values of ``columns`` in their order, of types the driver knows."""
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - of a mapped class it always is
    connection = session.connection()
    statement = insert(table).values(dict.fromkeys(columns))
    compiled = statement.compile(dialect=connection.dialect)
    order = compiled.positiontup
    if order is None:
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    picks = [list(columns).index(name) for name in order]
    if picks != list(range(len(columns))):
        rows = [tuple(row[pick] for pick in picks) for row in rows]
    connection.exec_driver_sql(str(compiled), list(rows))
