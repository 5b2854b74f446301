"""A new firmware on its way into the slot that does not run (device).

Loaded for each request and forgotten after it. Rules, in the order in which they are applied:

- the manifest is signed by a firmware key of the trust object in force, before it is parsed
- it is for this site, this board and what stands beside the packs here (packfs.API)
- its version is higher than the one that runs and than any that was confirmed; a lower one needs
  the root keys' threshold over its digest, each with a request of its own before, and up to which
  version it may take the place of others: an endorsement that was made once ends with that
- pieces come in order; what has come of the very same pack goes on after a break
- the last step proves length and SHA-256, and nobody is at the door; only then does the pack get
  the name of a slot, the record is written, and the slot is put on trial. The controller restarts.

Until then the pack lies under another name: a start never runs what is not proven. The other
slot's pack goes when a new one begins to come. Whoever is at the door comes first: a piece waits.
"""

import asyncio
import gc
import os
from hashlib import sha256

from firmware import signed
from firmware.config import read_file
from firmware.loan import forget
from firmware.store import FLOOR_FIRMWARE
from protocol import cose
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_BASE,
    ERR_BUSY,
    ERR_CAPACITY,
    ERR_DIGEST,
    ERR_LENGTH,
    ERR_MALFORMED,
    ERR_OTHER_SITE,
    ERR_STATE,
    ERR_VERSION_LOW,
    EVENT_FIRMWARE_REFUSED,
    EVENT_FIRMWARE_TAKEN,
    KEY_FIRMWARE,
    KEY_ROOT,
    OP_FIRMWARE_CHUNK,
    OP_FIRMWARE_COMMIT,
    OP_FIRMWARE_PROVE,
)
from protocol.constants import (
    AAD_FIRMWARE,
    AAD_FIRMWARE_ROOT,
    FIRMWARE_VERSION_MAX,
    PACK_MAX_BYTES,
)
from protocol.messages import Refused, decode, is_number
from protocol.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Arguments, Controller, Value

PART_PATH = "/fw.part"
OF_PATH = "/fw.of"  # SHA-256 of the manifest whose pack that is
_FIELDS = 6
_ENDORSED_FIELDS = 2
_DIGEST_BYTES = 32
_KEPT_FREE_BYTES = 65536
_PIECE_BYTES = 1024
_SLICE_BYTES = 512
_QUIET_MS = 100
_QUIET_TURN_MS = 20
_QUIET_TURNS = 250

packfs: "Any" = __import__("packfs")


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked."""
    if operation == OP_FIRMWARE_PROVE:
        from firmware.trial import prove

        forget("firmware.trial")
        return await prove(c)
    if c.supply is not None and c.supply.sags():
        raise Refused(ERR_BUSY)
    if packfs.state == "t":  # the slot that does not run is what it would go back to
        raise Refused(ERR_STATE)
    if operation == OP_FIRMWARE_CHUNK:
        return await _chunk(c, arguments[0], arguments[1])
    try:
        if operation == OP_FIRMWARE_COMMIT:
            return await _commit(c)
        return await _begin(c, arguments[0], arguments[1])
    except Refused as error:
        c.journal.note(EVENT_FIRMWARE_REFUSED, error.code)
        raise


async def _begin(c: "Controller", role: int, envelope: bytes) -> int:
    """Judge a manifest, or what root says of one; the offset from which the pack is wanted."""
    if role not in (KEY_ROOT, KEY_FIRMWARE):
        raise Refused(ERR_ARGUMENT)
    from firmware.trust_keys import StoredKeys

    forget("firmware.trust_keys")
    keys: "Any" = StoredKeys(c.keys)
    aad = AAD_FIRMWARE if role == KEY_FIRMWARE else AAD_FIRMWARE_ROOT
    payload = bytes(await signed.payload(keys, role, envelope, aad))
    if role == KEY_ROOT:
        kid = bytes(cose.open_envelope(envelope).kid)
        kids = c.endorsed[2] if c.endorsed is not None and c.endorsed[0] == payload else []
        if kid not in kids:
            kids.append(kid)
        c.endorsed = payload, keys.threshold - len(kids), kids
        return 0
    gc.collect()
    name = sha256(payload).digest()
    version, length = _judged(c, payload, name)
    c.update = name, length, version, payload[-_DIGEST_BYTES:]
    return _here(name, length)


def _judged(c: "Controller", payload: bytes, name: bytes) -> "tuple[int, int]":
    """(version, length) of a manifest that may be taken; name: its SHA-256."""
    fields = decode(payload)
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise Refused(ERR_MALFORMED)
    site, board, version, api, length, digest = fields
    if not (
        is_number(version, FIRMWARE_VERSION_MAX)
        and is_number(length, PACK_MAX_BYTES)
        and isinstance(digest, bytes)
        and len(digest) == _DIGEST_BYTES
    ):
        raise Refused(ERR_MALFORMED)
    if site != c.config.site:
        raise Refused(ERR_OTHER_SITE)
    if board != c.board.BOARD:
        raise Refused(ERR_ARGUMENT)
    if api != packfs.API:
        raise Refused(ERR_BASE)
    floor = max(VERSION, c.nvs.get(FLOOR_FIRMWARE))
    if version <= floor and not _is_endorsed(c, name, floor):
        raise Refused(ERR_VERSION_LOW)
    return version, length


def _is_endorsed(c: "Controller", name: bytes, floor: int) -> bool:
    """Whether enough root keys say that this manifest may take the place of that version."""
    if c.endorsed is None or c.endorsed[1] > 0:
        return False
    fields = decode(c.endorsed[0])
    if not isinstance(fields, list) or len(fields) != _ENDORSED_FIELDS:
        return False
    over = fields[1]
    return fields[0] == name and is_number(over, FIRMWARE_VERSION_MAX) and floor <= over


def _here(name: bytes, length: int) -> int:
    """Bytes of this very pack that lie here already; else room is made for it."""
    here = _size(PART_PATH)
    if here <= length and _size(OF_PATH) and read_file(OF_PATH) == name:
        return here
    leaving = (OF_PATH, PART_PATH, "/fw{}.pack".format(1 - packfs.mounted))
    room = os.statvfs("/")
    free_bytes = room[0] * room[3] + sum([_size(path) for path in leaving])
    if free_bytes < length + _KEPT_FREE_BYTES:
        raise Refused(ERR_CAPACITY)
    for path in leaving:
        if _size(path):
            os.remove(path)
    with open(OF_PATH, "wb") as file:
        file.write(name)
    return 0


def _size(path: str) -> int:
    """0 for one that is not there; an empty one is as good as none."""
    try:
        size: int = os.stat(path)[6]
    except OSError:
        return 0
    return size


async def _chunk(c: "Controller", offset: int, data: bytes) -> int:
    """Append a piece; returns the next offset."""
    held = c.update
    if held is None or offset != _size(PART_PATH):
        raise Refused(ERR_STATE)
    if offset + len(data) > held[1]:
        raise Refused(ERR_LENGTH)
    for _ in range(_QUIET_TURNS):  # a flash that erases keeps a reader's edges out
        if c.pace.quiet_for(_QUIET_MS):
            break
        await asyncio.sleep_ms(_QUIET_TURN_MS)
    with open(PART_PATH, "ab") as file:
        for at in range(0, len(data), _SLICE_BYTES):  # one erase at a time, and the door between
            file.write(data[at : at + _SLICE_BYTES])
            await asyncio.sleep_ms(0)
    return offset + len(data)


async def _commit(c: "Controller") -> None:
    held = c.update
    if held is None or _size(PART_PATH) != held[1]:
        raise Refused(ERR_STATE)
    digest = sha256()
    buffer = memoryview(bytearray(_PIECE_BYTES))
    with open(PART_PATH, "rb") as file:
        while True:
            size = file.readinto(buffer)
            if not size:
                break
            digest.update(buffer[:size])
            await asyncio.sleep_ms(0)
    if digest.digest() != held[3]:
        os.remove(PART_PATH)
        c.update = None
        raise Refused(ERR_DIGEST)
    if not c.kind.at_rest():  # looked at last: somebody may have come meanwhile
        raise Refused(ERR_BUSY)
    slots: "Any" = __import__("slots")
    forget("slots")
    slot = 1 - packfs.mounted
    os.rename(PART_PATH, slots.path(slot))
    c.journal.record(EVENT_FIRMWARE_TAKEN, extra=held[2])
    slots.select(slot, "t", 0, held[2])
    os.remove(OF_PATH)
    c.update = None
    c.restart_wanted = True
