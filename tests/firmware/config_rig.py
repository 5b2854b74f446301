"""A controller's configuration on a NOR chip, with its journal and NVS (MicroPython).

Signatures are stood in for by a digest under the key's name, as in list_rig.py; everything else is
the firmware's own code. Relays, inputs and the clock chip's bus are what a test makes them.
"""

import asyncio
import hashlib
import os

from firmware import device_config
from firmware.attached import attach
from firmware.chores import Chores
from firmware.config import Config
from firmware.handlers.configure import carry_out
from firmware.journal import Journal
from firmware.store import Nvs
from protocol import cbor, cose, records
from protocol.codes import KEY_TICKET, OP_GET_CONFIG, OP_PUT_CONFIG
from protocol.constants import AAD_CONFIG, RECORD_BYTES, RING_ALARM
from protocol.messages import Refused
from tests.firmware.trust_board import Board as Flash
from tests.firmware.trust_board import Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SITE, DEVICE, MODULUS = b"site----", b"device--", b"modulus of the ticket key"
KID = hashlib.sha256(MODULUS).digest()[:8]
PROVISIONED = cbor.encode({
    1: SITE, 2: DEVICE, 3: "door", 4: b"l" * 32, 5: b"c" * 32, 6: b"r" * 32, 7: ["old", "network1"],
    8: 1, 9: {},
})  # fmt: skip


class Verifier:
    """In place of RSA: the signature repeats the digest of what is signed."""

    def __init__(self, envelope: "Any", aad: bytes, modulus: bytes) -> None:
        wanted = cose.sig_structure_digest(envelope.protected, aad, envelope.payload)
        self.ok = envelope.signature == wanted * 12 and modulus == MODULUS

    def step(self) -> bool:
        return False


class Keys:
    """One ticket key."""

    version = 1

    def find(self, role: int, kid: bytes) -> "bytes | None":
        return MODULUS if role == KEY_TICKET and kid == KID else None


def sign(
    version: int,
    settings: "Any",
    epoch: int = 1,
    site: bytes = SITE,
    device: bytes = DEVICE,
    aad: bytes = AAD_CONFIG,
    kid: bytes = KID,
) -> bytes:
    """An envelope as the tool makes it."""
    payload = cbor.encode([site, device, epoch, version, settings])
    return seal(payload, aad, kid)


def seal(payload: bytes, aad: bytes = AAD_CONFIG, kid: bytes = KID) -> bytes:
    return cose.build(kid, payload, aad, lambda data: hashlib.sha256(data).digest() * 12)


class Pin:
    """One wire."""

    def __init__(self) -> None:
        self.level = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class HasAll:
    """The board."""

    KIND = "door"

    def __init__(self) -> None:
        self.capabilities: dict[str, Any] = {"points": 1, "wifi": True, "supply": True}
        self.lock = Pin()
        self.light = Pin()
        self.wires = {name: Pin() for name in ("door", "rex", "fire", "tamper")}
        self.relays: Any = lambda: [self.lock]

    def inputs(self) -> "dict[str, Pin]":
        return self.wires

    def indicator(self) -> Pin:
        return self.light

    def readers(self) -> "list[Any]":
        return []

    def rtc(self) -> str:
        return "the chip's own"


class Station:
    """The Wi-Fi; `left`: it was told to go."""

    left = False

    def disconnect(self) -> None:
        self.left = True


class Quiet(Part):
    """Whatever else a chore looks at: nothing happens there."""

    uptime_s = refused = memory_faults = 0

    def quiet_for(self, _ms: int) -> bool:
        return True

    def step(self) -> None:
        return None

    def minute(self) -> None:
        return None


class Controller(Part):
    """What a start makes of the flash."""

    config: "Any"
    clock: "Any"
    pace: "Any"
    station: "Any"
    admission: "Any"
    intake: "Any"
    access: "Any"
    journal: "Any"
    kind: "Any"
    supply: "Any" = None
    enrolment: "Any" = None
    me: "Any"  # itself, in the place of a real one

    def __init__(self, flash: Flash, board: HasAll) -> None:
        self.board = board
        self.config_waits = self.config_lost = self.restart_wanted = False
        self.config = Config(PROVISIONED)
        self.nvs = Nvs(flash.numbers)
        self.keys = Keys()
        self.clock = self.pace = self.intake = self.access = Quiet()
        self.heap_is_spent, self.memory_faults = False, 0
        self.station = Station()
        self.admission = Quiet()
        self.me = self
        device_config.started(self.me)
        self.clock_chip = attach(self.me)
        self.journal = Journal(flash.partition, self.config, self.clock, self.nvs)
        if self.config_waits:
            device_config.tell(self.me)
        self.kind = __import__("firmware.door", None, None, ("Service",)).Service(self)

    def put(self, envelope: bytes) -> "tuple[int, int]":
        """(wire error, setting that is named or 0) of a request; (0, version) when it is taken."""
        try:
            return 0, asyncio.run(carry_out(self.me, OP_PUT_CONFIG, [memoryview(envelope)]))
        except Refused as error:
            return error.code, error.setting

    def get(self) -> "list[Any]":
        value: list[Any] = asyncio.run(carry_out(self.me, OP_GET_CONFIG, []))
        return value

    def apply(self) -> None:
        Chores(self.me).turn(1000)

    def turn(self, **levels: int) -> None:
        for name, level in levels.items():
            self.board.wires[name].level = level
        for _ in range(5):
            self.kind.turn(10)

    def events(self) -> "list[tuple[int, int, int]]":
        """(event, reason, extra) of the alarm ring."""
        ring = self.journal.rings[RING_ALARM]
        page = memoryview(bytearray(200 * RECORD_BYTES))
        size = ring.read(0, page)
        found = [records.unpack(page[at : at + 32]) for at in range(0, size, RECORD_BYTES)]
        return [(r.event, r.reason, r.extra) for r in found]


class Rig:
    """One board that is started again and again."""

    def __init__(self, points: int = 1) -> None:
        self.flash = Flash()
        self.points = points
        self.board = HasAll()

    def start(self) -> Controller:
        self.flash.chip.cut_at = 0
        self.flash.mount()
        self.board = HasAll()
        self.board.capabilities["points"] = self.points
        return Controller(self.flash, self.board)

    def cut(self, operation: int) -> None:
        self.flash.chip.operations = 0
        self.flash.chip.cut_at = operation

    def remove(self, path: str) -> None:
        """Somebody takes that file away."""
        os.remove(path)  # noqa: PTH107 - MicroPython has no pathlib

    def spoil(self, path: str) -> None:
        """A bit of that file has turned over."""
        with open(path, "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
            data = bytearray(file.read())
        data[len(data) // 2] ^= 4
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)


cose.Verifier = Verifier  # type: ignore[misc,assignment]
