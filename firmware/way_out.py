"""The way out while nothing else can be served: REX, fire and the watchdog (device).

Loaded when a start or a task has failed: a board that only reset itself would keep its lock shut
for as long as the cause lasts. Nothing is journalled, no card is read and no wire is answered.
After a while, and never while the lock is released, it ends: then the board starts again.

Which level locks is read from /cfg/config.cbor; if that file is damaged, from its copy in NVS; and
if there is none the relay stays as boot.py left it, in its fail state.
"""

import time

import board

from firmware.config import Config, read_file
from firmware.store import Nvs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FAIL_SAFE = 2  # of "lock" in NVS, firmware/device_config.py; 0: never written
_PERIOD_MS = 10


class _Settings:
    """Of a controller whose own file is damaged: whatever else a door may be told is off."""

    unlock_ds = 50
    held_open_s = 30
    relock = held_warning_s = rex_kind = mode = mode_schedule = first_card = 0
    interlock = passback = passback_min = attempts = lockout_s = escort_s = pin_s = 0

    def __init__(self, fail_safe: bool) -> None:
        self.fail_safe = fail_safe


class _StandIn:
    """What a door asks of its controller, when there is only the board; a charger asks nothing."""

    uptime_s = 0

    def __init__(self, config: "Config | _Settings") -> None:
        self.config = config
        self.board = self.journal = self.clock = self
        self.access = None  # nobody is judged, and no mode but controlled is known
        self.relays = board.relays
        self.inputs = board.inputs
        self.indicator = board.indicator

    def readers(self) -> "list[object]":
        """None: no card opens anything here."""
        return []

    def note(self, *event: object, **more: object) -> None:
        """There is no journal."""


def _config() -> "Config | _Settings | None":
    held = Nvs(board.nvs("controller")).get("lock")
    try:
        config = Config(read_file("/cfg/config.cbor"))
        config.fail_safe = held == _FAIL_SAFE if held else config.fail_safe
        return config  # by the lock type that was signed for it since
    except Exception:  # noqa: BLE001, S110 - however it is damaged
        pass
    return _Settings(held == _FAIL_SAFE) if held else None


def keep(watchdog_ms: int, pause_ms: int) -> None:
    """Serve the way out for so long, and until the lock is locked again."""
    watchdog = board.watchdog(watchdog_ms)
    config = _config()
    kind: "Any" = None
    if config is not None:
        module = __import__("firmware." + board.KIND, None, None, ("Service",))
        kind = module.Service(_StandIn(config))
    last = time.ticks_ms()
    while pause_ms > 0 or (kind is not None and not kind.at_rest()):
        time.sleep_ms(_PERIOD_MS)
        now = time.ticks_ms()
        passed_ms = time.ticks_diff(now, last)
        last = now
        pause_ms = max(0, pause_ms - passed_ms)
        if kind is not None:
            kind.turn(passed_ms)
        watchdog.feed()
