"""A controller's /cfg, journal and NVS on one NOR chip, for its trust object (MicroPython)."""

import asyncio
from binascii import unhexlify

from firmware.config import read_file
from firmware.journal import Journal
from firmware.signed import TRUST_PATH, Keys
from firmware.store import Nvs
from firmware.trust_change import NEW_PATH, carry_out, settle
from firmware.whitelist import ACTIVE_PATH
from protocol import chain, keyslot, records, trust
from protocol.codes import OP_PUT_TRUST
from protocol.constants import KEY_SLOT_BYTES, RECORD_BYTES, RING_ALARM
from protocol.messages import Refused
from tests.both.support import vectors
from tests.firmware.flash import Chip, Partition, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

vfs: "Any" = __import__("vfs")  # MicroPython's own

CHAIN = {name: unhexlify(text) for name, text in vectors("trust_chain").items() if name != "cites"}
SITE, DEVICE, PEER = CHAIN["site"], b"device--", CHAIN["peer"]
STRANGER = b"stranger"
PIECE_BYTES = 2048
_FILES_SECTORS = 24
_ENVELOPE = b"\x84\x4f\xa2\x01\x39\x01\x00\x04\x48"


class Numbers:
    """NVS on the chip: a number changes when it is committed, or power goes before."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.data: dict[str, int] = {}
        self._coming: dict[str, int] = {}

    def get_i32(self, name: str) -> int:
        if name not in self.data:
            raise OSError(-4354)
        return self.data[name]

    def set_i32(self, name: str, value: int) -> None:
        self._coming[name] = value

    def commit(self) -> None:
        if self.chip.begins():
            self._coming = {}
            raise PowerCut
        self.data.update(self._coming)
        self._coming = {}


class Part:
    """Whatever else a controller consists of; a test reads what became of it."""

    time_s = ms = quality = 0
    epoch = 1
    keys: "Any" = None
    guest: "Any" = None
    manifest: "Any" = None
    peer_id = STRANGER
    displaced = False
    pauses = 0

    def tick(self) -> None:
        return None

    def pause(self) -> None:
        self.pauses += 1


def _keys() -> Keys:
    with open(TRUST_PATH, "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
        return Keys(trust.parse(trust.Stored(file, 0, len(read_file(TRUST_PATH))), True))


class Controller(Part):
    """What stands on the chip, started; `list_kid` is the key of its list in force."""

    settles = True
    update: "Any" = None
    endorsed: "Any" = None
    config: "Any"
    clock: "Any"
    _me: "Any"  # itself, in the place of a real one

    def __init__(self, board: "Board", list_kid: bytes = b"") -> None:
        self.config = Part()
        self.intake, self.whitelist, self.admission = Part(), Part(), Part()
        self.admission.guest = Part()
        self.nvs = Nvs(board.numbers)
        self.keys = self.intake.keys = _keys()
        self.config.epoch = max(self.config.epoch, self.keys.epoch)
        self.clock = Part()
        self.journal = Journal(board.partition, self.config, self.clock, self.nvs)
        self._me = self
        if list_kid:
            self.whitelist.manifest = Part()
            lay(b"\0" + _ENVELOPE + list_kid, ACTIVE_PATH)
        if self.settles and self.keys.version != self.trust_floor:  # as firmware/starting.py
            settle(self._me)

    @property
    def trust_floor(self) -> int:
        return self.journal.rings[RING_ALARM].floors[1]

    def put(self, data: bytes, piece_bytes: int = PIECE_BYTES) -> int:
        """Send an object in pieces; the wire error of the one that was refused, or 0."""
        for at in range(0, len(data), piece_bytes):
            piece = memoryview(data)[at : at + piece_bytes]
            code = self.ask(at, len(data), piece)
            if code:
                return code
        return 0

    def ask(self, offset: int, total_bytes: int, data: "Any") -> int:
        """One request; its wire error, or 0 when the next offset is as it should be."""
        try:
            took = carry_out(self._me, OP_PUT_TRUST, [offset, total_bytes, data])
            assert asyncio.run(took) == offset + len(data)
        except Refused as error:
            return error.code
        return 0

    def events(self) -> "list[tuple[int, int, int]]":
        """(event, reason, extra) of the alarm ring."""
        ring = self.journal.rings[RING_ALARM]
        page = memoryview(bytearray(200 * RECORD_BYTES))
        size = ring.read(0, page)
        found = [records.unpack(page[at : at + 32]) for at in range(0, size, RECORD_BYTES)]
        return [(r.event, r.reason, r.extra) for r in found]


class Board:
    """The flash of one controller with its first trust object; image() and restore() it."""

    def __init__(self, first: bytes = CHAIN["first"]) -> None:
        self.chip = Chip()
        sizes = {"keys": 16, "journal": 3, "alarm": 3, "cfg": _FILES_SECTORS, "wl": 8}
        self.parts = {name: Partition(self.chip, sectors) for name, sectors in sizes.items()}
        self.numbers = Numbers(self.chip)
        for ring in range(2):
            slot = bytearray(KEY_SLOT_BYTES)
            c = chain.start(SITE, DEVICE, ring)
            keyslot.pack_into(
                slot, 0, keyslot.STATE_VALID, 0, 0, 0, 0, 0, 0, 1, c, b"t" * 16, b"a" * 16
            )
            self.parts["keys"].writeblocks(8 * ring, slot, 0)
        for name in ("cfg", "wl"):
            vfs.VfsLfs2.mkfs(self.parts[name])
        self.mount()
        lay(first)

    def partition(self, name: str) -> Partition:
        return self.parts[name]

    def mount(self) -> None:
        """Read the file systems anew, as a start does."""
        for name in ("cfg", "wl"):
            try:
                vfs.umount("/" + name)
            except OSError:  # nothing was mounted before the first one
                self.chip.cut_at = 0
            vfs.mount(self.parts[name], "/" + name)

    def start(self, list_kid: bytes = b"") -> Controller:
        self.chip.cut_at = 0
        self.mount()
        return Controller(self, list_kid)

    def image(self) -> "tuple[dict[str, bytes], dict[str, int]]":
        return {n: bytes(p.data) for n, p in self.parts.items()}, dict(self.numbers.data)

    def restore(self, image: "tuple[dict[str, bytes], dict[str, int]]") -> None:
        for name, data in image[0].items():
            self.parts[name].data[:] = data
        self.numbers.data = dict(image[1])
        self.chip.operations = self.chip.cut_at = 0


def lay(data: bytes, path: str = TRUST_PATH) -> None:
    """Somebody puts a file there who asks nobody."""
    with open(path, "wb") as file:  # noqa: PTH123 - MicroPython has no pathlib
        file.write(data)


def in_force() -> bytes:
    """The trust object on the flash."""
    return read_file(TRUST_PATH)


def is_left_over() -> bool:
    """Whether pieces of an object lie there."""
    try:
        read_file(NEW_PATH)
    except OSError:
        return False
    return True
