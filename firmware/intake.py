"""A new list on its way in, and what is done for the list in force meanwhile (device).

The list in force itself is firmware/whitelist.py. How a list begins, comes into force, is found
again at a start, is proven and is merged stands in modules that are loaded for it: it happens once
a day. Whatever wants the idle base ends a merge, which begins anew later.
"""

import gc

from firmware import signed
from firmware.loan import forget
from protocol.codes import (
    ERR_LENGTH,
    ERR_STATE,
    EVENT_LIST_ACTIVATED,
    KEY_WHITELIST,
    LIST_DELTA,
)
from protocol.constants import AAD_MANIFEST, SECTOR_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from firmware.clock import Clock
    from firmware.config import Config
    from firmware.journal import Journal
    from firmware.signed import Keys
    from firmware.store import Nvs
    from firmware.whitelist import Whitelist
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

_TELL_BYTES = 65536  # a power cut costs at most so much of a push or merge
_MERGE_AT = 128  # changes; fewer are merged when none has come for an hour
_MERGE_AFTER_S = _REST_S = 3600
_MERGING = "merging"  # in NVS: the version of which the idle base is a merge, 0: it is none
NEW_EPOCH = "new_epoch"  # in NVS: 1 from a change of epoch to the first list of the new one
_REACHED = "reached"  # in NVS: how many bytes of what is on its way the idle base holds


class Intake:
    """One list on its way in, at most; `changes` counts those put into force since the start."""

    def __init__(
        self,
        config: "Config",
        keys: "Keys",
        whitelist: "Whitelist",
        journal: "Journal",
        clock: "Clock",
        nvs: "Nvs",
        capacity: int,
    ) -> None:
        self.config = config
        self.keys = keys
        self.whitelist = whitelist
        self.journal = journal
        self.clock = clock
        self.nvs = nvs
        self.capacity = capacity
        self.changes = 0
        self.coming: "Manifest | None" = None
        self.envelope = b""  # of a delta that is coming: only a full list goes on after a break
        self.slot = 0  # the half of the bases that takes it
        self.offset = 0
        self._told = 0
        self._changed_s = 0
        self._rest_until_s = 0  # after a merge that failed: the flash is not to be worn by more
        self._work: "Generator[None, None, None] | None" = None

    def restore(self, scratch: memoryview) -> None:
        """Put the list that the flash holds into force; refusals are journalled."""
        from firmware.restore import restore

        forget("firmware.restore")
        restore(self, scratch)
        del restore
        self.whitelist.settle()

    async def begin(self, envelope: "Buffer") -> int:
        """Judge a manifest; returns the offset from which its payload is wanted."""
        # one after the other: the heap has no room for big numbers beside the code of a change
        payload = await signed.payload(self.keys, KEY_WHITELIST, envelope, AAD_MANIFEST)
        gc.collect()  # here, where no import lies on the stack and holds what lay there before
        from firmware.change_list import begin

        forget("firmware.change_list")
        return begin(self, envelope, payload)

    def chunk(self, offset: int, data: "Buffer") -> int:
        """Append a piece; returns the next offset."""
        if self.coming is None or offset != self.offset:
            raise Refused(ERR_STATE)
        if offset + len(data) > self.coming.payload_bytes:
            raise Refused(ERR_LENGTH)
        self.whitelist.bases.write(self.slot, offset, data)
        offset += len(data)
        if self.envelope:  # a delta's bytes are never those that a full list goes on from
            self.offset = offset
        else:
            self.reached(offset, False)
        return offset

    def pause(self) -> None:
        """The session is over: what has come stays on the flash for the next one."""
        if self.coming is not None:
            self.coming = None
            self.reached(0 if self.envelope else self.offset, True)
        self.envelope = b""

    async def commit(self, scratch: memoryview) -> None:
        """Prove what is stored and put it into force; raises Refused and keeps the old list."""
        coming = self.coming
        if coming is None or self.offset != coming.payload_bytes:
            raise Refused(ERR_STATE)
        if coming.kind == LIST_DELTA:
            from firmware.delta import commit

            forget("firmware.delta")
        else:
            from firmware.change_list import commit

            forget("firmware.change_list")
        try:
            await commit(self, coming, scratch)
        finally:
            self.coming = None
            self.envelope = b""
        del commit, coming
        self.whitelist.settle()

    def entered(self, held: "Manifest", is_new: bool) -> None:
        """What follows a rename; a start that finds it undone does it."""
        journal = self.journal
        journal.version = held.version
        # before anything is written: whoever goes by the list looks it up, whatever the flash says
        self.changes += 1
        if is_new:
            if self.nvs.get(NEW_EPOCH):  # root has ended the numbers of the old one, and its date
                self.clock.floor_s = 0
                self.clock.raise_floor(held.issued_at_s)
                self.nvs.put(NEW_EPOCH, 0)
            journal.raise_version_floor(held.version)
            journal.record(EVENT_LIST_ACTIVATED, extra=held.count)
            self._changed_s = self.clock.uptime_s
        self.clock.raise_floor(held.issued_at_s)

    # --- what is done in the background -----------------------------------------------------

    def take_base(self) -> int:
        """Take the idle base for a list on its way; bytes of one that are there already.

        A merge that wanted it ends.
        """
        if self._work is not None:
            self._work.close()
            self._work = None
        self.slot = 1 - self.whitelist.slot
        here = 0 if self.nvs.get(_MERGING) else self.nvs.get(_REACHED)
        self.reached(0, True)  # whatever it was, it is to be said anew whose this is
        self.nvs.put(_MERGING, 0)
        return here

    def take_base_to_merge(self) -> int:
        """The same for a merge of the list in force, which may go on after a power cut."""
        self.slot = 1 - self.whitelist.slot
        if self.nvs.get(_MERGING) != self.whitelist.version:
            self.reached(0, True)
            self.nvs.put(_MERGING, self.whitelist.version)
        return self.nvs.get(_REACHED)

    def reached(self, offset: int, now: bool) -> None:
        """So many bytes are in the idle base; told to NVS now or when it is worth it.

        Whole sectors alone: what goes on begins with an erase.
        """
        self.offset = offset
        offset -= offset % SECTOR_BYTES
        if now or offset - self._told >= _TELL_BYTES:
            self._told = offset
            self.nvs.put(_REACHED, offset)

    def merge_ended(self, well: bool) -> None:
        """The next one begins anew; not at once when this one failed."""
        self.nvs.put(_MERGING, 0)
        self.nvs.put(_REACHED, 0)
        if not well:
            self._rest_until_s = self.clock.uptime_s + _REST_S

    def step(self) -> None:
        """A little of what is to be done; OSError when the flash refuses: it begins anew later."""
        if self.coming is not None:
            return
        work = self._work
        if work is None:
            self._work = self._next_work()
            return
        self._work = None
        try:
            next(work)
            self._work = work
        except StopIteration:
            del work
            self.whitelist.settle()

    def _next_work(self) -> "Generator[None, None, None] | None":
        whitelist = self.whitelist
        if whitelist.manifest is None:
            return None
        if whitelist.prover is not None:
            return whitelist.prover.proving()
        now_s = self.clock.uptime_s
        enough = _MERGE_AT if now_s - self._changed_s < _MERGE_AFTER_S else 1
        if len(whitelist.index) < enough or now_s < self._rest_until_s:
            return None
        from firmware.merge import merging

        forget("firmware.merge")
        return merging(self)
