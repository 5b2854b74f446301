"""A controller's two firmware slots on a NOR chip, with its journal, NVS and trust (MicroPython).

The root file system is a LittleFS on that chip, mounted at "/" as on a controller; this machine's
files, from which modules still come, are moved to "/host". Signatures are stood in for by a digest
under the key's name; everything else is the firmware's own code, slots.py as boot.py calls it.
"""

import asyncio
import hashlib
import os
import sys

from firmware import trial, update
from firmware.journal import Journal
from firmware.signed import TRUST_PATH
from firmware.store import Nvs
from protocol import cbor, cose, records, trust
from protocol.codes import (
    EVENT_BOOT,
    KEY_FIRMWARE,
    KEY_ROOT,
    KEY_WHITELIST,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_CHUNK,
    OP_FIRMWARE_COMMIT,
    OP_FIRMWARE_PROVE,
)
from protocol.constants import AAD_FIRMWARE, AAD_FIRMWARE_ROOT, RECORD_BYTES, RING_ALARM
from protocol.messages import Refused
from protocol.version import VERSION
from tests.firmware.flash import Partition
from tests.firmware.trust_board import Board as Flash
from tests.firmware.trust_board import Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# beside the pack, and MicroPython's own
packfs: "Any" = __import__("packfs")
slots: "Any" = __import__("slots")
vfs: "Any" = __import__("vfs")

SITE, BOARD = b"site----", "a-board"
ROOTS = (b"r" * 384, b"s" * 384)
FIRMWARE_KEY = b"f" * 384
STRANGER_KEY = b"x" * 384
PIECE_BYTES = 2048
_ROOT_SECTORS = 40
_HOST = "/host"


class Verifier:
    """In place of RSA: the signature repeats the digest of what is signed, and the key's name."""

    def __init__(self, envelope: "Any", aad: bytes, modulus: bytes) -> None:
        digest = cose.sig_structure_digest(envelope.protected, aad, envelope.payload)
        self.ok = bytes(envelope.signature) == digest * 11 + modulus[:32]

    def step(self) -> bool:
        return False


cose.Verifier = Verifier  # type: ignore[misc,assignment]


def pack(text: str, size: int = 5000) -> bytes:
    """A pack as far as a start looks at one: magic, directory, body, SHA-256."""
    body = b"CPK10001\n" + text.encode() + bytes(size)
    return body + hashlib.sha256(body).digest()


def seal(payload: bytes, aad: bytes, modulus: bytes) -> bytes:
    kid = cose.key_id(modulus)
    return cose.build(
        kid, payload, aad, lambda data: hashlib.sha256(data).digest() * 11 + modulus[:32]
    )


def manifest(data: bytes, version: int = VERSION + 1, **other: "Any") -> bytes:
    """What the office says of a pack; `other` replaces fields by name."""
    fields = {
        "site": SITE, "board": BOARD, "version": version, "api": packfs.API,
        "length": len(data), "digest": hashlib.sha256(data).digest(),
    }  # fmt: skip
    fields.update(other)
    names = ("site", "board", "version", "api", "length", "digest")
    return cbor.encode([fields[name] for name in names])


OLD, NEW, NEWER = pack("old"), pack("new"), pack("newer", 4200)


def _trust_object() -> bytes:
    fields = trust.Trust(
        SITE, 1, 1,
        [(KEY_ROOT, 2, list(ROOTS)), (KEY_WHITELIST, 1, [b"w" * 384]),
         (KEY_FIRMWARE, 1, [FIRMWARE_KEY])],
        [], 0,
    )  # fmt: skip
    return trust.assemble(trust.encode(fields), [(bytes(8), bytes(384))])


class Keys:
    """Of a controller whose trust object speaks; without places it does not."""

    def __init__(self) -> None:
        self.places = [(KEY_WHITELIST, b"", 0)]


class Kind(Part):
    """A door; `rests`: nobody is at it."""

    rests = True
    obeys = True

    def at_rest(self) -> bool:
        return self.rests

    def relay_follows(self) -> bool:
        return self.obeys


class Pace(Part):
    """Of a door at which nobody stands."""

    def quiet_for(self, _ms: int) -> bool:
        return True


class Config(Part):
    """Identity and keys."""

    site, device, card_key = SITE, b"device--", b"c" * 32


class Whitelist(Part):
    """None is in force."""

    prover: "Any" = None
    found_from_min = found_until_min = 0

    @property
    def bases(self) -> None:
        """Where one would be is a flash that does not read."""
        raise OSError(5)

    def find(self, _key: bytes) -> bool:
        return False


class Controller(Part):
    """What a start makes of the flash."""

    supply: "Any" = None
    update: "Any" = None
    endorsed: "Any" = None
    restart_wanted = False
    config: "Any"
    clock: "Any"
    scratch = memoryview(bytearray(64))
    _me: "Any"

    def __init__(self, board: "Board") -> None:
        self.board = Part()
        self.board.BOARD = BOARD  # type: ignore[attr-defined]
        self.config, self.clock, self.kind, self.pace = Config(), Part(), Kind(), Pace()
        self.clock.judged_min = lambda: 0
        self.whitelist, self.admission = Whitelist(), Part()
        self.admission.guest = Part()
        self.keys = Keys()
        self.nvs = Nvs(board.numbers)
        self.journal = Journal(board.partition, self.config, self.clock, self.nvs)
        self.firmware = packfs.identity()
        self._me = self
        self.journal.note(EVENT_BOOT)
        if packfs.state == "r":  # as firmware/starting.py
            trial.started(self._me)

    def ask(self, operation: int, *arguments: "Any") -> "Any":
        """One request; its value, or the wire error as a negative number."""
        try:
            return asyncio.run(update.carry_out(self._me, operation, list(arguments)))
        except Refused as error:
            return -error.code

    def begin(self, payload: bytes, modulus: bytes = FIRMWARE_KEY) -> int:
        envelope = seal(payload, AAD_FIRMWARE, modulus)
        code: int = self.ask(OP_FIRMWARE_BEGIN, KEY_FIRMWARE, envelope)
        return code

    def endorse(self, payload: bytes, modulus: bytes, over: int = VERSION) -> int:
        """A root key says that this manifest may take the place of versions up to `over`."""
        said = cbor.encode([hashlib.sha256(payload).digest(), over])
        envelope = seal(said, AAD_FIRMWARE_ROOT, modulus)
        code: int = self.ask(OP_FIRMWARE_BEGIN, KEY_ROOT, envelope)
        return code

    def put(self, data: bytes, offset: int = 0) -> int:
        """Send the pack's bytes; the last answer."""
        reached = offset
        for at in range(offset, len(data), PIECE_BYTES):
            reached = self.ask(OP_FIRMWARE_CHUNK, at, memoryview(data)[at : at + PIECE_BYTES])
        return reached

    def take(self, data: bytes, version: int = VERSION + 1) -> None:
        """A whole update, up to the restart."""
        offset = self.begin(manifest(data, version))
        assert offset >= 0, offset
        reached = self.put(data, offset)
        assert reached == len(data), reached
        committed = self.commit()
        assert committed is None, committed
        assert self.restart_wanted

    def commit(self) -> "Any":
        return self.ask(OP_FIRMWARE_COMMIT)

    def prove(self) -> "Any":
        return self.ask(OP_FIRMWARE_PROVE)

    def events(self) -> "list[tuple[int, int, int]]":
        """(event, reason, extra) of the alarm ring, starts left out."""
        ring = self.journal.rings[RING_ALARM]
        page = memoryview(bytearray(200 * RECORD_BYTES))
        size = ring.read(0, page)
        found = [records.unpack(page[at : at + 32]) for at in range(0, size, RECORD_BYTES)]
        return [(r.event, r.reason, r.extra) for r in found if r.event != EVENT_BOOT]


class Board(Flash):
    """The chip; start() is what boot.py and the firmware do with it."""

    def __init__(self) -> None:
        Flash.__init__(self, _trust_object())
        self.parts["root"] = Partition(self.chip, _ROOT_SECTORS)
        vfs.VfsLfs2.mkfs(self.parts["root"])
        self._move_host()
        vfs.mount(self.parts["root"], "/")
        lay("/fw0.pack", OLD)
        self.chip.dies = True  # else a file that is closed behind a cut is written after all

    def _move_host(self) -> None:
        """Once a process: "/" becomes free, and modules come from "/host"."""
        if _HOST not in "".join(sys.path):
            sys.path[:] = [_HOST + path if path.startswith("/") else path for path in sys.path]
            for module in sys.modules.values():
                package: Any = module
                if hasattr(package, "__path__"):
                    package.__path__ = _HOST + package.__path__
            vfs.umount("/")
            vfs.mount(vfs.VfsPosix("/"), _HOST)
        else:
            vfs.umount("/")

    def mount(self) -> None:
        Flash.mount(self)
        if "root" in self.parts:
            vfs.umount("/")
            vfs.mount(self.parts["root"], "/")

    def boot(self) -> None:
        """What boot.py does; OSError when there is no pack that may run."""
        self.power(0)
        self.mount()
        self.mount_slot()

    def power(self, cut_at: int, quarters: int = 4) -> None:
        """There is power, until that operation."""
        chip = self.chip
        chip.has_power, chip.operations = True, 0
        chip.cut_at, chip.cut_quarters = cut_at, quarters

    def mount_slot(self) -> None:
        if packfs.mounted >= 0:
            vfs.umount("/fw")
            sys.path.remove("/fw")
        packfs.mounted, packfs.state = -1, ""
        slots.mount()
        sys.modules["slots"] = slots  # it takes itself out, once

    def start(self, list_kid: bytes = b"") -> "Any":
        assert not list_kid, "there is no list here"
        self.boot()
        return Controller(self)


def lay(path: str, data: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - MicroPython has no pathlib
        file.write(data)


def held(path: str) -> "bytes | None":
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
            return file.read()
    except OSError:
        return None


def running() -> bytes:
    """The pack that was mounted."""
    data = held(f"/fw{packfs.mounted}.pack")
    assert data is not None
    return data


def files() -> "list[str]":
    """Of the update, on the root file system."""
    names = os.listdir("/")  # noqa: PTH208 - MicroPython has no pathlib
    return sorted(name for name in names if name[:2] == "fw" and name != "fw")


assert TRUST_PATH.startswith("/cfg/")
