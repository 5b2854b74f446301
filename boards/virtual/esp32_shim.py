"""The `esp32` module of a virtual board: partitions, NVS, pulse counters, heap figures."""

import gc
import struct

import nvs as store
import page as layout

SECTOR_BYTES = 4096
_EINVAL = 22
_ERR_LENGTH = -0x110C


def build(nor, table: list, lines, pump, page, meter_pins: list) -> dict:
    """The module's names, for a chip with this table of (label, type, subtype, offset, size).

    meter_pins: where the host counts pulses, in the order of layout.PULSES.
    """
    nvs_row = next(row for row in table if row[0] == "nvs")
    log = store.NvsLog(nor, nvs_row[3], nvs_row[4])

    class Partition:
        """A range of the chip, as a block device of 4096-byte blocks."""

        TYPE_APP = 0
        TYPE_DATA = 1
        BOOT = 0
        RUNNING = 1

        def __init__(self, which: object) -> None:
            label = "factory" if which in (self.BOOT, self.RUNNING) else which
            rows = [row for row in table if row[0] == label]
            if not rows:
                raise OSError(2)
            self._row = tuple(rows[0])
            self._offset = self._row[3]
            self._size = self._row[4]

        @staticmethod
        def find(type: int = 0, subtype: int = 0xFF, label: object = None, block_size: int = 4096):
            return [
                one
                for one in partitions
                if one._row[1] == type
                and subtype in (0xFF, one._row[2])
                and (label is None or label == one._row[0])
            ]

        def info(self) -> tuple:
            label, kind, subtype, offset, size = self._row
            return (kind, subtype, offset, size, label, False)

        def readblocks(self, block: int, buf, offset: int = 0) -> int:
            nor.read(self._place(block, offset, len(buf)), buf)
            return 0

        def writeblocks(self, block: int, buf, offset: object = None) -> int:
            """With an offset: programs only. Without: erases whole blocks, then programs."""
            if offset is not None:
                nor.program(self._place(block, offset, len(buf)), buf)
                return 0
            start = self._place(block, 0, len(buf))
            if len(buf) % SECTOR_BYTES:
                raise OSError(_EINVAL)
            view = memoryview(buf)
            for at in range(0, len(buf), SECTOR_BYTES):
                nor.erase(start + at)
            for at in range(0, len(buf), SECTOR_BYTES):
                nor.program(start + at, view[at : at + SECTOR_BYTES])
            return 0

        def ioctl(self, request: int, block: int) -> object:
            if request in (1, 2, 3):
                return 0
            if request == 4:
                return self._size // SECTOR_BYTES
            if request == 5:
                return SECTOR_BYTES
            if request == 6:
                nor.erase(self._place(block, 0, SECTOR_BYTES))
                return 0
            return None

        def _place(self, block: int, offset: int, count: int) -> int:
            at = block * SECTOR_BYTES + offset
            if at < 0 or at + count > self._size:
                raise OSError(_ERR_LENGTH)
            return self._offset + at

    # made before the firmware runs: on a chip each is 16 bytes
    partitions = [Partition(row[0]) for row in table]

    class NVS:
        """A namespace; what was set reaches the flash at `commit` and is readable at once."""

        def __init__(self, namespace: str) -> None:
            self._prefix = namespace.encode() + b"\0"
            self._pending = {}

        def set_i32(self, key: str, value: int) -> None:
            self._pending[self._name(key)] = (store.KIND_I32, struct.pack("<i", value))

        def get_i32(self, key: str) -> int:
            return struct.unpack("<i", self._get(key, store.KIND_I32))[0]

        def set_blob(self, key: str, value) -> None:
            self._pending[self._name(key)] = (store.KIND_BLOB, bytes(value))

        def get_blob(self, key: str, buf: bytearray) -> int:
            value = self._get(key, store.KIND_BLOB)
            if len(value) > len(buf):
                raise OSError(_ERR_LENGTH)
            buf[: len(value)] = value
            return len(value)

        def erase_key(self, key: str) -> None:
            if self._find(key)[0] == store.KIND_ERASED:
                raise OSError(store.ERR_NOT_FOUND)
            self._pending[self._name(key)] = (store.KIND_ERASED, b"")

        def commit(self) -> None:
            for name, (kind, value) in self._pending.items():
                if log.get(name) != (kind, value):
                    log.put(kind, name, value)
            self._pending.clear()

        def _name(self, key: str) -> bytes:
            if len(key) > 15:
                raise ValueError("key")
            return self._prefix + key.encode()

        def _find(self, key: str) -> tuple:
            name = self._name(key)
            return self._pending.get(name) or log.get(name)

        def _get(self, key: str, kind: int) -> bytes:
            found, value = self._find(key)
            if found != kind:
                raise OSError(store.ERR_NOT_FOUND)
            return value

    def edges(pin: int) -> int:
        if pin in meter_pins:
            return page.word(layout.PULSES + 4 * meter_pins.index(pin))
        return lines.counts.get(pin, 0)

    class PCNT:
        """A pulse counter on one pin; falling edges are all that a virtual wire has."""

        IGNORE = 0
        INCREMENT = 1
        DECREMENT = 2

        def __init__(self, id: int, **more) -> None:
            if not 0 <= id < 8:
                raise ValueError("id")
            self._counts = False
            self._base = 0
            self._pin = None
            self.init(**more)

        def init(self, pin=None, falling: int = 0, value=None, **more) -> None:
            if pin is not None:
                self._pin = pin._id
                self._falling = falling
                self._base = edges(self._pin)
            if value is not None:
                self.value(value)

        def start(self) -> None:
            self._counts = True

        def stop(self) -> None:
            self._counts = False

        def deinit(self) -> None:
            self._counts = False

        def value(self, value=None) -> int:
            pump.run()
            count = edges(self._pin)
            found = count - self._base if self._counts and self._falling else 0
            if value is not None:
                self._base = count
            return found

    def idf_heap_info(capabilities: int) -> list:
        """As a board with Wi-Fi up: (total, free, largest block, lowest free) of two regions."""
        free = gc.mem_free()
        return [(16648, 372, 352, 372), (113840, min(free, 112968), min(free, 110592), free)]

    return {
        "Partition": Partition,
        "NVS": NVS,
        "PCNT": PCNT,
        "idf_heap_info": idf_heap_info,
        "HEAP_DATA": 4,
        "HEAP_EXEC": 1,
        "raw_temperature": lambda: 128,
    }
