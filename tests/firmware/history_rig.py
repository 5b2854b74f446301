"""Lives through histories of lists, a JSON line a step and one a reply (MicroPython).

The firmware's own code on the chip of list_rig.py; with "rsa" its signatures are real, too. A step
may say at which change of the flash power goes; then the reply tells what the next start has found.
`spoil` breaks the engine on purpose: whoever watches has to notice.
"""

import json
import sys
from binascii import hexlify, unhexlify

from firmware import intake, loan
from firmware.intake import Intake
from firmware.journal import Journal
from firmware.whitelist import Whitelist
from protocol import cards, cose
from protocol.codes import KEY_WHITELIST
from protocol.constants import RING_ALARM, SECTOR_BYTES
from protocol.messages import Refused
from tests.firmware import list_rig
from tests.firmware.flash import Chip, PowerCut
from tests.firmware.list_rig import Rig, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK = "\x01"  # before a reply; whatever else is printed is not one
CARDS = 500
LATER_S = 3601


class SiteKeys:
    """The one whitelist key of the histories, by the host's first line."""

    version = 1
    modulus = b""

    def find(self, role: int, kid: bytes) -> "bytes | None":
        ours = role == KEY_WHITELIST and cose.key_id(self.modulus) == kid
        return self.modulus if ours else None


class KeptRtc:
    """machine.RTC with a battery, which may be empty."""

    kept: "tuple[int, ...] | None" = None

    def datetime(self, *value: "Any") -> "tuple[int, ...]":
        if value:
            KeptRtc.kept = value[0]
        return KeptRtc.kept or (2000, 1, 1, 0, 0, 0, 0, 0)


class Uncounted(Chip):
    """The bases' part of the chip, while the changes that count are those of files and NVS.

    A list is hundreds of changes of its base and a dozen of all else, and these decide.
    """

    def __init__(self, chip: Chip) -> None:
        super().__init__()
        self._chip = chip

    def begins(self) -> bool:
        if not self._chip.has_power:
            raise PowerCut
        return False


class Board(Rig):
    """A rig whose power may go while it starts, too; 0: it does not."""

    at_start = 0
    in_files = False

    def start(self) -> None:
        self.cut(self.at_start)
        super().start()

    def begin_again(self, cut_at: int) -> bool:
        """Power comes, and once more when it went again; whether it did."""
        self.at_start = cut_at
        try:
            self.reboot()
        except PowerCut:
            return True
        finally:
            self.at_start = 0
            if not self.chip.has_power:
                self.reboot()
        return False

    def arm(self, at: int, quarters: int, in_files: bool) -> None:
        lists = self.parts["lists"]
        lists.chip = Uncounted(self.chip) if in_files else self.chip
        self.cut(at, quarters)


def _push(rig: Board, step: "dict[str, Any]") -> int:
    """A list, or its first `upto` bytes before the session ends; from where it was wanted."""
    payload = unhexlify(step["payload"])
    upto = step.get("upto", len(payload))
    offset = began = run(rig.intake.begin(unhexlify(step["envelope"])))
    while offset < upto:
        offset = rig.intake.chunk(offset, payload[offset : min(upto, offset + step["chunk"])])
    if "upto" in step:
        rig.intake.pause()
    else:
        run(rig.intake.commit(rig.scratch))
    return int(began)


def _work(rig: Board, step: "dict[str, Any]") -> int:
    rig.clock.uptime_s += LATER_S * step["later"]
    return rig.work(step["steps"])


def _clock(rig: Board, step: "dict[str, Any]") -> int:
    rig.clock.set_signed(step["time_s"])
    return 0


def _restart(rig: Board, step: "dict[str, Any]") -> int:
    if step["loses_clock"]:
        KeptRtc.kept = None
    return rig.begin_again(step["cut_at"])


ACTS = {"push": _push, "work": _work, "clock": _clock, "restart": _restart}


def _act(rig: Board, step: "dict[str, Any]") -> "dict[str, Any]":
    """Carry one step out and start anew when power went in it."""
    code, result, again = 0, 0, False
    rig.arm(*step.get("cut") or (0, 0, False))
    try:
        result = ACTS[step["do"]](rig, step)
    except Refused as error:
        code = error.code
    except PowerCut:
        assert not rig.chip.has_power
    was_cut = not rig.chip.has_power
    rig.arm(0, 0, False)
    if was_cut:
        again = rig.begin_again(step.get("again", 0))
    return {"code": code, "cut": was_cut, "again": again, "result": result}


def _found(rig: Rig, key: bytes) -> str:
    """What a reader's card would be judged by: the record, hex, or nothing."""
    w = rig.whitelist
    if w.prover is not None:
        w.prover(key[0])
    if w.manifest is None or not w.find(key):
        return ""
    record = cards.pack(key, w.found_from_min, w.found_until_min, w.found_profile, w.found_flags)
    return hexlify(record).decode()


def _seen(rig: Rig, keys: "list[str]") -> "dict[str, Any]":
    found = [_found(rig, unhexlify(key)) for key in keys]
    w = rig.whitelist
    return {
        "found": found,  # first: a proof on the way may put the list out of force
        "version": w.version,
        "digest": hexlify(w.digest).decode(),
        "count": w.count,
        "overlay": len(w.index) if w.manifest is not None else 0,
        "floor": rig.journal.rings[RING_ALARM].floors[0],
        "clock_floor_s": rig.clock.floor_s,
    }


# --- broken on purpose ----------------------------------------------------------------------


def _blind(self: Whitelist, key: bytes) -> bool:
    return self._find_in_base(key)


def _over_its_own(self: Intake) -> int:
    here = _take_base(self)
    self.slot = self.whitelist.slot
    return here


def _whose_ever(self: Intake) -> int:
    here = self.nvs.get("reached")
    _take_base(self)
    return here


def _hasty(self: Intake, held: "Any", is_new: bool) -> None:
    _entered(self, held, is_new and self.whitelist.prover is None)


_take_base = Intake.take_base
_entered = Intake.entered
SPOILT: "dict[str, tuple[Any, str, Any]]" = {
    "overlay is not searched": (Whitelist, "find", _blind),
    "old lists are taken": (Journal, "version_floor", property(lambda _: 0)),
    "a list is written over the one in force": (Intake, "take_base", _over_its_own),
    "a list goes on from what a merge has left": (Intake, "take_base", _whose_ever),
    "a start does not raise the floor": (Intake, "entered", _hasty),
}
HONEST = [(owner, name, owner.__dict__[name]) for owner, name, _ in SPOILT.values()]


def _spoil(chosen: "str | None") -> None:
    for owner, name, whole in HONEST:
        setattr(owner, name, whole)
    if chosen is not None:
        setattr(*SPOILT[chosen])


def _kept(_name: str) -> None:
    """In place of forget(): here a module would be compiled from source again for each step."""


def serve() -> None:
    """First line: the modulus of the key that signs. Each history begins with {"do": "new"}."""
    loan.forget = intake.forget = _kept
    list_rig.Keys = SiteKeys
    list_rig.Rtc = KeptRtc
    intake._TELL_BYTES = SECTOR_BYTES  # that small lists go on where large ones would
    list_rig.MODULUS = SiteKeys.modulus = unhexlify(sys.stdin.readline().strip())
    rig = Board(CARDS)
    fresh = rig.image()
    hello = {"site": list_rig.SITE.decode(), "device": list_rig.DEVICE.decode()}
    print(MARK + json.dumps(hello))
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        step = json.loads(line)
        try:
            if step["do"] == "new":
                _spoil(step.get("spoil"))
                cose.Verifier = list_rig.RealVerifier if step["rsa"] else list_rig.Verifier
                KeptRtc.kept = None
                rig.reboot(fresh)
                reply: dict[str, Any] = {"code": 0}
            else:
                reply = _act(rig, step)
            reply.update(_seen(rig, step["ask"]))
        except Exception as error:  # noqa: BLE001 - the host says in which history
            sys.print_exception(error, sys.stderr)
            reply = {"crash": repr(error)}
        print(MARK + json.dumps(reply))


serve()
