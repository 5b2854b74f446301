"""Deltas: what leads from one list to another, docs/protocol.md section 3 (host, but for absent()).

A list is its records joined, sorted by key; a delta is records too, FLAG_ABSENT for what leaves.
"""

from hashlib import sha256

from protocol import cards
from protocol.constants import CARD_KEY_BYTES, CARD_RECORD_BYTES, FLAG_ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ZEROS = bytes(CARD_RECORD_BYTES - CARD_KEY_BYTES - 1)


def absent(key: bytes) -> bytes:
    """The record, 16 bytes, that takes a card off the list."""
    return key + _ZEROS + bytes((FLAG_ABSENT,))


def by_key(records: bytes) -> "dict[bytes, bytes]":
    """Each record of a list or delta by its key, in their order."""
    found = {}
    for at in range(0, len(records), CARD_RECORD_BYTES):
        record = records[at : at + CARD_RECORD_BYTES]
        found[record[:CARD_KEY_BYTES]] = record
    return found


def between(old: bytes, new: bytes) -> bytes:
    """The delta that makes `new` of `old`; empty when they are equal."""
    before = by_key(old)
    after = by_key(new)
    changes = {key: record for key, record in after.items() if before.get(key) != record}
    for key in before:
        if key not in after:
            changes[key] = absent(key)
    return b"".join(changes[key] for key in sorted(changes))


def applied(old: bytes, delta: bytes) -> bytes:
    """The list after a delta."""
    records = by_key(old)
    for key, record in by_key(delta).items():
        if cards.flags(record) & FLAG_ABSENT:
            records.pop(key, None)
        else:
            records[key] = record
    return b"".join(records[key] for key in sorted(records))


def bucket_hashes(records: bytes) -> "Iterator[bytes]":
    """SHA-256 of each of the 256 buckets of a list, what get_buckets answers."""
    start = 0
    for bucket in range(256):
        end = start
        while end < len(records) and records[end] == bucket:
            end += CARD_RECORD_BYTES
        yield sha256(records[start:end]).digest()
        start = end
