"""What a controller's answers must look like before anything is done with them (host, pure).

Bounds, so that a controller that lies can keep nobody busy for ever and spoil nobody's registry: a
ring has at most as many sectors as a key slot can name; no number is larger than a controller
writes in a century; a page holds what was asked for and nothing else.
"""

from __future__ import annotations

from itertools import pairwise

from protocol import energy_slot, sector_header
from protocol.constants import (
    CARD_KEY_BYTES,
    CARD_RECORD_BYTES,
    CHAIN_BYTES,
    ENERGY_SLOT_BYTES,
    LIST_PAYLOAD_MAX_BYTES,
    RECORD_BYTES,
    RECORDS_A_PAGE,
    RECORDS_PER_SECTOR,
    SECTOR_HEADER_BYTES,
)

SECTORS_MAX = 256  # a key slot names its sector in one byte
RING_RECORDS_MAX = SECTORS_MAX * RECORDS_PER_SECTOR
NUMBER_MAX = 1 << 26  # of a record: 90 years of 2000 a day
_HEAD_FIELDS = 7
_HEAD_MAC_BYTES = 16
_BOOT_END = 1 << 32


def is_head(value: object, ring: int) -> bool:
    """Whether this is `[ring, next, c, oldest, boot, tool mac, audit mac]` of that ring."""
    if not isinstance(value, list) or len(value) != _HEAD_FIELDS or value[0] != ring:
        return False
    numbers, sizes = (value[1], value[3], value[4]), (value[2], value[5], value[6])
    if any(type(number) is not int or number < 0 for number in numbers):
        return False
    if any(not isinstance(field, bytes) for field in sizes):
        return False
    if [len(field) for field in sizes] != [CHAIN_BYTES, _HEAD_MAC_BYTES, _HEAD_MAC_BYTES]:
        return False
    next_seq, oldest_seq, boot = numbers
    held = next_seq - oldest_seq
    return bool(next_seq <= NUMBER_MAX and 0 <= held <= RING_RECORDS_MAX and boot < _BOOT_END)


def is_page(page: bytes) -> bool:
    """Whether this is whole records, none with a number that no controller reaches."""
    starts = range(0, len(page), RECORD_BYTES)
    return len(page) % RECORD_BYTES == 0 and all(
        int.from_bytes(page[at : at + 4], "big") < NUMBER_MAX for at in starts
    )


def answering(page: bytes, asked: range, wanted: range) -> bytes | None:
    """What of a page can be believed to be records that are wanted; None for another shape.

    Flash rots, and a number with it: a record is taken when it stands beside its neighbour, or at
    either end of what was asked for. Judging its content is for `journal verify`.
    """
    if len(page) % RECORD_BYTES or len(page) > len(asked) * RECORD_BYTES:
        return None
    starts = range(0, len(page), RECORD_BYTES)
    numbers = [int.from_bytes(page[at : at + 4], "big") for at in starts]
    if numbers and numbers == list(range(asked[0], asked[0] + len(numbers))):
        return page if asked[-1] in wanted else page[: RECORD_BYTES * (wanted[-1] + 1 - asked[0])]
    kept: list[bytes] = []
    newest = -1
    for index, number in enumerate(numbers):
        beside = numbers[index - 1] == number - 1 if index else number == asked[0]
        ahead = numbers[index + 1] == number + 1 if index + 1 < len(numbers) else False
        fits = beside or ahead or number in (asked[0], asked[-1])
        if fits and number in wanted and number > newest:
            kept.append(page[index * RECORD_BYTES : (index + 1) * RECORD_BYTES])
            newest = number
    return b"".join(kept)


def slots_of(page: bytes, seq: int, count: int) -> list[bytes] | None:
    """The slots of a page of energy, whole and rising from ``seq`` on; None for another shape."""
    starts = range(0, len(page), ENERGY_SLOT_BYTES)
    slots = [page[at : at + ENERGY_SLOT_BYTES] for at in starts]
    numbers = [int.from_bytes(slot[:4], "big") for slot in slots]
    if len(slots) > count or not all(map(energy_slot.is_whole, slots)):
        return None
    if any(now <= before for before, now in pairwise([max(seq, 1) - 1, *numbers])):
        return None
    return slots


def headers_of(page: bytes, ring: int, end_seq: int) -> tuple[bytes, int]:
    """The sector headers of that ring in a page, and the last first number (-1 for none)."""
    kept: list[bytes] = []
    newest = -1
    for at in range(0, len(page), SECTOR_HEADER_BYTES):
        header = page[at : at + SECTOR_HEADER_BYTES]
        fields = sector_header.unpack(header)
        if fields is not None and fields.ring == ring and fields.first_seq <= end_seq:
            kept.append(header)
            newest = max(newest, fields.first_seq)
    return b"".join(kept), newest


def continues(found: bytes, page: bytes, bucket: int) -> bool:
    """Whether a page has whole records of that bucket, each behind the one before it."""
    if len(page) % CARD_RECORD_BYTES or len(page) > RECORDS_A_PAGE * CARD_RECORD_BYTES:
        return False
    if len(found) + len(page) > LIST_PAYLOAD_MAX_BYTES:
        return False
    records = found[-CARD_RECORD_BYTES:] + page
    starts = range(0, len(records), CARD_RECORD_BYTES)
    keys = [records[at : at + CARD_KEY_BYTES] for at in starts]
    return all(key[0] == bucket for key in keys) and all(a < b for a, b in pairwise(keys))
