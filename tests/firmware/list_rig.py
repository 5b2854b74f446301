"""A controller's lists on one chip, from file system to key cells, without doors (MicroPython).

Signatures are stood in for by a digest under the key's name: RSA is tested elsewhere, and thousands
of lists are signed here. Everything else is the firmware's own code. The file system is mounted at
"/", as on a controller; what the host has moves to "/host".
"""

import asyncio
import hashlib
import os
import sys

from firmware.bases import TABLE_SECTORS, Bases
from firmware.clock import Clock
from firmware.intake import Intake
from firmware.journal import Journal
from firmware.whitelist import Whitelist
from protocol import cards, chain, cose, keyslot, manifest
from protocol.card_digest import digest
from protocol.codes import KEY_WHITELIST, LIST_DELTA, LIST_FULL
from protocol.constants import AAD_MANIFEST, CARD_RECORD_BYTES, KEY_SLOT_BYTES, TIME_END_MIN
from protocol.manifest import Manifest
from tests.firmware.flash import Chip, Partition, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

vfs: "Any" = __import__("vfs")  # MicroPython's own

SITE, DEVICE, MODULUS = b"site----", b"device--", b"modulus of the whitelist key"
KID = hashlib.sha256(MODULUS).digest()[:8]
ISSUED_S = 200_000_000
DAY_S = 86400
CAPACITY = 60_000
FLASH_SECTORS = 24
_RINGS = ("journal", "alarm")


class Verifier:
    """In place of RSA: the signature repeats the digest of what is signed."""

    def __init__(self, envelope: "Any", aad: bytes, modulus: bytes) -> None:
        wanted = cose.sig_structure_digest(envelope.protected, aad, envelope.payload)
        self.ok = envelope.signature == wanted * 12 and modulus == MODULUS

    def step(self) -> bool:
        return False


at_yield: "list[Any]" = []  # called when the firmware lets others in


async def _at_once(_ms: int) -> None:
    """In place of asyncio.sleep_ms: nobody else is there, but whoever measures."""
    for called in at_yield:
        called()


RealVerifier = cose.Verifier  # for whoever wants signatures to be real
cose.Verifier = Verifier
asyncio.sleep_ms = _at_once


def run(coroutine: "Any") -> "Any":
    """What a coroutine that never waits returns."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


class Numbers:
    """NVS on the chip: a number is there whole or not at all."""

    def __init__(self, chip: Chip, held: "dict[str, int]") -> None:
        self._chip = chip
        self.held = held

    def get(self, name: str) -> int:
        return self.held.get(name, 0)

    def put(self, name: str, value: int) -> None:
        if self.get(name) != value:
            if self._chip.begins():
                raise PowerCut
            self.held[name] = value


class Rtc:
    """machine.RTC that was never set."""

    def datetime(self, *_: "Any") -> "tuple[int, ...]":
        return (2000, 1, 1, 0, 0, 0, 0, 0)


class Config:
    """What firmware/config.py would have read."""

    site, device, epoch = SITE, DEVICE, 1


class Keys:
    """A trust object with one whitelist key."""

    version = 1

    def find(self, role: int, kid: bytes) -> "bytes | None":
        return MODULUS if role == KEY_WHITELIST and kid == KID else None


def _moved(path: "Any") -> "Any":
    return "/host" + path if path.startswith("/") else path


def _mount(flash: Partition) -> None:
    """The chip's file system at "/"; the host's at "/host", for the modules that come later."""
    try:
        os.stat("/host")  # noqa: PTH116 - MicroPython has no pathlib
    except OSError:
        vfs.mount(vfs.VfsPosix("/"), "/host")
        sys.path[:] = [_moved(path) for path in sys.path]
        for module in sys.modules.values():
            if hasattr(module, "__path__"):
                module.__path__ = _moved(module.__path__)  # type: ignore[assignment]
    vfs.umount("/")
    vfs.mount(flash, "/")


class Rig:
    """One board. `cut(n)` pulls its plug at the n-th change of its flash; then reboot()."""

    def __init__(self, cards: int = 3000) -> None:
        self.chip = Chip(dies=True)
        self.flash = Partition(self.chip, FLASH_SECTORS)
        self.parts = {
            "keys": Partition(self.chip, 16),
            "journal": Partition(self.chip, 3),
            "alarm": Partition(self.chip, 3),
            "lists": Partition(self.chip, 2 * (TABLE_SECTORS + cards * 16 // 4096 + 1)),
        }
        self.numbers: dict[str, int] = {}
        self.config = Config()
        vfs.VfsLfs2.mkfs(self.flash)
        for number in range(len(_RINGS)):
            slot = bytearray(KEY_SLOT_BYTES)
            c = chain.start(SITE, DEVICE, number)
            keyslot.pack_into(
                slot, 0, keyslot.STATE_VALID, 0, 0, 0, 0, 0, 0, 1, c, b"t" * 16, b"a" * 16
            )
            self.parts["keys"].writeblocks(8 * number, slot, 0)
        self.scratch = memoryview(bytearray(2048))
        self.start()

    def image(self) -> "Any":
        """All that the chip holds."""
        flash = bytes(self.flash.data)
        return flash, {n: bytes(p.data) for n, p in self.parts.items()}, dict(self.numbers)

    def reboot(self, image: "Any" = None) -> None:
        """Power comes back; image: to what the chip held another time."""
        flash, parts, numbers = image or self.image()
        self.chip = Chip(dies=True)  # what still writes to the old one is without power
        self.flash = self.flash.copy(self.chip, flash)
        self.parts = {name: self.parts[name].copy(self.chip, parts[name]) for name in parts}
        self.numbers = dict(numbers)
        self.start()

    def cut(self, operation: int, quarters: int = 2) -> None:
        """At the n-th change from now on, when so much of it is done; 0: not at all."""
        self.chip.operations = 0
        self.chip.cut_at = operation
        self.chip.cut_quarters = quarters

    def start(self) -> None:
        """As firmware/app.py does it."""
        _mount(self.flash)
        nvs: Any = Numbers(self.chip, self.numbers)
        self.nvs = nvs
        config: Any = self.config
        self.clock = Clock(Rtc(), nvs)
        self.journal = Journal(lambda name: self.parts[name], config, self.clock, nvs)
        self.whitelist = Whitelist(Bases(self.parts["lists"]))
        keys: Any = Keys()
        self.intake = Intake(config, keys, self.whitelist, self.journal, self.clock, nvs, CAPACITY)
        self.intake.restore(self.scratch)

    # --- what a tool does -----------------------------------------------------------------

    def push(self, envelope: bytes, payload: bytes, chunk: int = 2048) -> None:
        """All of one list; raises Refused."""
        offset = run(self.intake.begin(envelope))
        while offset < len(payload):
            offset = self.intake.chunk(offset, payload[offset : offset + chunk])
        run(self.intake.commit(self.scratch))

    def full(self, version: int, records: bytes) -> None:
        self.push(*signed(version, records))

    def delta(self, version: int, old: bytes, new: bytes, changes: bytes) -> None:
        envelope = signed_delta(version, self.whitelist.version, old, new, changes)
        self.push(envelope, changes)

    def work(self, steps: int = 100_000) -> int:
        """The background, until it has nothing to do; how many steps it took."""
        idle = 0
        for step in range(steps):
            self.intake.step()
            idle = idle + 1 if self.intake._work is None else 0
            if idle == 2:
                return step
        return steps

    def has(self, record: bytes) -> bool:
        """Whether the search finds exactly this record; the bucket is proven first, as ever."""
        key = record[:8]
        if self.whitelist.prover is not None:
            self.whitelist.prover(key[0])
        if self.whitelist.manifest is None or not self.whitelist.find(key):
            return False
        w = self.whitelist
        return record[8:] == cards.pack(
            key, w.found_from_min, w.found_until_min, w.found_profile, w.found_flags
        )[8:]  # fmt: skip


def record(key: bytes, flags: int = 0, until_min: int = TIME_END_MIN) -> bytes:
    return cards.pack(key, 0, until_min, 1, flags)


def records(count: int, first: int = 0) -> bytes:
    """So many uniform cards, sorted, the same each time."""
    keys = [hashlib.sha256(b"%d" % n).digest()[:8] for n in range(first, first + count)]
    return b"".join([record(key) for key in sorted(keys)])


def draft(version: int, result: bytes, payload: bytes, epoch: int = 1) -> Manifest:
    """A manifest for the list `result`, sent as `payload`."""
    m = Manifest()
    m.site, m.device, m.epoch, m.version = SITE, DEVICE, epoch, version
    m.kind, m.base_version, m.base_digest = LIST_FULL, 0, b""
    m.result_digest, m.count = digest(result), len(result) // CARD_RECORD_BYTES
    m.payload_bytes, m.payload_sha256 = len(payload), hashlib.sha256(payload).digest()
    m.issued_at_s, m.refresh_by_s = ISSUED_S + version, ISSUED_S + version + DAY_S
    m.profiles, m.schedules, m.policy = [(1, 1, 0, 50, 0, 0, 0, 0, 0)], [], (0, 0)
    m.trust_version, m.audit_head, m.utc_offsets, m.holidays = 1, bytes(32), [], []
    return m


def sign(m: Manifest, kid: bytes = KID, aad: bytes = AAD_MANIFEST) -> bytes:
    payload = manifest.encode(m)
    return cose.build(kid, payload, aad, lambda data: hashlib.sha256(data).digest() * 12)


def signed(version: int, result: bytes) -> "tuple[bytes, bytes]":
    return sign(draft(version, result, result)), result


def signed_delta(version: int, base: int, old: bytes, new: bytes, changes: bytes) -> bytes:
    m = draft(version, new, changes)
    m.kind, m.base_version, m.base_digest = LIST_DELTA, base, digest(old)
    return sign(m)
