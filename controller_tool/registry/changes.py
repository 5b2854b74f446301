"""Whether a registry was written to since, and whether rows are gone, at little cost (host)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import func, literal_column, select, text

from controller_tool.registry.derived import JournalIndex, JournalStream
from controller_tool.registry.records import JournalRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

_MAPPED_BYTES = 1 << 31
_STATE = {
    # of other connections, and of this one
    "sqlite": ("PRAGMA data_version", "SELECT total_changes()"),
    # which transactions this reader sees: with the same ones it sees the same rows
    "postgresql": ("SELECT pg_current_snapshot()::text",),
}


def state(session: Session) -> tuple[object, ...]:
    """The same as before on this connection: nobody has written meanwhile, this one included."""
    connection = session.connection()
    queries = _STATE[connection.dialect.name]
    return tuple(connection.exec_driver_sql(query).scalar() for query in queries)


def numbers_agree(session: Session, seq_bits: int) -> bool:
    """Whether by their numbers alone the journals' index has a row for each record and no other.

    SQLite: both are counted, 0.1 to 0.2 s for five million of each; mapped into memory that is a
    fifth of what reading the file does. Rows of records that were removed could stand for rows that
    are missing: so the numbers of the rows themselves, which are given without a gap, have to say
    that no record was removed. PostgreSQL numbers no rows: there the sums of the records' numbers,
    ring by ring, have to be the same too.
    """
    if session.connection().dialect.name == "sqlite":
        return _rows_agree(session)
    return _sums_agree(session, seq_bits)


def _rows_agree(session: Session) -> bool:
    last = session.execute(select(text("max(rowid)")).select_from(JournalRecord)).scalar() or 0
    with _mapped(session):
        records = session.execute(select(func.count()).select_from(JournalRecord)).scalar()
        rows = session.execute(select(func.count()).select_from(JournalIndex)).scalar()
    return rows == records == last


def _sums_agree(session: Session, seq_bits: int) -> bool:
    # written out: the server groups by the same text only, and shifts by no 64-bit number
    stream = JournalIndex.id.op(">>")(literal_column(str(seq_bits)))
    seq = JournalIndex.id.op("&")(literal_column(str((1 << seq_bits) - 1)))
    rows = select(stream, func.count(), func.sum(seq)).group_by(stream)
    found = {number: (count, total) for number, count, total in session.execute(rows)}
    ring = (JournalRecord.device_id, JournalRecord.ring)
    held = select(*ring, func.count(), func.sum(JournalRecord.seq)).group_by(*ring)
    numbers = {(s.device_id, s.ring): s.id for s in session.scalars(select(JournalStream))}
    wanted = {
        numbers.get((device_id, number)): (count, total)
        for device_id, number, count, total in session.execute(held)
    }
    return found == wanted


@contextmanager
def _mapped(session: Session) -> Iterator[None]:
    connection = session.connection()
    connection.exec_driver_sql(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA mmap_size = 0")
