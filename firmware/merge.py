"""Merges base and overlay into a new base, in the background (device).

Order, which power may cut anywhere: the records stream into the idle base; it is read back and its
table written; its digest and count must be those that the manifest in force signs; then the same
manifest is renamed into force with the new base and no overlay. What a cut leaves of the records
is gone on with; of the rest it is done anew.
"""

import os
from array import array

from firmware.loan import forget
from firmware.whitelist import ACTIVE_PATH, NEXT_PATH
from protocol.codes import EVENT_LIST_MERGED
from protocol.constants import BUCKETS, CARD_RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from firmware.bases import Bases
    from firmware.intake import Intake

_PIECE_BYTES = 512
_STEP_BYTES = 1024
_COPY_BYTES = 128


def merging(intake: "Intake") -> "Generator[None, None, None]":
    """Steps of one kilobyte each, so that at most every fourth erases a sector."""
    whitelist = intake.whitelist
    held = whitelist.manifest
    if held is None:
        return
    written = intake.take_base_to_merge()
    bases, slot = whitelist.bases, intake.slot
    buffer = memoryview(bytearray(_PIECE_BYTES))
    well = False
    try:
        yield from _write(intake, written, buffer)
        from firmware.tables import Table, tabling

        forget("firmware.tables")
        table = Table(bases, slot)
        yield from tabling(bases, slot, table, held.count, buffer)
        if table.problem is None and table.finish() == held.result_digest:
            yield
            _activate(intake, slot, table.starts)
            well = True
        else:  # this or what it was made of has rotted: which of them is for a proof to say
            from firmware.proof import Proof

            forget("firmware.proof")
            whitelist.prover = Proof(intake)
    except GeneratorExit:  # somebody else wants the base
        well = True
        raise
    finally:
        intake.merge_ended(well)


def _write(intake: "Intake", written: int, buffer: memoryview) -> "Generator[None, None, None]":
    """The records into the idle base, from where a cut has left it."""
    from firmware.blend import blend_of

    forget("firmware.blend")
    bases, slot = intake.whitelist.bases, intake.slot
    bucket, skip = _end_of(bases, slot, written)
    blend = blend_of(intake.whitelist, buffer)
    stepped = 0
    try:
        blend.seek(bucket)
        for number in range(bucket, BUCKETS):
            for piece in blend.pieces(number):
                size = len(piece)
                if skip >= size:
                    skip -= size
                    continue
                bases.write(slot, written, memoryview(piece)[skip:])
                written += size - skip
                stepped += size - skip
                skip = 0
                intake.reached(written, False)
                if stepped >= _STEP_BYTES:
                    stepped = 0
                    yield
    finally:
        blend.close()


def _end_of(bases: "Bases", slot: int, written: int) -> "tuple[int, int]":
    """The bucket in which so many bytes end, and how many bytes of it are there."""
    if not written:
        return 0, 0
    first = bytearray(1)
    at = written - CARD_RECORD_BYTES
    bases.read(slot, at, first)
    last = first[0]
    while at:
        bases.read(slot, at - CARD_RECORD_BYTES, first)
        if first[0] != last:
            break
        at -= CARD_RECORD_BYTES
    return last, written - at


def _activate(intake: "Intake", slot: int, starts: "array[int]") -> None:
    from firmware.list_files import write_tail

    forget("firmware.list_files")
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
