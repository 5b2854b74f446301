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

from firmware.sectors import BLANK, HOLE, Sectors
from protocol import chain, records, sector_header
from protocol.constants import RECORD_BODY_BYTES, RECORD_BYTES, RECORDS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.cells import Cells
    from protocol.keyslot import KeySlot

_TOOL_TAG_AT = RECORD_BODY_BYTES
_AUDIT_TAG_AT = _TOOL_TAG_AT + 8


class Ring:
    """`seq` is the number of the next record; `floors` go into every key slot."""

    def __init__(self, number: int, partition: "Any", cells: "Cells") -> None:
        self.number = number
        self._cells = cells
        self._sectors = Sectors(partition)
        self._buffer = bytearray(RECORD_BYTES)
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
        self._c: bytes = slot.c
        self._k_tool: bytes = slot.k_tool
        self._k_audit: bytes = slot.k_audit
        self._sector: int = slot.sector
        self._place: int = slot.place
        self._opened = True  # the sector that is being filled has its header
        self._sector_seq = 0
        self._blank_ahead = False
        return slot

    def _recover(self, adopting: bool) -> None:
        buffer = self._buffer
        self._check_sector()
        while self._opened:
            self._sectors.read(self._sector, self._place, buffer)
            if buffer == BLANK:
                break
            if buffer != HOLE and not (adopting and self._adopt()):
                self._sectors.write(self._sector, self._place, HOLE)
            self._place += 1
            if self._place == RECORDS_PER_SECTOR:
                self._turn()
                self._check_sector()
        if self._opened:
            self._blank_ahead = self._sectors.is_blank(self._next_sector())

    def _check_sector(self) -> None:
        """Find out whether the sector that is being filled has a header of this lap."""
        header = self._sectors.header(self._sector)
        if self._place:
            self._sector_seq = header.sector_seq if header else 0
            return
        before = self._sectors.header((self._sector - 1) % self._sectors.count)
        self._sector_seq = before.sector_seq + 1 if before and self.seq else 0
        self._opened = header is not None and self._is_ours(header)
        if not self._opened and not self._sectors.is_blank(self._sector):
            self._sectors.erase(self._sector)
        self._blank_ahead = True  # of the sector in hand, until it is opened

    def _is_ours(self, header: "sector_header.SectorHeader") -> bool:
        expected = sector_header.pack(
            self.number, header.boot, self._sector_seq, self.seq, self._c,
            self._k_tool, self._k_audit,
        )  # fmt: skip
        found = sector_header.unpack(expected)
        return bool(found == header)

    def _adopt(self) -> bool:
        """Take in the record in the buffer if it is the one that was being written."""
        buffer = self._buffer
        body = memoryview(buffer)[:RECORD_BODY_BYTES]
        if int.from_bytes(body[:4], "big") != self.seq:
            return False
        c = chain.link(self._c, body)
        if buffer[_TOOL_TAG_AT:_AUDIT_TAG_AT] != chain.tag(chain.tag_key(self._k_tool), c):
            return False
        if buffer[_AUDIT_TAG_AT:] != chain.tag(chain.tag_key(self._k_audit), c):
            return False
        self._commit(c, self._place + 1)
        return True

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
        if not self._opened:
            self._open()
        seq = self.seq
        buffer = self._buffer
        masked = chain.masked(key, self._k_tool)
        records.pack_into(
            buffer, 0, seq, self.boot, event, reason, when[0], when[1], when[2], point, masked,
            version, extra,
        )  # fmt: skip
        c = chain.link(self._c, memoryview(buffer)[:RECORD_BODY_BYTES])
        buffer[_TOOL_TAG_AT:_AUDIT_TAG_AT] = chain.tag(chain.tag_key(self._k_tool), c)
        buffer[_AUDIT_TAG_AT:] = chain.tag(chain.tag_key(self._k_audit), c)
        self._sectors.write(self._sector, self._place, buffer)
        self._commit(c, self._place + 1)
        self._place += 1
        if self._place == RECORDS_PER_SECTOR:
            self._turn()
        self._failed = False
        return seq

    def _commit(self, c: bytes, place: int) -> None:
        """The record at the place before `place` counts from here on."""
        sector = self._sector
        if place == RECORDS_PER_SECTOR:
            sector = self._next_sector()
            place = 0
        k_tool = chain.evolve(self._k_tool)
        k_audit = chain.evolve(self._k_audit)
        seq = self.seq + 1
        self._cells.advance(self.boot, seq, sector, place, self.floors, c, k_tool, k_audit)
        self.seq = seq
        self._c = c
        self._k_tool = k_tool
        self._k_audit = k_audit

    def _next_sector(self) -> int:
        return (self._sector + 1) % self._sectors.count

    def _turn(self) -> None:
        self._sector = self._next_sector()
        self._place = 0
        self._sector_seq += 1
        self._opened = False

    def _open(self) -> None:
        if not self._blank_ahead:  # the background did not get to it
            self._sectors.erase(self._sector)
        header = sector_header.pack(
            self.number, self.boot, self._sector_seq, self.seq, self._c,
            self._k_tool, self._k_audit,
        )  # fmt: skip
        self._sectors.write_header(self._sector, header, self.seq)
        self._opened = True
        self._blank_ahead = False

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed; whether one was erased."""
        if self._failed:  # what is needed and what is not is to be read first
            return False
        if self._cells.erase_ahead():
            return True
        if self._blank_ahead or not self._opened:
            return False
        ahead = self._next_sector()
        erasing = not self._sectors.is_blank(ahead)
        if erasing:
            self._sectors.erase(ahead)
        self._blank_ahead = True
        return erasing

    # --- reading ------------------------------------------------------------------------

    @property
    def oldest(self) -> int:
        """The oldest sequence number that is still held; `seq` when none is."""
        return self._sectors.oldest(self.seq)

    def head(self, nonce: bytes) -> "list[object]":
        """`[ring, next seq, c, oldest, boot, tool mac, audit mac]`, authenticated for a nonce."""
        oldest = self.oldest
        head: "list[object]" = [self.number, self.seq, self._c, oldest, self.boot]
        for key in (self._k_tool, self._k_audit):
            head.append(chain.head_mac(key, nonce, self.number, self.seq, self._c, oldest))
        return head

    def read(self, seq: int, out: memoryview) -> int:
        """Fill `out` with whole records from `seq` on; returns how many bytes."""
        if seq >= self.seq:
            return 0
        return self._sectors.collect(max(seq, self.oldest), self.seq, self._sector, out)
