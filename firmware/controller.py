"""What the parts of a running controller share; the handlers of requests act on it (device)."""

import os

from protocol.constants import (
    BUCKETS_A_PAGE,
    JOURNAL_PAGE_RECORDS,
    MESSAGE_MAX_BYTES,
    NONCE_BYTES,
    NONCE_LIFE_MS,
    RECORD_BYTES,
)

_SCRATCH_BYTES = max(JOURNAL_PAGE_RECORDS * RECORD_BYTES, BUCKETS_A_PAGE * 32)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from firmware.access import Access
    from firmware.admission import Admission
    from firmware.clock import Clock
    from firmware.config import Config
    from firmware.enrolment import Enrolment
    from firmware.intake import Intake
    from firmware.journal import Journal
    from firmware.pace import Pace
    from firmware.signed import Keys
    from firmware.store import Nvs
    from firmware.supply import Supply
    from firmware.whitelist import Whitelist

    Arguments = list[Any]  # of a request, checked against protocol/messages.py
    Value = Any  # of its reply

    class Kind(Protocol):
        """What a door and a charger have in common; firmware/<kind>.py holds a `Service`."""

        swipes: "Any"
        energy: "Any"  # of a charger: its EnergyRing

        def turn(self, passed_ms: int) -> None: ...
        def takes(self, action: int, point: int, argument: int) -> bool: ...
        def act(self, action: int, point: int, argument: int) -> None: ...
        def relay_follows(self) -> bool: ...
        def at_rest(self) -> bool: ...
        def is_shut(self) -> bool: ...
        def told(self) -> Value: ...  # of a charger, for get_ports


class Controller:
    """Parts by name, and the one nonce that tickets and signed times answer."""

    board: "Any"
    config: "Config"
    nvs: "Nvs"
    clock: "Clock"
    keys: "Keys"
    journal: "Journal"
    whitelist: "Whitelist"
    intake: "Intake"
    access: "Access"
    admission: "Admission"
    pace: "Pace"
    kind: "Kind"
    station: "Any"
    slot: int  # which of the two firmware packs runs
    firmware: bytes  # its SHA-256

    def __init__(self) -> None:
        self.restart_wanted = False
        self.config_waits = False  # firmware/device_config.py: one is to be put into force
        self.config_lost = False  # there was one, and no file of it is whole
        # of a firmware on its way: SHA-256 of its manifest, length, version, SHA-256 of the pack
        self.update: "tuple[bytes, int, int, bytes] | None" = None
        # what root says of a manifest, how many signatures are wanting, ids of keys
        self.endorsed: "tuple[bytes, int, list[bytes]] | None" = None
        self.enrolment: "Enrolment | None" = None
        self.supply: "Supply | None" = None
        self.heap_is_spent = False  # a guest's request found no room
        self.memory_faults = 0  # since the start; firmware/chores.py makes an end of them
        self.fault = ""  # kind of the last defect that showed
        # One buffer for replies; its end is scratch for the request that is being answered:
        # encoding moves what lies there to where it belongs.
        self.reply = memoryview(bytearray(MESSAGE_MAX_BYTES + 2))
        self.scratch = self.reply[-_SCRATCH_BYTES:]
        self._nonce = b""
        self._nonce_s = 0

    def make_nonce(self) -> bytes:
        """16 random bytes, good once and for 30 s of uptime."""
        self._nonce = os.urandom(NONCE_BYTES)
        self._nonce_s = self.clock.uptime_s
        return self._nonce

    def use_nonce(self, nonce: bytes) -> bool:
        """Whether this is the nonce, still fresh; it is used up either way."""
        held = self._nonce
        self._nonce = b""
        age_ms = 1000 * (self.clock.uptime_s - self._nonce_s)
        return len(held) == NONCE_BYTES and held == nonce and age_ms < NONCE_LIFE_MS
