"""One ring of the journal: chain, evolving keys, sectors and what a power cut leaves (device).

A record is written in this order, and acknowledged after the last step:

- header of the sector, when it is the first record there
- the record, 48 bytes, into the next place
- the next key slot (which names the place after it), then zeros over the old slot

Starting up finishes what was cut: a whole record whose slot is missing is adopted, a torn one is
overwritten with zeros and its place skipped. Bytes behind the slot in force are never trusted
unless both tags are right. After an error of the flash the same is done before the next record,
but nothing is adopted: whoever asked for that record was told that it failed.
"""

from firmware.loan import forget
from firmware.sectors import Sectors
from protocol import chain, records, sector_header
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RECORDS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.cells import Cells
    from protocol.keyslot import KeySlot

TOOL_TAG_AT = RECORD_BODY_BYTES
AUDIT_TAG_AT = TOOL_TAG_AT + 8


class Ring:
    """`seq` is the number of the next record; `floors` go into every key slot."""

    def __init__(self, number: int, partition: "Any", cells: "Cells") -> None:
        self.number = number
        self._cells = cells
        self.sectors = Sectors(partition)
        self.buffer = bytearray(RECORD_BYTES)
        slot = self._take_slot()
        self.boot: int = slot.boot
        self.floors: "tuple[int, int, int]" = (slot.version_floor, slot.trust_floor, slot.epoch)
        self._failed = False  # the flash refused something: what lies on it is to be read again
        self._recover(True)

    # --- starting up --------------------------------------------------------------------

    def _take_slot(self) -> "KeySlot":
        slot = self._cells.slot
        if slot is None:
            raise OSError("no key slot")
        self.seq: int = slot.next_seq
        self.c: bytes = slot.c
        self.k_tool: bytes = slot.k_tool
        self.k_audit: bytes = slot.k_audit
        self.sector: int = slot.sector
        self.place: int = slot.place
        self.opened = True  # the sector that is being filled has its header
        self.sector_seq = 0
        self.blank_ahead = False
        return slot

    def _recover(self, adopting: bool) -> None:
        try:
            from firmware.ring_recovery import recover

            forget("firmware.ring_recovery")
            recover(self, adopting)
        except MemoryError as error:  # as if the flash refused: REX and fire go on without it
            raise OSError("no room") from error

    # --- writing ------------------------------------------------------------------------

    def record(
        self,
        event: int,
        reason: int,
        when: "tuple[int, int, int]",
        point: int,
        key: bytes,
        version: int,
        extra: int,
    ) -> int:
        """Write one record; it is safe when this returns its number. when: s, ms, quality.

        OSError when the flash refuses: then this record is none, and the next one is tried anew.
        """
        if self._failed:
            self._cells.load()
            self._take_slot()
            self._recover(False)
        self._failed = True
        if not self.opened:
            self._open()
        seq = self.seq
        buffer = self.buffer
        masked = chain.masked(key, self.k_tool)
        records.pack_into(
            buffer, 0, seq, self.boot, event, reason, when[0], when[1], when[2], point, masked,
            version, extra,
        )  # fmt: skip
        c = chain.link(self.c, memoryview(buffer)[:RECORD_BODY_BYTES])
        buffer[TOOL_TAG_AT:AUDIT_TAG_AT] = chain.tag(chain.tag_key(self.k_tool), c)
        buffer[AUDIT_TAG_AT:] = chain.tag(chain.tag_key(self.k_audit), c)
        self.sectors.write(self.sector, self.place, buffer)
        self.commit(c, self.place + 1)
        self.place += 1
        if self.place == RECORDS_PER_SECTOR:
            self.turn()
        self._failed = False
        return seq

    def commit(self, c: bytes, place: int) -> None:
        """The record at the place before `place` counts from here on."""
        sector = self.sector
        if place == RECORDS_PER_SECTOR:
            sector = self.next_sector()
            place = 0
        k_tool = chain.evolve(self.k_tool)
        k_audit = chain.evolve(self.k_audit)
        seq = self.seq + 1
        self._cells.advance(self.boot, seq, sector, place, self.floors, c, k_tool, k_audit)
        self.seq = seq
        self.c = c
        self.k_tool = k_tool
        self.k_audit = k_audit

    def next_sector(self) -> int:
        return (self.sector + 1) % self.sectors.count

    def turn(self) -> None:
        self.sector = self.next_sector()
        self.place = 0
        self.sector_seq += 1
        self.opened = False

    def _open(self) -> None:
        if not self.blank_ahead:  # the background did not get to it
            self.sectors.erase(self.sector)
        header = sector_header.pack(
            self.number, self.boot, self.sector_seq, self.seq, self.c,
            self.k_tool, self.k_audit,
        )  # fmt: skip
        self.sectors.write_header(self.sector, header, self.seq)
        self.opened = True
        self.blank_ahead = False

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed; whether one was erased."""
        if self._failed:  # what is needed and what is not is to be read first
            return False
        if self._cells.erase_ahead():
            return True
        if self.blank_ahead or not self.opened:
            return False
        ahead = self.next_sector()
        erasing = not self.sectors.is_blank(ahead)
        if erasing:
            self.sectors.erase(ahead)
        self.blank_ahead = True
        return erasing

    # --- reading ------------------------------------------------------------------------

    @property
    def oldest(self) -> int:
        """The oldest sequence number that is still held; `seq` when none is."""
        return self.sectors.oldest(self.seq)

    def head(self, nonce: bytes) -> "list[object]":
        """`[ring, next seq, c, oldest, boot, tool mac, audit mac]`, authenticated for a nonce."""
        from firmware.ring_pages import head

        forget("firmware.ring_pages")
        return head(self, nonce)

    def read(self, seq: int, out: memoryview) -> int:
        """Fill `out` with whole records from `seq` on; returns how many bytes."""
        from firmware.ring_pages import read

        forget("firmware.ring_pages")
        return read(self, seq, out)
