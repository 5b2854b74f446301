"""Lives through histories of an energy ring, a JSON line a step and one a reply (MicroPython).

A step may say at which change of the flash power goes, or which change the flash refuses. Every
reply tells what a start would find on the flash then, and what the ring that runs has in force.
`spoil` breaks the ring on purpose: whoever watches has to notice.
"""

import json
import sys
from binascii import hexlify, unhexlify

from firmware import energy_ring
from firmware.energy_ring import EnergyRing
from protocol import energy_slot
from tests.firmware.device_broken_flash import Moody
from tests.firmware.flash import Chip, PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK = "\x01"  # before a reply; whatever else is printed is not one
SECTORS = 6
PORTS = 16


def _kept(_name: str) -> None:
    """In place of forget(): here a module would be compiled from source again for each step."""


energy_ring.forget = _kept


class Board:
    """The chip, and the ring that runs."""

    def __init__(self) -> None:
        self.chip = Chip()
        self.partition = Moody(self.chip, SECTORS)
        self.start(0)

    def start(self, day: int) -> None:
        self.ring = fresh(self.partition, day)


def fresh(partition: Moody, day: int) -> EnergyRing:
    """What a start finds, by a clock that knows the day."""
    ring = EnergyRing(partition, PORTS)
    ring.restore()
    ring.begin_day(day)
    return ring


def _commit(ring: EnergyRing, entries: "list[Any]", when: "list[int]") -> None:
    for port, key, mwh, seconds, power_w, flags in entries:
        ring.put(port, unhexlify(key), mwh, seconds, power_w, flags)
    ring.commit(*when)


def _act(ring: EnergyRing, step: "dict[str, Any]") -> None:
    what = step["do"]
    if what == "commits":
        for entries, when in step["commits"]:
            _commit(ring, entries, when)
    elif what == "end":
        key, mwh, seconds = step["spend"]
        ring.spend(unhexlify(key), mwh, seconds)
        _commit(ring, step["entries"], step["when"])
    elif what == "day":
        ring.begin_day(step["day"])
    elif what == "quiet":
        for _ in range(step["times"]):
            ring.erase_ahead()


def _used(ring: EnergyRing) -> "dict[str, list[int]]":
    found = {}
    for at in range(0, ring.rows * energy_slot.ROW_BYTES, energy_slot.ROW_BYTES):
        key = bytes(ring.ledger[at : at + 8])
        found[hexlify(key).decode()] = [ring.used_wh(key), ring.used_min(key)]
    return found


def _seen(ring: EnergyRing) -> "dict[str, Any]":
    entries = [
        [port, hexlify(key).decode(), mwh, seconds, ticket]
        for port, key, mwh, seconds, ticket in ring.open_entries()
    ]
    used = _used(ring)
    return {"open": entries, "used": used, "day": ring.day, "time_s": ring.newest_time_s}


def _hold(board: Board, step: "dict[str, Any]") -> str:
    """Carry one step out; "cut", "refused" or "done"."""
    chip, moody = board.chip, board.partition
    chip.operations, moody.changes = 0, 0
    chip.cut_at, chip.cut_quarters = step.get("cut") or (0, 0)
    moody.refuse_at, moody.share = step.get("refuse") or (0, 0)
    try:
        _act(board.ring, step)
    except PowerCut:
        return "cut"
    except OSError:
        return "refused"
    else:
        return "done"
    finally:
        chip.cut_at = moody.refuse_at = 0


def _no_zeros(self: EnergyRing) -> None:
    self._refused = False
    _find_place(self)


def _early(self: EnergyRing) -> bool:
    self.spent = self._refused = False
    self.owing = True
    return bool(_erase_ahead(self))


def _forgetful(self: EnergyRing, key: bytes, mwh: int, seconds: int) -> None:
    if self.restored:
        _spend(self, key, mwh, seconds)


def _never(self: EnergyRing) -> None:
    self.covered, self.owing = self.sector, False


_find_place, _erase_ahead = EnergyRing._find_place, EnergyRing.erase_ahead
_spend, _write_ledger = EnergyRing.spend, EnergyRing._write_ledger
SPOILT = {
    "what was refused stays": ("_find_place", _no_zeros),
    "the ledger comes between a spend and its commit": ("erase_ahead", _early),
    "a start does not count": ("spend", _forgetful),
    "no ledger is written": ("_write_ledger", _never),
}
HONEST = {
    "_find_place": _find_place, "erase_ahead": _erase_ahead, "spend": _spend,
    "_write_ledger": _write_ledger,
}  # fmt: skip


def _spoil(chosen: "str | None") -> None:
    for name, whole in HONEST.items():
        setattr(EnergyRing, name, whole)
    if chosen:
        setattr(EnergyRing, *SPOILT[chosen])


def serve() -> None:
    """Each history begins with {"do": "new"}."""
    board = Board()
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        step = json.loads(line)
        try:
            if step["do"] == "new":
                _spoil(step.get("spoil"))
                board = Board()
                outcome = "done"
            else:
                outcome = _hold(board, step)
            if outcome == "cut" or step["do"] == "restart":
                board.start(step["today"])
            on_flash = fresh(board.partition, 0)
            reply = {"outcome": outcome, "flash": _seen(on_flash), "damaged": on_flash.damaged,
                     "used": _used(board.ring), "owing": board.ring.owing}  # fmt: skip
        except Exception as error:  # noqa: BLE001 - the host says in which history
            sys.print_exception(error, sys.stderr)
            reply = {"crash": repr(error)}
        print(MARK + json.dumps(reply))


serve()
