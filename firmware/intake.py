"""A new list on its way in; the list in force is firmware/whitelist.py (device).

How a list begins, comes into force and is found again at a start stands in
firmware/change_list.py, which is loaded for it: it happens once a day.
"""

import gc

from firmware import signed
from firmware.loan import forget
from protocol.codes import ERR_LENGTH, ERR_STATE, KEY_WHITELIST
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
    from protocol.cose import Buffer
    from protocol.manifest import Manifest

_SYNC_BYTES = 65536  # a power cut costs at most so much of a push


class Intake:
    """One list on its way in, at most; `changes` counts those put into force since the start."""

    def __init__(
        self,
        config: "Config",
        keys: "Keys",
        whitelist: "Whitelist",
        journal: "Journal",
        clock: "Clock",
        capacity: int,
    ) -> None:
        self.config = config
        self.keys = keys
        self.whitelist = whitelist
        self.journal = journal
        self.clock = clock
        self.capacity = capacity
        self.changes = 0
        self.coming: "Manifest | None" = None
        self.file: "IO[bytes] | None" = None
        self.slot = 0
        self.offset = 0
        self.synced = 0

    def restore(self, scratch: memoryview) -> None:
        """Put the list that the flash holds into force; refusals are journalled."""
        from firmware.change_list import restore

        forget("firmware.change_list")
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
        if file is not None:
            file.close()

    async def commit(self, scratch: memoryview) -> None:
        """Prove what is stored and put it into force; raises Refused and keeps the old list."""
        from firmware.change_list import commit

        forget("firmware.change_list")
        await commit(self, scratch)
