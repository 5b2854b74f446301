"""Lives through histories of an energy ring, a JSON line a step and one a reply (MicroPython).

A step may say at which change of the flash power goes, or which change the flash refuses. Every
reply tells what a start would find on the flash then, and what the ring that runs has in force.
`spoil` breaks the ring on purpose: whoever watches has to notice.
"""

import json
import sys
from binascii import hexlify, unhexlify

from firmware import energy_ledger, energy_ring, energy_write
from protocol import energy_slot
from tests.firmware.device_broken_flash import Moody
from tests.firmware.energy_rig import Ring
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


def fresh(partition: Moody, day: int) -> Ring:
    """What a start finds, by a clock that knows the day."""
    ring = Ring(partition, PORTS)
    ring.restore()
    ring.begin_day(day)
    return ring


def _commit(ring: Ring, entries: "list[Any]", when: "list[int]") -> None:
    for port, key, mwh, seconds, power_w, flags in entries:
        ring.put(port, unhexlify(key), mwh, seconds, power_w, flags)
    ring.commit(*when)


def _act(ring: Ring, step: "dict[str, Any]") -> None:
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


def _used(ring: Ring) -> "dict[str, list[int]]":
    found = {}
    for at in range(0, ring.rows * energy_slot.ROW_BYTES, energy_slot.ROW_BYTES):
        key = bytes(ring.ledger[at : at + 8])
        found[hexlify(key).decode()] = list(ring.used(key))
    return found


def _seen(ring: Ring) -> "dict[str, Any]":
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


def _no_zeros(ring: Ring) -> None:
    ring.refused = False
    _find_place(ring)


def _early(ring: Ring) -> bool:
    ring.spent = ring.refused = False
    ring.owing = True
    return bool(_erase_ahead(ring))


def _forgetful(ring: Ring, key: bytes, mwh: int, seconds: int) -> None:
    if ring.restored:
        _spend(ring, key, mwh, seconds)


def _never(ring: Ring) -> None:
    ring.covered, ring.owing = ring.sector, False


def _believes(ring: Ring, day: int) -> None:
    if day and 0 < day < ring.day:
        ring.rows, ring.owing, ring.day = 0, True, day
    _begin_day(ring, day)


_begin_day = Ring.begin_day
_find_place, _write_ledger = energy_write._find_place, energy_write._write_ledger
_spend, _erase_ahead = energy_ledger.spend, Ring.erase_ahead
SPOILT = {
    "what was refused stays": (energy_write, "_find_place", _no_zeros),
    "the ledger comes between a spend and its commit": (Ring, "erase_ahead", _early),
    "a start does not count": (energy_ledger, "spend", _forgetful),
    "no ledger is written": (energy_write, "_write_ledger", _never),
    "a day that comes back is a new one": (Ring, "begin_day", _believes),
}
HONEST = (
    (energy_write, "_find_place", _find_place), (Ring, "erase_ahead", _erase_ahead),
    (energy_ledger, "spend", _spend), (energy_write, "_write_ledger", _write_ledger),
    (Ring, "begin_day", _begin_day),
)  # fmt: skip


def _spoil(chosen: "str | None") -> None:
    for whole in HONEST:
        setattr(*whole)
    if chosen:
        setattr(*SPOILT[chosen])


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
