"""Putting a delta into force: old overlay and changes become a new overlay (device).

Loaded for each and forgotten after it. Its payload lies in the idle base. Rules, in this order:

- the payload has the SHA-256 that was signed; its records are sorted, their profiles, dates and
  flags good; one that takes a card off says nothing else
- old overlay and changes together are at most OVERLAY_RECORDS_MAX
- the digest and the count of the list after it, computed from what is stored: the buckets that the
  new overlay touches from their records, the others from the base's table
- then the rename, as for a full list; what a start has left unproven of the others is proven anew
"""

import asyncio
import os
from array import array
from hashlib import sha256

from firmware.loan import forget
from firmware.whitelist import ACTIVE_PATH, NEXT_PATH
from protocol.codes import ERR_BASE, ERR_CAPACITY, ERR_DIGEST, ERR_ORDER
from protocol.constants import (
    CARD_KEY_BYTES,
    CARD_RECORD_BYTES,
    FLAG_ABSENT,
    OVERLAY_RECORDS_MAX,
)
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from firmware.intake import Intake
    from firmware.whitelist import Whitelist
    from protocol.manifest import Manifest

_ABSENT_BODY = bytes(CARD_RECORD_BYTES - CARD_KEY_BYTES - 1) + bytes((FLAG_ABSENT,))
_RECORDS_A_STEP = 16


class _Overlay:
    """The old overlay's records, one after another; `key` is empty behind the last."""

    def __init__(self, whitelist: "Whitelist") -> None:
        self._left = len(whitelist.index)
        self._file: "IO[bytes] | None" = None
        if self._left:
            self._file = open(ACTIVE_PATH, "rb")  # noqa: SIM115 - until the last was read
            self._file.seek(whitelist.overlay_at)
        self.record = self.key = b""
        self.advance()

    def advance(self) -> None:
        """The next one, or none."""
        file = self._file
        self.key = b""
        if file is None:
            return
        if not self._left:
            file.close()
            self._file = None
            return
        self._left -= 1
        self.record = file.read(CARD_RECORD_BYTES)
        self.key = self.record[:CARD_KEY_BYTES]


class _Changes:
    """The payload's records, in the same way, from the idle base."""

    def __init__(self, intake: "Intake", count: int) -> None:
        self._bases = intake.whitelist.bases
        self._slot = intake.slot
        self._end = count * CARD_RECORD_BYTES
        self._at = 0
        self.record = self.key = b""
        self.advance()

    def advance(self) -> None:
        """The next one, or none."""
        self.key = b""
        if self._at < self._end:
            record = bytearray(CARD_RECORD_BYTES)
            self._bases.read(self._slot, self._at, record)
            self._at += CARD_RECORD_BYTES
            self.record = bytes(record)
            self.key = self.record[:CARD_KEY_BYTES]


async def commit(intake: "Intake", coming: "Manifest", scratch: memoryview) -> None:
    """Prove a delta as it is stored and put the list after it into force."""
    from firmware.list_files import activate

    whitelist = intake.whitelist
    prover = None
    if whitelist.prover is not None:
        from firmware.proof import Proof

        forget("firmware.proof")
        prover = Proof(intake)
    try:
        _check_payload(intake, coming, scratch)
        index = await _write_next(intake, coming)
        await _prove(intake, coming, index, scratch)
        if whitelist.manifest is None:  # a card has shown meanwhile that its base is rotten
            raise Refused(ERR_BASE)
    except Refused:
        _remove(NEXT_PATH)
        raise
    finally:
        # in a pack, what is imported from card_digest comes with tables
        for module in ("firmware.blend", "firmware.list_files", "firmware.tables"):
            forget(module)
    w = whitelist
    place = (w.slot, w.base_count, w.starts, index, len(intake.envelope), prover)
    activate(intake, coming, scratch, place)


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:  # it was not there yet
        return


def _check_payload(intake: "Intake", coming: "Manifest", scratch: memoryview) -> None:
    whole = sha256()
    for at in range(0, coming.payload_bytes, len(scratch)):
        piece = scratch[: min(coming.payload_bytes - at, len(scratch))]
        intake.whitelist.bases.read(intake.slot, at, piece)
        whole.update(piece)
    if whole.digest() != coming.payload_sha256:
        raise Refused(ERR_DIGEST)


async def _write_next(intake: "Intake", coming: "Manifest") -> "array[int]":
    """Write envelope, new overlay and tail; returns the index of the new overlay."""
    from firmware.list_files import write_tail
    from protocol.card_digest import judge

    whitelist = intake.whitelist
    profiles = [profile[0] for profile in coming.profiles]
    old = _Overlay(whitelist)
    new = _Changes(intake, coming.payload_bytes // CARD_RECORD_BYTES)
    index = array("H")
    last = b""
    with open(NEXT_PATH, "wb") as file:
        file.write(intake.envelope)
        while old.key or new.key:
            if new.key and (not old.key or new.key <= old.key):
                source: "_Changes | _Overlay" = new
                if new.record[CARD_KEY_BYTES:] != _ABSENT_BODY:
                    judge(new.record, 0, last, profiles)
                elif new.key <= last:
                    raise Refused(ERR_ORDER)
                last = new.key
                if new.key == old.key:
                    old.advance()
            else:
                source = old
            if len(index) == OVERLAY_RECORDS_MAX:
                raise Refused(ERR_CAPACITY)
            file.write(source.record)
            index.append(source.key[0] << 8 | source.key[1])
            source.advance()
            if len(index) % _RECORDS_A_STEP == 0:
                await asyncio.sleep_ms(0)
        write_tail(file, whitelist.slot, len(intake.envelope), whitelist.base_count, index)
    return index


async def _prove(
    intake: "Intake", coming: "Manifest", index: "array[int]", scratch: memoryview
) -> None:
    from firmware.blend import Blend, digesting

    whitelist = intake.whitelist
    blend = Blend(
        whitelist.bases, whitelist.slot, whitelist.base_count, whitelist.starts, index,
        len(intake.envelope), scratch, NEXT_PATH,
    )  # fmt: skip
    found: "list[object]" = []
    try:
        for _ in digesting(blend, found, True):
            await asyncio.sleep_ms(0)
    finally:
        blend.close()
    if found != [coming.result_digest, coming.count]:
        raise Refused(ERR_DIGEST)
