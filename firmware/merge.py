"""Merges base and overlay into a new base, in the background (device).

Order, which power may cut anywhere: the records stream into the idle base; it is read back and its
table written; its digest and count must be those that the manifest in force signs; then the same
manifest is renamed into force with the new base and no overlay. What a cut leaves of the records
is gone on with; of the rest it is done anew.
"""

import os
from array import array

from firmware.loan import forget
from firmware.whitelist import ACTIVE_PATH, BASE_PATHS, NEXT_PATH
from protocol.codes import EVENT_LIST_MERGED
from protocol.constants import BUCKETS, CARD_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from firmware.intake import Intake

_STEP_BYTES = 1024
_SYNC_BYTES = 65536  # a power cut costs at most so much
_COPY_BYTES = 128


def merging(intake: "Intake") -> "Generator[None, None, None]":
    """Steps of one kilobyte each, so that at most every fourth erases a block."""
    from firmware.list_files import PIECE_BYTES, Table, tabling
    from firmware.proof import Proof

    whitelist = intake.whitelist
    held = whitelist.manifest
    if held is None:
        return
    goes_on = intake.goes_on()
    slot = intake.take_base(held.version)
    buffer = memoryview(bytearray(PIECE_BYTES))
    written = _size(BASE_PATHS[slot]) if goes_on else 0
    well = False
    try:
        yield from _write(intake, slot, written, buffer)
        table = Table(slot)
        try:
            yield from tabling(slot, table, held.count * CARD_RECORD_BYTES, buffer)
            digest = b"" if table.problem is not None else table.finish()
        finally:
            table.close()
        if digest == held.result_digest:
            _activate(intake, slot, table.starts)
            well = True
        else:  # this or what it was made of has rotted: which of them is for a proof to say
            whitelist.prover = Proof(intake)
    except GeneratorExit:  # somebody else wants the base
        well = True
        raise
    finally:
        forget("firmware.list_files")
        forget("firmware.proof")
        intake.merge_ended(well)


def _size(path: str) -> int:
    try:
        size: int = os.stat(path)[6]
    except OSError:  # not there
        return 0
    return size


def _write(
    intake: "Intake", slot: int, written: int, buffer: memoryview
) -> "Generator[None, None, None]":
    """The records into the idle base, from where a cut has left it."""
    from firmware.list_files import blend_of

    path = BASE_PATHS[slot]
    written -= written % CARD_RECORD_BYTES and written  # no whole records: it begins anew
    bucket, skip = _end_of(path, written)
    blend = blend_of(intake.whitelist, buffer)
    file = open(path, "ab" if written else "wb")  # noqa: SIM115 - over many steps
    try:
        blend.seek(bucket)
        stepped = synced = 0
        for number in range(bucket, BUCKETS):
            for piece in blend.pieces(number):
                size = len(piece)
                if skip >= size:
                    skip -= size
                    continue
                file.write(memoryview(piece)[skip:])
                stepped += size - skip
                skip = 0
                if stepped - synced >= _SYNC_BYTES:
                    file.flush()
                    synced = stepped
                if stepped % _STEP_BYTES < size:
                    yield
    finally:
        file.close()
        blend.close()


def _end_of(path: str, written: int) -> "tuple[int, int]":
    """The bucket in which so many bytes end, and how many bytes of it are there."""
    if not written:
        return 0, 0
    with open(path, "rb") as file:
        at = written - CARD_RECORD_BYTES
        file.seek(at)
        last = file.read(1)
        while at:
            file.seek(at - CARD_RECORD_BYTES)
            if file.read(1) != last:
                break
            at -= CARD_RECORD_BYTES
    return last[0], written - at


def _activate(intake: "Intake", slot: int, starts: "array[int]") -> None:
    from firmware.list_files import write_tail

    whitelist = intake.whitelist
    held = whitelist.manifest
    if held is None:
        return
    envelope_bytes = whitelist.overlay_at
    none = array("H")
    with open(ACTIVE_PATH, "rb") as source, open(NEXT_PATH, "wb") as file:
        left = envelope_bytes
        while left:
            left -= file.write(source.read(min(left, _COPY_BYTES)))
        write_tail(file, slot, envelope_bytes, held.count, none)
    os.rename(NEXT_PATH, ACTIVE_PATH)
    whitelist.take(held, slot, held.count, starts, none, envelope_bytes)
    intake.journal.note(EVENT_LIST_MERGED, extra=held.count)
