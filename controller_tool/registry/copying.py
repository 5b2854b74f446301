"""A whole registry in another place: a file of its own, whatever kind it comes from (host).

A copy is always an SQLite file, so a backup of one kind of registry restores into either. What is
only remembered (known_contents) is not copied: it is found out anew.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import DatabaseError

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry import derived, houses, numbering, records, stays
from controller_tool.registry.models import Base

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Table

TABLES = (derived, houses, records, stays)  # importing registers what they hold with Base
ROWS_A_BATCH = 2000
_SCHEMA = "alembic_version"
_REMEMBERED = (records.KnownContent.__tablename__,)


def snapshot(source: Connection, target: Path) -> None:
    """The registry of ``source`` as of one moment, as a file that was proven readable.

    OperatorError when it is damaged: what is copied then would be no backup.
    """
    if source.dialect.name == "sqlite":
        _copy_file(source, target)
    else:
        _copy_to_file(source, target)
    if not _is_whole(target):
        raise OperatorError(
            t("The registry is damaged; no backup was made of it"),
            t("Restore the site folder from a backup"),
        )


def copy_rows(source: Connection, target: Connection) -> None:
    """All rows, into a registry of the same schema that holds nothing yet but what it began with.

    Both in transactions of the caller; what ``source`` sees must not change meanwhile.
    """
    tables = [one for one in Base.metadata.sorted_tables if one.name not in _REMEMBERED]
    known = {one.name for one in tables} | {*_REMEMBERED, _SCHEMA}
    if left_behind := set(inspect(target).get_table_names()) - known:
        raise LookupError(*left_behind)  # a module of tables that is not in TABLES
    for table in reversed(tables):
        if table.name not in records.APPEND_ONLY:
            target.execute(delete(table))
    for table in tables:
        own = _of_its_own(table)
        rows = source.execution_options(yield_per=ROWS_A_BATCH).execute(select(table))
        for batch in rows.mappings().partitions():
            target.execute(insert(table), [{**row, **own} for row in batch])
        if own:
            _refer(source, target, table, own)
        _go_on_counting(target, table)


def _of_its_own(table: Table) -> dict[str, None]:
    """Columns that refer to other rows of this table, still empty.

    In which order rows come nobody says: a server gives a row that was changed after the others.
    """
    keys = table.foreign_keys
    return {key.parent.name: None for key in keys if key.column.table is table}


def _refer(source: Connection, target: Connection, table: Table, own: dict[str, None]) -> None:
    """All rows are there: now each refers to the one that it referred to."""
    [key] = table.primary_key
    for name in own:
        column = table.c[name]
        rows = source.execute(select(key, column).where(column.is_not(None))).all()
        if rows:
            change = update(table).where(key == bindparam("row")).values({name: bindparam("other")})
            target.execute(change, [{"row": row, "other": other} for row, other in rows])


def _copy_file(source: Connection, target: Path) -> None:
    driver = source.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - of this dialect it is
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            # in one step: in several, whoever writes meanwhile makes it begin anew
            driver.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.Error as error:
        raise DatabaseError(None, None, error) from error


def _copy_to_file(source: Connection, target: Path) -> None:
    from controller_tool.registry.database import Registry  # noqa: PLC0415 - it calls this module

    copy = Registry(target, new=True)
    try:
        with copy.writing() as session:
            copy_rows(source, session.connection())
    finally:
        copy.close()
    with closing(sqlite3.connect(target, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=DELETE")


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as copy:
            [said] = copy.execute("PRAGMA integrity_check(1)").fetchone()
            return said == "ok" and copy.execute("PRAGMA foreign_key_check").fetchone() is None
    except sqlite3.Error:
        return False


def _go_on_counting(target: Connection, table: Table) -> None:
    """PostgreSQL counts beside the rows: its counter follows those that came with a number."""
    column = numbering.counted(table)
    if target.dialect.name != "postgresql" or column is None:
        return
    newest = target.execute(select(func.max(column))).scalar()
    if newest is not None:
        words = text("SELECT setval(pg_get_serial_sequence(:table, :column), :newest)")
        values = {"table": table.name, "column": column.name, "newest": newest}
        target.execute(words, values)
