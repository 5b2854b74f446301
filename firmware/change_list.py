"""Changing the list in force: how a list begins, and how a full one is put into force (device).

Loaded for each of them and forgotten after it. Rules, in the order in which they are applied:

- begin: envelope shape, key, signature, manifest, site, device, epoch, version floor, dates,
  base, capacity, length; only then is /wl/next written
- the same full list begun again goes on where NVS says that the base ends; a delta begins anew
- chunks come in order; a wrong offset is out of order, one byte too many is a wrong length
- commit: the base is read back: SHA-256, order, profiles, dates, digest; then the rename, the
  version floor, the journal record, the receipt. A delta: firmware/delta.py
"""

import asyncio
import os
from array import array
from hashlib import sha256

from firmware.loan import forget
from firmware.whitelist import NEXT_PATH
from protocol.codes import ERR_CAPACITY, ERR_DIGEST, LIST_DELTA
from protocol.constants import CARD_RECORD_BYTES, OVERLAY_RECORDS_MAX
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.intake import Intake
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

_PIECE_BYTES = 128


def begin(intake: "Intake", envelope: "Buffer", payload: "Buffer") -> int:
    """Judge a manifest, whose signature is right, and make ready for its records."""
    coming = _judged(intake, payload)
    intake.pause()
    here = intake.take_base()
    slot = intake.slot
    if coming.kind == LIST_DELTA:
        here = 0
        intake.envelope = bytes(envelope)
    elif here > coming.payload_bytes or not _holds(NEXT_PATH, envelope):
        here = 0
        _announce(slot, envelope, coming.count)
    intake.reached(here, True)
    intake.coming = coming
    return here


def _judged(intake: "Intake", payload: "Buffer") -> "Manifest":
    from protocol.manifest import check, parse

    forget("protocol.manifest")
    coming = parse(memoryview(payload))
    config, clock, whitelist = intake.config, intake.clock, intake.whitelist
    clock.tick()
    held = whitelist.manifest
    same_epoch = held is not None and held.epoch == config.epoch
    check(
        coming, config.site, config.device, config.epoch, intake.journal.version_floor,
        clock.time_s, clock.quality, clock.floor_s, intake.capacity,
        whitelist.version if same_epoch else 0, whitelist.digest,
    )  # fmt: skip
    most = OVERLAY_RECORDS_MAX * CARD_RECORD_BYTES
    if coming.kind == LIST_DELTA and coming.payload_bytes > most:
        raise Refused(ERR_CAPACITY)
    return coming


def _announce(slot: int, envelope: "Buffer", count: int) -> None:
    """Say whose records the idle base will hold; NVS says since before that it holds none yet."""
    from firmware.list_files import write_tail

    forget("firmware.list_files")
    with open(NEXT_PATH, "wb") as file:
        file.write(envelope)
        write_tail(file, slot, len(envelope), count, array("H"))


async def commit(intake: "Intake", coming: "Manifest", scratch: memoryview) -> None:
    """Prove a full list as it is stored and put it into force."""
    from firmware.list_files import activate
    from firmware.tables import Table, tabling

    forget("firmware.list_files")
    forget("firmware.tables")
    slot = intake.slot
    bases = intake.whitelist.bases
    whole = sha256()
    table = Table(bases, slot, [profile[0] for profile in coming.profiles])
    try:
        for _ in tabling(bases, slot, table, coming.count, scratch, whole):
            await asyncio.sleep_ms(0)
        if whole.digest() != coming.payload_sha256:
            raise Refused(ERR_DIGEST)
        if table.problem is not None:
            raise table.problem
        if table.finish() != coming.result_digest:
            raise Refused(ERR_DIGEST)
    except Refused:
        os.remove(NEXT_PATH)
        raise
    starts = table.starts
    del table
    activate(intake, coming, scratch, (slot, coming.count, starts, array("H"), 0))


def _size(path: str) -> int:
    try:
        size: int = os.stat(path)[6]
    except OSError:  # not there
        return 0
    return size


def _holds(path: str, envelope: "Buffer") -> bool:
    """Whether the file begins with this envelope and is a full list's."""
    from firmware.list_files import TRAILER_BYTES

    forget("firmware.list_files")
    if _size(path) != len(envelope) + TRAILER_BYTES:
        return False
    with open(path, "rb") as file:
        for at in range(0, len(envelope), _PIECE_BYTES):
            piece = bytes(envelope[at : at + _PIECE_BYTES])
            if file.read(len(piece)) != piece:
                return False
    return True
