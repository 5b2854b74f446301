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
from protocol.constants import AAD_MANIFEST
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import IO

    from firmware.clock import Clock
    from firmware.config import Config
    from firmware.journal import Journal
    from firmware.signed import Keys
    from firmware.store import Nvs
    from firmware.whitelist import Whitelist
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

_SYNC_BYTES = 65536  # a power cut costs at most so much of a push
_MERGE_AT = 128  # changes; fewer are merged when none has come for an hour
_MERGE_AFTER_S = _REST_S = 3600
_MERGING = "merging"  # in NVS: the version of which the idle base is a merge


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
        self.file: "IO[bytes] | None" = None
        self.slot = 0
        self.offset = 0
        self.synced = 0
        self._changed_s = 0
        self._rest_until_s = 0  # after a merge that failed: the flash is not to be worn by more
        self._work: "Generator[None, None, None] | None" = None

    def restore(self, scratch: memoryview) -> None:
        """Put the list that the flash holds into force; refusals are journalled."""
        from firmware.restore import restore

        forget("firmware.restore")
        restore(self, scratch)

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
        if self.coming is None or self.file is None or offset != self.offset:
            raise Refused(ERR_STATE)
        if offset + len(data) > self.coming.payload_bytes:
            raise Refused(ERR_LENGTH)
        self.file.write(data)
        self.offset += len(data)
        if self.offset - self.synced >= _SYNC_BYTES:
            self.file.flush()
            self.synced = self.offset
        return self.offset

    def pause(self) -> None:
        """The session is over: what has come stays on the flash for the next one."""
        file = self.file
        self.file = None
        self.coming = None
        self.envelope = b""
        if file is not None:
            file.close()

    async def commit(self, scratch: memoryview) -> None:
        """Prove what is stored and put it into force; raises Refused and keeps the old list."""
        coming = self.coming
        if coming is None or self.offset != coming.payload_bytes:
            raise Refused(ERR_STATE)
        if self.file is not None:
            self.file.close()
        self.file = None
        if coming.kind == LIST_DELTA:
            from firmware.delta import commit

            forget("firmware.delta")
        else:
            from firmware.change_list import commit

            forget("firmware.change_list")
        try:
            await commit(self, coming, scratch)
        finally:
            self.pause()

    def entered(self, held: "Manifest", is_new: bool) -> None:
        """What follows a rename; a start that finds it undone does it."""
        journal = self.journal
        journal.version = held.version
        if is_new:
            journal.raise_version_floor(held.version)
            journal.record(EVENT_LIST_ACTIVATED, extra=held.count)
            self.changes += 1
            self._changed_s = self.clock.uptime_s
        self.clock.raise_floor(held.issued_at_s)

    # --- what is done in the background -----------------------------------------------------

    def take_base(self, merging: int = 0) -> int:
        """The idle base, for a list on its way or (merging: its version) a merge; ends others."""
        if self._work is not None:
            self._work.close()
            self._work = None
        self.nvs.put(_MERGING, merging)
        return 1 - self.whitelist.slot

    def goes_on(self) -> bool:
        """Whether the idle base is a merge of the list in force that power cut."""
        return self.nvs.get(_MERGING) == self.whitelist.version

    def merge_ended(self, well: bool) -> None:
        """The next one begins anew; not at once when this one failed."""
        self.nvs.put(_MERGING, 0)
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
            return

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
