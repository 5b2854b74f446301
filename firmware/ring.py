"""One ring of the journal: chain, evolving keys, sectors and what a power cut leaves (device).

A record is written in this order, and acknowledged after the last step:

- header of the sector, when it is the first record there, and then the record that says how far
  back the ring will reach: only after it may the next sector be erased
- the record, 48 bytes, into the next place
- the next key slot (which names the place after it), then zeros over the old slot

Starting up finishes what was cut: a whole record whose slot is missing is adopted, a torn one is
overwritten with zeros and its place skipped. Bytes behind the slot in force are never trusted
unless both tags are right. After an error of the flash the same is done before the next record,
but nothing is adopted: whoever asked for that record was told that it failed.

Erasing takes 45 ms. It is done in the background, and where that had no chance, by one of the last
records of a sector: one that needs no erase for its key.
"""

from firmware.loan import forget
from firmware.sectors import HOLE, NONE, Sectors
from protocol import chain, records, sector_header
from protocol.codes import EVENT_OVERWRITTEN
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RECORDS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.cells import Cells
    from protocol.keyslot import KeySlot

    When = tuple[int, int, int]  # seconds, milliseconds, clock quality

TOOL_TAG_AT = RECORD_BODY_BYTES
AUDIT_TAG_AT = TOOL_TAG_AT + 8
_LAST_PLACES = RECORDS_PER_SECTOR - 4
_CONTROLLER = 255
_NO_KEY = b"\0\0\0\0\0\0\0\0"


class Ring:
    """`seq` is the number of the next record, `oldest` of the first that is still held.

    `floors` go into every key slot.
    """

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
        self._cells.slot = None  # what it holds is held here
        self.seq: int = slot.next_seq
        self.c: bytes = slot.c
        self.k_tool: bytes = slot.k_tool
        self.k_audit: bytes = slot.k_audit
        self.sector: int = slot.sector
        self.place: int = slot.place
        self.opened = True  # the sector that is being filled has its header
        self.fresh = False  # and no record yet: nobody knows how far back the ring will reach
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
        self.find_oldest()

    def find_oldest(self) -> None:
        """How far back it reaches: the next sector does not count once that has been written."""
        self.oldest_sector = self.sectors.oldest(
            self.sectors.after(self.sector, 2 - self.fresh), self.seq
        )
        first = self.sectors.first_seq(self.oldest_sector) if self.oldest_sector != NONE else NONE
        self.oldest = self.seq if first == NONE else first
        self.cursor = (NONE, 0, 0)  # where reading went on last: number, sector, place

    # --- writing ------------------------------------------------------------------------

    def record(
        self,
        event: int,
        reason: int,
        when: "When",
        point: int,
        key: bytes,
        version: int,
        extra: int,
    ) -> int:
        """Write one record; it is safe when this returns its number.

        OSError when the flash refuses: then this record is none, and the next one is tried anew.
        """
        if self._failed:
            self._cells.load()
            self._take_slot()
            self._recover(False)
        self._failed = True
        if not self.opened:
            self._open()
        if self.fresh:
            self._tell_reach(when, version)
        elif self.place >= _LAST_PLACES and not self.blank_ahead and not self._cells.erases(2):
            self.sectors.erase(self.sectors.after(self.sector))
            self.blank_ahead = True
        seq = self._write(event, reason, when, point, key, version, extra)
        self._failed = False
        return seq

    def _tell_reach(self, when: "When", version: int) -> None:
        if self.sectors.first_seq(self.sectors.after(self.sector)) == NONE:
            return  # the first time round
        self.fresh = False
        self.find_oldest()
        self._write(EVENT_OVERWRITTEN, 0, when, _CONTROLLER, _NO_KEY, version, self.oldest)

    def _write(
        self,
        event: int,
        reason: int,
        when: "When",
        point: int,
        key: bytes,
        version: int,
        extra: int,
    ) -> int:
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
        try:
            self.sectors.write(self.sector, self.place, buffer)
            self.commit(c, self.place + 1)
        except OSError:
            self._take_back()
            raise
        self.fresh = False
        self.place += 1
        if self.place == RECORDS_PER_SECTOR:
            self.turn()
        return seq

    def _take_back(self) -> None:
        """A record that was refused: a start must not find it whole."""
        try:
            self._cells.take_back()
            self.sectors.write(self.sector, self.place, HOLE)
        except OSError:  # the flash refuses everything; the next record tries again
            return

    def commit(self, c: bytes, place: int) -> None:
        """The record at the place before `place` counts from here on."""
        sector = self.sector
        if place == RECORDS_PER_SECTOR:
            sector = self.sectors.after(sector)
            place = 0
        k_tool = chain.evolve(self.k_tool)
        k_audit = chain.evolve(self.k_audit)
        seq = self.seq + 1
        self._cells.advance(self.boot, seq, sector, place, self.floors, c, k_tool, k_audit)
        self.seq = seq
        self.c = c
        self.k_tool = k_tool
        self.k_audit = k_audit

    def turn(self) -> None:
        """The next record begins a sector; `blank_ahead` speaks of that one until it is opened."""
        self.sector = self.sectors.after(self.sector)
        self.place = 0
        self.sector_seq += 1
        self.opened = False
        self.fresh = True

    def _open(self) -> None:
        if not self.blank_ahead:  # nothing but cut writes in a whole sector led here
            self.sectors.erase(self.sector)
        header = sector_header.pack(
            self.number, self.boot, self.sector_seq, self.seq, self.c,
            self.k_tool, self.k_audit,
        )  # fmt: skip
        self.sectors.write_header(self.sector, header)
        self.opened = True
        self.blank_ahead = False
        if self.oldest_sector == NONE:
            self.find_oldest()

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed; whether one was erased."""
        if self._failed:  # what is needed and what is not is to be read first
            return False
        if self._cells.erase_ahead():
            return True
        if self.blank_ahead or not self.opened or self.fresh:
            return False
        ahead = self.sectors.after(self.sector)
        erasing = not self.sectors.is_blank(ahead)
        if erasing:
            self.sectors.erase(ahead)
        self.blank_ahead = True
        return erasing

    # --- reading: firmware/ring_pages.py, for as long as somebody reads ------------------

    def head(self, nonce: bytes) -> "list[object]":
        """`[ring, next seq, c, oldest, boot, tool mac, audit mac]`, authenticated for a nonce."""
        from firmware.ring_pages import head

        return head(self, nonce)

    def read(self, seq: int, out: memoryview) -> int:
        """Fill `out` with whole records from `seq` on; returns how many bytes."""
        from firmware.ring_pages import read

        return read(self, seq, out)

    def headers(self, seq: int, out: memoryview) -> int:
        """Fill `out` with sector headers, from that of the sector of `seq` on; how many bytes."""
        from firmware.ring_pages import headers

        return headers(self, seq, out)
