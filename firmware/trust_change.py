"""A new trust object: taken in pieces, proven, put into force (device).

Loaded for one request and forgotten after it. Rules, in the order in which they are applied:

- pieces come in order; one that does not begin where the file ends is out of order, offset 0
  starts anew
- with the last piece: the object follows the one on the flash (protocol/trust.py), and it knows
  the key that signed the list in force, for the next start verifies that list with it
- accepted: the rename, the floors, the journal record; a list or a firmware on its way has to begin
  anew, and a guest who is revoked now leaves after the reply
- refused: the file is removed, the reason journalled; the old object stays
- settle(): an object older than the trust floor speaks for nothing new, one that is newer raises
  the floors: a start calls it too, and so finishes what a power cut left after the rename
"""

import asyncio
import gc
import os

from firmware.intake import NEW_EPOCH
from firmware.loan import forget
from firmware.signed import TRUST_PATH, Keys
from firmware.whitelist import ACTIVE_PATH
from protocol.codes import (
    ERR_LENGTH,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_TRUST_CHANGED,
    EVENT_TRUST_REFUSED,
    KEY_WHITELIST,
)
from protocol.constants import ID_BYTES, RING_ALARM, RSA_BYTES
from protocol.messages import Refused
from protocol.rsa import Verification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller

NEW_PATH = "/cfg/trust.new"
_STACK_DEPTH = 12
_ENVELOPE_OPENING = b"\x84\x4f\xa2\x01\x39\x01\x00\x04\x48"  # protocol/cose.py; the kid follows


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> int:
    """Append a piece; the last one puts the object into force. Returns the next offset."""
    offset: int
    offset, total_bytes, data = arguments
    if offset and offset != _size(NEW_PATH):
        raise Refused(ERR_STATE)
    if offset + len(data) > total_bytes:
        raise Refused(ERR_LENGTH)
    with open(NEW_PATH, "ab" if offset else "wb") as file:
        file.write(data)
    offset += len(data)
    if offset == total_bytes:
        try:
            await _take(c)
        except Refused as error:
            os.remove(NEW_PATH)
            c.journal.note(EVENT_TRUST_REFUSED, error.code)
            raise
    return offset


async def _take(c: "Controller") -> None:
    for by_itself in (False, True):  # the root keys in force first, then the object's own
        good: "list[bytes]" = []
        number = wanted = 0
        while number == 0 or len(good) < wanted:
            wanted, kid, work = _job(number, by_itself, good)
            number += 1
            while work.step():
                # as firmware/signed.py: no garbage between what is to stay
                gc.collect()
                await asyncio.sleep_ms(0)
            if work.ok:
                good.append(kid)
    keys = _keys(c)
    c.intake.pause()  # the key that its signature was checked with may speak no more
    os.rename(NEW_PATH, TRUST_PATH)
    c.keys = c.intake.keys = keys
    c.update = c.endorsed = None  # the same of a firmware on its way
    guest = c.admission.guest
    if guest is not None and guest.peer_id in keys.revoked_peers:
        guest.displaced = True
    settle(c)


def _job(number: int, by_itself: bool, good: "list[bytes]") -> "tuple[int, bytes, Verification]":
    """protocol/trust.py's; its code is let go again, for a power wants the heap in wide pieces.

    What it leaves behind lies before it, so that what it took is one piece again.
    """
    gc.collect()
    modulus = bytearray(RSA_BYTES)
    signature = bytearray(RSA_BYTES)  # by itself: it is held until the end, and the modulus is not
    wanted, kid, digest = _describe(number, by_itself, good, modulus, signature)
    _sweep(_STACK_DEPTH)
    return wanted, kid, Verification(modulus, signature, digest)


def _sweep(depth: int) -> None:
    """Collect, once the stack shows nothing any more of what an import has left below."""
    if depth:
        _sweep(depth - 1)
    if depth == _STACK_DEPTH:
        gc.collect()


def _describe(
    number: int,
    by_itself: bool,
    good: "list[bytes]",
    modulus_place: bytearray,
    signature_place: bytearray,
) -> "tuple[int, bytes, bytes]":
    """(threshold, kid, digest) of one signature; its key and itself are put into their places."""
    from protocol.trust import Stored, job, parse

    forget("protocol.trust")
    with open(TRUST_PATH, "rb") as held, open(NEW_PATH, "rb") as new:
        signers = None if by_itself else parse(Stored(held, 0, _size(TRUST_PATH)), True)
        wanted, kid, modulus, signature, digest = job(
            Stored(new, 0, _size(NEW_PATH)), number, signers, good
        )
        if digest:
            modulus.readinto(modulus_place)  # type: ignore[attr-defined]  # Stored, of a Stored
            signature.readinto(signature_place)  # type: ignore[attr-defined]  # the same
    return wanted, kid, digest


def _keys(c: "Controller") -> Keys:
    """What a running controller needs of the new object, which has its signatures."""
    gc.collect()
    from protocol.trust import Stored, check_follows, parse

    forget("protocol.trust")
    with open(TRUST_PATH, "rb") as held, open(NEW_PATH, "rb") as new:
        coming = parse(Stored(new, 0, _size(NEW_PATH)), True)
        check_follows(coming, parse(Stored(held, 0, _size(TRUST_PATH)), True))
        kid = _kid_in_force() if c.whitelist.manifest is not None else b""
        if kid and coming.find_key(KEY_WHITELIST, kid) is None:
            raise Refused(ERR_STATE)
        return Keys(coming)


def settle(c: "Controller") -> None:
    """Bring floors and trust object together, whichever is behind; journalled either way."""
    journal = c.journal
    version = c.keys.version
    epoch = c.config.epoch = max(c.config.epoch, c.keys.epoch)
    if version < journal.rings[RING_ALARM].floors[1]:
        c.keys.places = []
        journal.note(EVENT_TRUST_REFUSED, ERR_VERSION_LOW, extra=version)
        return
    for ring in journal.rings:
        held = ring.floors
        ring.floors = (held[0] if held[2] == epoch else 0, version, epoch)
    epoch_before = c.nvs.get("floor_epoch")
    if epoch_before != epoch:
        # in this order, and before the trust floor, without which a start does it again: a number
        # of the old epoch must never count in the new one
        if epoch_before:  # else it is the first, or NVS was lost and the time floor with it
            c.nvs.put(NEW_EPOCH, 1)
        c.nvs.put("floor_version", 0)
        c.nvs.put("floor_epoch", epoch)
    try:
        journal.record(EVENT_TRUST_CHANGED, extra=version)  # floors go into its key slot
    except OSError:  # the object is in force all the same, and the next record carries them
        journal.lost += 1
    c.nvs.put("floor_trust", version)


def _kid_in_force() -> bytes:
    """Id of the key that signed the list in force; empty when its file has another shape."""
    with open(ACTIVE_PATH, "rb") as file:
        start = file.read(1 + len(_ENVELOPE_OPENING) + ID_BYTES)
    at = start.find(_ENVELOPE_OPENING)  # the number of its base may stand before the envelope
    at += len(_ENVELOPE_OPENING)
    return start[at : at + ID_BYTES] if at >= len(_ENVELOPE_OPENING) else b""


def _size(path: str) -> int:
    try:
        size: int = os.stat(path)[6]
    except OSError:  # not there
        return 0
    return size
