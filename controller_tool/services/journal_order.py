"""The order of the journals' records: by time to the millisecond, then by where they stand (host).

The index finds records second by second; which millisecond each is of stands in the record alone.
So the records of a second are fetched together and sorted by millisecond, controller, ring and
number, which stays the same when the index is made anew. Runs on no more than a page and the rest
of its last second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from controller_tool.services import journal_index
from controller_tool.services.journal_index import SEQ_BITS
from protocol.constants import RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

    from controller_tool.services.journal_query import Facet, Found

_MS = slice(12, 14)  # in a record, protocol.records
Key = tuple[int, int, str, int, int]  # seconds, milliseconds, controller id, ring, number


class Stored(NamedTuple):
    """A place in the index, its key in the order, and the record; None where that is gone."""

    key: Key
    found: Found
    record: bytes | None


def is_whole(record: bytes | None) -> bool:
    """Whether a record has the shape of one."""
    return record is not None and len(record) == RECORD_BYTES


def key_of(time_s: int, record: bytes | None, device_id: str, ring: int, seq: int) -> Key:
    """Where a record stands; one that has no milliseconds any more stands first in its second."""
    ms = int.from_bytes(record[_MS], "big") if record is not None and is_whole(record) else 0
    return (time_s, ms, device_id, ring, seq)


def by_time(
    session: Session,
    facets: Mapping[int, Facet],
    found: Iterable[Found],
    newest_first: bool,
    at_once: int,
) -> Iterator[Stored]:
    """What was found second by second, in its order, with the records.

    at_once: records that are fetched together; a second is never divided. What the index has of a
    kind that it does not know (somebody altered it) stands first in its second.
    """
    for batch in _whole_seconds(found, at_once):
        records = dict(journal_index.records_of(session, [one.id for one in batch]))
        rows = []
        for one in batch:
            facet = facets.get(one.facet_id)
            device_id, ring = (facet.device_id, facet.ring) if facet else ("", one.id >> SEQ_BITS)
            record = records.get(one.id)
            seq = one.id & ((1 << SEQ_BITS) - 1)
            rows.append(Stored(key_of(one.time_s, record, device_id, ring, seq), one, record))
        yield from sorted(rows, key=lambda row: row.key, reverse=newest_first)


def _whole_seconds(found: Iterable[Found], at_once: int) -> Iterator[list[Found]]:
    batch: list[Found] = []
    for one in found:
        if len(batch) >= at_once and one.time_s != batch[-1].time_s:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch
