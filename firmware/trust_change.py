"""A new trust object: taken in pieces, proven, put into force (device).

Loaded for one request and forgotten after it. Rules, in the order in which they are applied:

- pieces come in order; one that does not begin where the file ends is out of order, offset 0
  starts anew
- with the last piece: the object follows the one on the flash (protocol/trust.py), and it knows
  the key that signed the list in force, for the next start verifies that list with it
- accepted: the rename, the floors, the journal record; a list on its way has to begin anew, and
  a guest who is revoked now leaves after the reply
- refused: the file is removed, the reason journalled; the old object stays
- settle(): an object older than the trust floor speaks for nothing new, one that is newer raises
  the floors: a start calls it too, and so finishes what a power cut left after the rename
"""

import asyncio
import gc
import os

from firmware.config import read_file
from firmware.loan import forget
from firmware.signed import Keys
from firmware.whitelist import ACTIVE_PATH
from protocol.codes import (
    ERR_LENGTH,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_TRUST_CHANGED,
    EVENT_TRUST_REFUSED,
    KEY_WHITELIST,
)
from protocol.constants import ID_BYTES, RING_ALARM
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller
    from protocol.trust import Trust

TRUST_PATH = "/cfg/trust.cbor"
NEW_PATH = "/cfg/trust.new"
_ENVELOPE_OPENING = b"\x84\x4f\xa2\x01\x39\x01\x00\x04\x48"  # protocol/cose.py; the kid follows


async def put(c: "Controller", arguments: "Arguments") -> int:
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
    from protocol.trust import verifying

    forget("protocol.trust")
    current = _signers()
    gc.collect()  # the object in force has left the heap: there is room for one
    found = None
    for step in verifying(read_file(NEW_PATH), current):
        found = step
        # as firmware/signed.py: no garbage between what is to stay
        gc.collect()
        await asyncio.sleep_ms(0)
    if found is None:
        return
    kid = _kid_in_force() if c.whitelist.manifest is not None else b""
    if kid and found.find_key(KEY_WHITELIST, kid) is None:
        raise Refused(ERR_STATE)
    c.intake.pause()  # the key that its signature was checked with may speak no more
    os.rename(NEW_PATH, TRUST_PATH)
    c.keys = c.intake.keys = Keys(found)
    guest = c.admission.guest
    if guest is not None and guest.peer_id in c.keys.revoked_peers:
        guest.displaced = True
    settle(c)


def _signers() -> "Trust":
    """Of the object in force, what its successor is measured by, and no more of it."""
    from protocol.trust import Trust, parse

    forget("protocol.trust")
    held = parse(read_file(TRUST_PATH), True)
    role, threshold, moduli = held.keys[0]
    root = (role, threshold, [bytes(modulus) for modulus in moduli])
    return Trust(held.site, held.epoch, held.version, [root], [], 0)


def settle(c: "Controller") -> None:
    """Bring floors and trust object together, whichever is behind; journalled either way."""
    journal = c.journal
    version = c.keys.version
    epoch = c.config.epoch = max(c.config.epoch, c.keys.epoch)
    if version < journal.rings[RING_ALARM].floors[1]:
        c.keys.moduli = []
        journal.note(EVENT_TRUST_REFUSED, ERR_VERSION_LOW, extra=version)
        return
    for ring in journal.rings:
        held = ring.floors
        ring.floors = (held[0] if held[2] == epoch else 0, version, epoch)
    try:
        journal.record(EVENT_TRUST_CHANGED, extra=version)  # floors go into its key slot
    except OSError:  # the object is in force all the same, and the next record carries them
        journal.lost += 1
    if c.nvs.get("floor_epoch") != epoch:
        # in this order: a number of the old epoch must never count in the new one
        c.nvs.put("floor_version", 0)
        c.nvs.put("floor_epoch", epoch)
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
