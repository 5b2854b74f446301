"""Changing the list in force: begin, commit, and what a start finds (device).

Loaded for each of them and forgotten after it. Rules, in the order in which they are applied:

- begin: envelope shape, key, signature, manifest, site, device, epoch, version floor, dates,
  kind, capacity, length; only then is the other base emptied and /wl/next written
- the same manifest begun again goes on where the base file ends
- chunks come in order; a wrong offset is out of order, one byte too many is a wrong length
- commit: the base is read back: SHA-256, order, profiles, dates, digest; then the rename, the
  version floor, the journal record, the receipt
- a start takes /wl/active if its signature is right, its version not below the floor, and a base
  has the SHA-256 that it signs; the same after an error of the flash at the change of lists
"""

import asyncio
import os

from firmware import signed
from firmware.config import read_file
from firmware.whitelist import ACTIVE_PATH, BASE_PATHS, NEXT_PATH
from protocol import cards, manifest
from protocol.codes import (
    CLOCK_UNSET,
    ERR_FLASH,
    ERR_SIGNATURE,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_LIST_ACTIVATED,
    EVENT_LIST_REFUSED,
    KEY_WHITELIST,
)
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.intake import Intake
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

_PIECE_BYTES = 128


# --- starting up ----------------------------------------------------------------------------


def restore(intake: "Intake", scratch: memoryview) -> None:
    """Put the list that the flash holds into force; refusals are journalled."""
    try:
        data = memoryview(read_file(ACTIVE_PATH))
    except OSError:  # never had a list
        return
    slot = data[0] & 1 if data else 0
    intake.whitelist.slot = slot  # whatever becomes of it, no new list is written over it
    try:
        held = _accepted_before(intake, data[1:])
        try:
            _put(intake, held, slot, scratch)
        except Refused as error:  # the byte that names the base is signed by nobody
            try:
                _put(intake, held, 1 - slot, scratch)
            except (Refused, OSError):
                raise error from None
    except Refused as error:
        intake.journal.note(EVENT_LIST_REFUSED, error.code)
    except OSError:
        intake.journal.note(EVENT_LIST_REFUSED, ERR_FLASH)


def _accepted_before(intake: "Intake", data: memoryview) -> "Manifest":
    """The manifest of an envelope that was accepted once, judged anew."""
    envelope, verifier = signed.opened(intake.keys, KEY_WHITELIST, data, AAD_MANIFEST)
    while verifier.step():
        pass  # nobody waits yet
    if not verifier.ok:
        raise Refused(ERR_SIGNATURE)
    held = manifest.parse(memoryview(envelope.payload))
    if held.version < intake.journal.version_floor:
        raise Refused(ERR_VERSION_LOW)
    _check(intake, held, held.version - 1, CLOCK_UNSET)
    return held


def _put(intake: "Intake", held: "Manifest", slot: int, scratch: memoryview) -> None:
    """Records into force, if they are those that the manifest signs."""
    whitelist = intake.whitelist
    for _ in whitelist.proving(held, slot, scratch):
        pass
    for _ in whitelist.preparing(slot, held.count):
        pass
    whitelist.take(held, slot)
    _enter(intake, held, held.version > intake.journal.version_floor)


def _check(intake: "Intake", coming: "Manifest", floor: int, quality: int) -> None:
    config = intake.config
    clock = intake.clock
    manifest.check(
        coming, config.site, config.device, config.epoch, floor, clock.time_s, quality,
        clock.floor_s, intake.capacity,
    )  # fmt: skip


# --- begin ----------------------------------------------------------------------------------


def begin(intake: "Intake", envelope: "Buffer", payload: "Buffer") -> int:
    """Judge a manifest, whose signature is right, and make ready for its records."""
    coming = manifest.parse(memoryview(payload))
    intake.clock.tick()
    _check(intake, coming, intake.journal.version_floor, intake.clock.quality)
    intake.pause()
    slot = intake.slot = 1 - intake.whitelist.slot
    intake.offset = _size(BASE_PATHS[slot])
    if intake.offset > coming.payload_bytes or not _holds(NEXT_PATH, slot, envelope):
        _start(slot, envelope)
        intake.offset = 0
    intake.coming = coming
    intake.file = open(BASE_PATHS[slot], "ab")  # noqa: SIM115 - over many chunks
    intake.synced = intake.offset
    return intake.offset


def _start(slot: int, envelope: "Buffer") -> None:
    """Empty the other base, then say whose records it will hold: never the other way round."""
    with open(BASE_PATHS[slot], "wb"):
        pass
    with open(NEXT_PATH, "wb") as file:
        file.write(bytes((slot,)))
        file.write(envelope)


# --- commit ---------------------------------------------------------------------------------


async def commit(intake: "Intake", scratch: memoryview) -> None:
    """Prove what is stored and put it into force; raises Refused and keeps the old list."""
    coming = intake.coming
    if coming is None or intake.offset != coming.payload_bytes:
        raise Refused(ERR_STATE)
    intake.pause()
    slot = intake.slot
    whitelist = intake.whitelist
    records = cards.Digest([profile[0] for profile in coming.profiles])
    try:
        for _ in whitelist.proving(coming, slot, scratch, records):
            await asyncio.sleep_ms(0)
    except Refused:
        os.remove(NEXT_PATH)
        raise
    for _ in whitelist.preparing(slot, coming.count):
        await asyncio.sleep_ms(0)
    try:
        os.rename(NEXT_PATH, ACTIVE_PATH)
        whitelist.take(coming, slot)
        _enter(intake, coming, True)
    except OSError:  # which list the flash names now is for the flash to say
        restore(intake, scratch)
        raise


def _enter(intake: "Intake", held: "Manifest", is_new: bool) -> None:
    """What follows a rename; a start that finds it undone does it."""
    journal = intake.journal
    journal.version = held.version
    if is_new:
        journal.raise_version_floor(held.version)
        journal.record(EVENT_LIST_ACTIVATED, extra=held.count)
        intake.changes += 1
    intake.clock.raise_floor(held.issued_at_s)


def _size(path: str) -> int:
    try:
        size: int = os.stat(path)[6]
    except OSError:  # not there
        return 0
    return size


def _holds(path: str, slot: int, envelope: "Buffer") -> bool:
    """Whether the file is this slot's byte and this envelope."""
    if _size(path) != 1 + len(envelope):
        return False
    with open(path, "rb") as file:
        if file.read(1)[0] != slot:
            return False
        for at in range(0, len(envelope), _PIECE_BYTES):
            if file.read(_PIECE_BYTES) != envelope[at : at + _PIECE_BYTES]:
                return False
    return True
