"""The key cells of one journal ring: the slot in force, moved on for each record (device).

Rules, which power may cut anywhere:

- the next slot is programmed, then the old one is overwritten with zeros; only then does the
  caller acknowledge the record
- a flash that refuses the zeros does not undo the record: the next slot is in force. The zeros come
  before anything else is written
- a flash that refuses the next slot may have programmed it all the same. The caller was told that
  the record is none, so that slot is overwritten with zeros before another one is believed
- loading takes the valid slot with the highest sequence number and zeroes every other slot that
  still shows anything: what a cut left is finished before the first record is written. Without a
  valid slot it changes nothing: what rotted may be the only one
- slots are used in order through eight sectors; a sector is erased before it is used again
"""

from protocol import keyslot
from protocol.constants import KEY_SLOT_BYTES, KEY_SLOTS_PER_SECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECTORS = 8
_ERASE = 6
_BLANK = b"\xff" * KEY_SLOT_BYTES
_ZEROS = b"\x00" * KEY_SLOT_BYTES
_buffer = bytearray(KEY_SLOT_BYTES)  # one for all: nobody else runs while it is in use


class Cells:
    """Eight sectors of the partition `keys`; `slot` is what was in force when it was loaded."""

    def __init__(self, partition: "Any", first_sector: int) -> None:
        self._partition = partition
        self._first = first_sector
        self._sector = 0
        self._index = 0
        self._refused = False  # the flash refused the slot at this place
        self._old: "tuple[int, int] | None" = None  # still shows a slot that is out of force
        self._used = bytearray(_SECTORS)  # 1: not blank, to be erased before it is entered
        self.slot: "keyslot.KeySlot | None"
        self.load()

    def _read(self, sector: int, index: int) -> bytearray:
        self._partition.readblocks(self._first + sector, _buffer, index * KEY_SLOT_BYTES)
        return _buffer

    def _program(self, sector: int, index: int, data: "bytes | bytearray") -> None:
        self._partition.writeblocks(self._first + sector, data, index * KEY_SLOT_BYTES)

    def load(self) -> None:
        """Find the slot in force; at a start, and after an error of the flash."""
        self.take_back()
        self.slot = None
        showing = []  # places that hold neither blank nor zeros
        for sector in range(_SECTORS):
            for index in range(KEY_SLOTS_PER_SECTOR):
                data = self._read(sector, index)
                if data == _BLANK:
                    continue
                self._used[sector] = 1
                if data == _ZEROS:
                    continue
                showing.append((sector, index))
                slot = keyslot.unpack(data)
                if slot is not None and self._goes_before(slot):
                    self.slot = slot
                    self._sector, self._index = sector, index
        for place in showing:
            if place != (self._sector, self._index) and self.slot is not None:
                self._program(place[0], place[1], _ZEROS)
        self._old = None

    def take_back(self) -> None:
        """Zeros over a slot that the flash refused, if there is one."""
        if self._refused:
            self._program(self._sector, self._index, _ZEROS)
            self._refused = False

    def _goes_before(self, slot: "keyslot.KeySlot") -> bool:
        held = self.slot
        if held is None or held.state != slot.state:
            return held is None or slot.state == keyslot.STATE_VALID
        return bool(slot.next_seq > held.next_seq)

    def advance(
        self,
        boot: int,
        next_seq: int,
        sector: int,
        place: int,
        floors: "tuple[int, int, int]",
        c: bytes,
        k_tool: bytes,
        k_audit: bytes,
    ) -> None:
        """Put a new slot into force; floors: list version, trust version, epoch."""
        if self._old is not None:
            self._program(self._old[0], self._old[1], _ZEROS)
            self._old = None
        old_sector, old_index = self._sector, self._index
        self._find_blank()
        keyslot.pack_into(
            _buffer, 0, keyslot.STATE_VALID, boot, next_seq, sector, place,
            floors[0], floors[1], floors[2], c, k_tool, k_audit,
        )  # fmt: skip
        self._refused = True
        self._program(self._sector, self._index, _buffer)
        self._refused = False
        try:
            self._program(old_sector, old_index, _ZEROS)
        except OSError:
            self._old = (old_sector, old_index)

    def _find_blank(self) -> None:
        home = self._sector  # holds the slot in force
        while True:
            self._index += 1
            if self._index == KEY_SLOTS_PER_SECTOR:
                self._index = 0
                self._sector = (self._sector + 1) % _SECTORS
                if self._sector == home:
                    raise OSError("no blank slot")
                self._erase(self._sector)
                self._used[self._sector] = 1
            data = self._read(self._sector, self._index)
            if data == _BLANK:
                return
            if data != _ZEROS:  # a write that power cut: it may hold a key
                self._program(self._sector, self._index, _ZEROS)

    def _erase(self, sector: int) -> bool:
        if not self._used[sector]:
            return False
        self._partition.ioctl(_ERASE, self._first + sector)
        self._used[sector] = 0
        return True

    def erases(self, within: int) -> bool:
        """Whether one of the next so many slots has to wait for an erase."""
        ahead = (self._sector + 1) % _SECTORS
        return self._index + within >= KEY_SLOTS_PER_SECTOR and self._used[ahead] == 1

    def erase_ahead(self) -> bool:
        """Erase at most one sector that will be needed; whether one was erased."""
        return any(self._erase((self._sector + step) % _SECTORS) for step in range(1, _SECTORS))
