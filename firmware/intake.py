"""Taking in a new list: begin, chunks, commit; and what a start finds of one (device).

Rules, in the order in which they are applied:

- begin: envelope shape, key, signature, manifest, site, device, epoch, version floor, dates,
  kind, capacity, length; only then is the other base emptied and /wl/next written
- the same manifest begun again goes on where the base file ends
- chunks come in order; a wrong offset is out of order, one byte too many is a wrong length
- commit: the base is read back: SHA-256, order, profiles, dates, digest; then the rename, the
  version floor, the journal record, the receipt
- a start takes /wl/active if its signature is right and its version not below the floor
"""

import asyncio
import os
from hashlib import sha256

from firmware import signed
from firmware.config import read_file
from firmware.whitelist import ACTIVE_PATH, BASE_PATHS, NEXT_PATH
from protocol import cards, manifest
from protocol.codes import (
    CLOCK_UNSET,
    ERR_DIGEST,
    ERR_FLASH,
    ERR_LENGTH,
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
    from typing import IO

    from firmware.clock import Clock
    from firmware.config import Config
    from firmware.journal import Journal
    from firmware.signed import Keys
    from firmware.whitelist import Whitelist
    from protocol.manifest import Manifest

_CHECK_BYTES = 1024
_PIECE_BYTES = 128
_SYNC_BYTES = 65536  # a power cut costs at most so much of a push


class Intake:
    """One list on its way in, at most; everything else is the list in force."""

    def __init__(
        self,
        config: "Config",
        keys: "Keys",
        whitelist: "Whitelist",
        journal: "Journal",
        clock: "Clock",
        capacity: int,
    ) -> None:
        self._config = config
        self._keys = keys
        self._whitelist = whitelist
        self._journal = journal
        self._clock = clock
        self._capacity = capacity
        self.changes = 0  # lists put into force since the start
        self._coming: "Manifest | None" = None
        self._file: "IO[bytes] | None" = None
        self._slot = 0
        self._offset = 0
        self._synced = 0

    # --- starting up --------------------------------------------------------------------

    def restore(self) -> None:
        """Put the list that the flash holds into force; refusals are journalled."""
        try:
            data = memoryview(read_file(ACTIVE_PATH))
        except OSError:  # never had a list
            return
        code = ERR_FLASH
        try:
            envelope, verifier = signed.opened(self._keys, KEY_WHITELIST, data[1:], AAD_MANIFEST)
            while verifier.step():
                pass  # nobody waits yet
            if not verifier.ok:
                raise Refused(ERR_SIGNATURE)
            held = manifest.parse(memoryview(envelope.payload))
            if held.version < self._journal.version_floor:
                raise Refused(ERR_VERSION_LOW)
            self._check(held, held.version - 1, CLOCK_UNSET)
            if os.stat(BASE_PATHS[data[0]])[6] != held.payload_bytes:
                raise Refused(ERR_LENGTH)
            for _ in self._whitelist.preparing(data[0], held.count):
                pass
            self._whitelist.take(held, data[0])
            self._enter(held, held.version > self._journal.version_floor)
            return
        except Refused as error:
            code = error.code
        except (OSError, IndexError):
            code = ERR_FLASH
        self._journal.record(EVENT_LIST_REFUSED, code)

    def _check(self, coming: "Manifest", floor: int, quality: int) -> None:
        config = self._config
        now_s = self._clock.time_s
        manifest.check(
            coming, config.site, config.device, config.epoch, floor, now_s, quality,
            self._clock.floor_s, self._capacity,
        )  # fmt: skip

    # --- begin --------------------------------------------------------------------------

    async def begin(self, envelope: bytes) -> int:
        """Judge a manifest; returns the offset from which its payload is wanted."""
        payload = await signed.payload(self._keys, KEY_WHITELIST, envelope, AAD_MANIFEST)
        coming = manifest.parse(memoryview(payload))
        self._clock.tick()
        self._check(coming, self._journal.version_floor, self._clock.quality)
        self.pause()
        self._slot = 1 - self._whitelist.slot
        self._offset = _size(BASE_PATHS[self._slot])
        if self._offset > coming.payload_bytes or not _holds(NEXT_PATH, self._slot, envelope):
            self._start(envelope)
        self._coming = coming
        self._file = open(BASE_PATHS[self._slot], "ab")  # noqa: SIM115 - over many chunks
        self._synced = self._offset
        return self._offset

    def _start(self, envelope: bytes) -> None:
        """Empty the other base, then say whose records it will hold: never the other way round."""
        with open(BASE_PATHS[self._slot], "wb"):
            self._offset = 0
        with open(NEXT_PATH, "wb") as file:
            file.write(bytes((self._slot,)))
            file.write(envelope)

    # --- chunks -------------------------------------------------------------------------

    def chunk(self, offset: int, data: bytes) -> int:
        """Append a piece; returns the next offset."""
        if self._coming is None or self._file is None or offset != self._offset:
            raise Refused(ERR_STATE)
        if offset + len(data) > self._coming.payload_bytes:
            raise Refused(ERR_LENGTH)
        self._file.write(data)
        self._offset += len(data)
        if self._offset - self._synced >= _SYNC_BYTES:
            self._file.flush()
            self._synced = self._offset
        return self._offset

    def pause(self) -> None:
        """The session is over: what has come stays on the flash for the next one."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._coming = None

    # --- commit -------------------------------------------------------------------------

    async def commit(self, scratch: memoryview) -> None:
        """Prove what is stored and put it into force; raises Refused and keeps the old list."""
        coming = self._coming
        if coming is None or self._offset != coming.payload_bytes:
            raise Refused(ERR_STATE)
        self.pause()
        try:
            await self._prove(coming, scratch[:_CHECK_BYTES])
        except Refused:
            os.remove(NEXT_PATH)
            raise
        for _ in self._whitelist.preparing(self._slot, coming.count):
            await asyncio.sleep_ms(0)
        os.rename(NEXT_PATH, ACTIVE_PATH)
        self._whitelist.take(coming, self._slot)
        self._enter(coming, True)

    def _enter(self, held: "Manifest", is_new: bool) -> None:
        """What follows a rename; a start that finds it undone does it."""
        journal = self._journal
        journal.version = held.version
        if is_new:
            journal.raise_version_floor(held.version)
            journal.record(EVENT_LIST_ACTIVATED, extra=held.count)
            self.changes += 1
        self._clock.raise_floor(held.issued_at_s)

    async def _prove(self, coming: "Manifest", block: memoryview) -> None:
        whole = sha256()
        digest = cards.Digest([profile[0] for profile in coming.profiles])
        left = coming.payload_bytes
        problem = 0
        with open(BASE_PATHS[self._slot], "rb") as file:
            while left:
                size = file.readinto(block[: min(left, _CHECK_BYTES)])
                if not size:
                    raise Refused(ERR_FLASH)
                whole.update(block[:size])
                try:
                    if not problem:
                        digest.update(block[:size])
                except Refused as error:  # told only if the bytes are those that were signed
                    problem = error.code
                left -= size
                await asyncio.sleep_ms(0)
        if whole.digest() != coming.payload_sha256:
            raise Refused(ERR_DIGEST)
        if problem:
            raise Refused(problem)
        if digest.digest() != coming.result_digest:
            raise Refused(ERR_DIGEST)

    def refused(self, code: int) -> None:
        """Journal a refused list: the attempt stays on record."""
        version = self._coming.version if self._coming else 0
        self._journal.record(EVENT_LIST_REFUSED, code, extra=version)


def _size(path: str) -> int:
    try:
        size: int = os.stat(path)[6]
    except OSError:  # not there
        return 0
    return size


def _holds(path: str, slot: int, envelope: bytes) -> bool:
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
