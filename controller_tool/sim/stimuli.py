"""What happens in the world around a virtual board, as verbs of the field (host).

A verb's arguments are the keywords of its function; what it returns goes back to who asked.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from controller_tool.sim import readers
from controller_tool.sim.page import layout
from controller_tool.sim.readers import BadStimulus
from controller_tool.sim.station import Station
from protocol.codes import CREDENTIAL_CARD_PIN, CREDENTIAL_PIN

if TYPE_CHECKING:
    from controller_tool.sim.supervisor import Supervisor

_Y2K_UNIX_S = 946684800
_REX_MS = 300
_KEY_APART_S = 0.08  # eight digits and # within the second for which `sim swipe` looks
_CARD_S = 0.12  # its frame and the pause that ends it
_DIGIT_0, _ENTER = ord("0"), 11
_VOLTAGE_MAX_MV = 3300
_RTC_WORD = 1 << 32
_SAG_MV = 9000
_STEADY_MV = 12000


class Stimuli(Station):
    """The verbs of one board; `VERBS` lists them."""

    def __init__(self, board: Supervisor) -> None:
        self._board = board
        self._page = board.page
        self._wiring: dict[str, Any] = board.description["wiring"]
        self._cut_wires: set[str] = set()

    def apply(self, verb: str, arguments: dict[str, Any]) -> Any:
        """Carry out one verb; raises BadStimulus when it makes no sense here."""
        if verb not in VERBS:
            raise BadStimulus(f"unknown verb {verb!r}")
        try:
            return VERBS[verb](self, **arguments)
        except TypeError as error:
            raise BadStimulus(f"{verb}: {error}") from error

    # --- people -----------------------------------------------------------------------

    def swipe_card(self, credential: str, type: int = 2, reader: int = 0) -> Any:  # noqa: A002
        """Hold a card (credential in hex) to a reader, counted from 0."""
        wired = self._reader(reader)
        try:
            data = bytes.fromhex(credential)
        except ValueError as error:
            raise BadStimulus(f"swipe_card: {error}") from error
        at_a_charger = self._board.description["kind"] == "charger"
        is_typed = at_a_charger or wired["kind"] == "wiegand" or "keypad" in wired
        if is_typed and type in (CREDENTIAL_PIN, CREDENTIAL_CARD_PIN):
            return self._type_in(type, data, reader)
        if wired["kind"] == "wiegand":
            return readers.pulse(self._page, wired, readers.wiegand_bits(type, data))
        if reader in self._board.readers:
            self._board.readers[reader].hold([(type, data)])
            self._board.later(readers.HELD_S, lambda: self.hold_cards([], reader))
            return None
        if wired["kind"] not in readers.FRAMES:
            raise BadStimulus("nobody plays this reader: take_uart and send_uart are its line")
        return self.send_uart(wired["uart"], readers.FRAMES[wired["kind"]](type, data).hex())

    def _reader(self, reader: int) -> dict[str, Any]:
        """A reader's row, counted from 0."""
        rows: list[dict[str, Any]] = self._wiring["readers"]
        if not 0 <= reader < len(rows):
            raise BadStimulus(f"this board has no reader {reader + 1}, but {len(rows)} in all")
        return rows[reader]

    def _type_in(self, kind: int, data: bytes, reader: int) -> None:
        """A card first where there is one, then the digits of a PIN or port, and # behind them."""
        if "keypad" not in self._reader(reader):
            raise BadStimulus("this reader has no keypad")
        digits, after_s = data, 0.0
        if kind == CREDENTIAL_CARD_PIN:
            after_s = _CARD_S
            card, digits = data[2 : 2 + data[1]], data[2 + data[1] :]
            self.swipe_card(card.hex(), data[0], reader)
        for place, key in enumerate([*(digit - _DIGIT_0 for digit in digits), _ENTER], 1):
            delay_s = after_s + place * _KEY_APART_S
            self._board.later(delay_s, partial(self.press_key, key, reader))

    def hold_cards(self, cards: list[list[Any]], reader: int = 0) -> None:
        """Cards, [type, hex] each, that stay in the field of a reader that has one."""
        self._field_of(reader).hold([(kind, bytes.fromhex(number)) for kind, number in cards])

    def fail_reader(self, fault: str, reader: int = 0) -> None:
        """What goes wrong with a reader's chip; see its class in readers.py."""
        self._field_of(reader).fail(fault)

    def _field_of(self, reader: int) -> Any:
        if reader not in self._board.readers:
            raise BadStimulus("this reader has no field")
        return self._board.readers[reader]

    def press_key(self, key: int, reader: int = 0) -> None:
        """Press a key of a reader's keypad: 0 to 9, 10 for *, 11 for #."""
        wired = self._reader(reader)
        if "keypad" not in wired:
            raise BadStimulus("this reader has no keypad")
        if wired["kind"] == "virtual":
            self.send_uart(wired["uart"], readers.virtual_key(key).hex())
        else:
            readers.pulse(self._page, wired, readers.wiegand_key(key, wired["keypad"]))

    def reader_shows(self, reader: int = 0) -> dict[str, bool]:
        """Whether a reader's lamp and buzzer are on."""
        wired = self._reader(reader)
        return {
            name: self._page.bytes[layout.OUTPUTS + wired[name]] == 1
            for name in ("lamp", "buzzer")
            if name in wired
        }

    def send_uart(self, uart: int, data: str) -> dict[str, int]:
        """Bytes (hex) reach a UART, whatever they mean."""
        pipe = self._board.chip.uart_in[uart]
        lost = readers.receive(self._page, pipe, uart, bytes.fromhex(data))
        return {"lost": lost}

    def take_uart(self, uart: int) -> str:
        """What the board has sent on a UART since that was asked last (hex, the last 4 KB)."""
        sent = self._board.sent[uart]
        taken = sent.hex()
        sent.clear()
        return taken

    def press_rex(self, ms: int = _REX_MS, door: int = 1) -> None:
        """Press a door's request-to-exit button for so long; doors count from 1."""
        name = _of_door("rex", door)
        self.set_input(name, active=True)
        self._board.later(ms / 1000, lambda: self.set_input(name, active=False))

    def open_door(self, door: int = 1) -> None:
        """Open a door's leaf."""
        self.set_input(_of_door("door", door), active=True)

    def close_door(self, door: int = 1) -> None:
        """Close a door's leaf."""
        self.set_input(_of_door("door", door), active=False)

    def set_line(self, name: str, millivolts: int) -> None:
        """The voltage of a supervised line by its name in board.toml."""
        line = self._wiring.get("lines", {}).get(name)
        if line is None:
            raise BadStimulus(f"this board has no line {name!r}")
        level = max(0, min(_VOLTAGE_MAX_MV, millivolts))
        struct.pack_into("<H", self._page.bytes, layout.ANALOG_MV + 2 * line["pin"], level)

    def set_input(self, name: str, active: bool) -> int:
        """A contact or supervised line by its name in board.toml; returns when, as relays' log."""
        line = self._wiring.get("lines", {}).get(name)
        if line is not None:
            self.set_line(name, line["active_mv" if active else "rest_mv"])
            return _now_us()
        wired = self._wiring["inputs"].get(name)
        if wired is None:
            raise BadStimulus(f"this board has no input {name!r}")
        level = wired["active"] if active else 1 - wired["active"]
        self._page.bytes[layout.LEVELS + wired["pin"]] = level
        self._page.raise_generation(layout.INPUT_GENERATION)
        return _now_us()

    def set_supply(self, mv: int) -> None:
        """What feeds the board; 0: the wire to its divider is off."""
        wired = self._wiring.get("supply")
        if wired is None:
            raise BadStimulus("this board does not measure its supply")
        at_pin = min(_VOLTAGE_MAX_MV, mv // wired["divider"])
        struct.pack_into("<H", self._page.bytes, layout.ANALOG_MV + 2 * wired["pin"], at_pin)

    # --- power and clock --------------------------------------------------------------

    def cut_power(self) -> None:
        """Pull the plug, now."""
        self._board.chip.power_off()
        self._board.cable.lose()

    def restore_power(self) -> None:
        """Put the plug back; nothing happens when it is in."""
        self._board.say(self._board.chip.power_on())

    def cut_at(self, operation: int, torn: bool = False) -> None:
        """Power goes at the n-th erase or program from now (1 = the next); torn: half way."""
        done = self._page.word(layout.FLASH_COUNTERS + 4 * 7)
        self._page.bytes[layout.FLASH_TORN] = int(torn)
        self._page.set_word(layout.FLASH_CUT_AT, done + operation if operation else 0)

    def reset(self) -> None:
        """The reset button."""
        self._board.press_reset()

    def hold_en(self, on: bool) -> None:
        """EN is held down, or let go, which starts the chip."""
        if on:
            self._board.hold()
        else:
            self._board.release()

    def hold_boot(self, on: bool) -> None:
        """The boot button (GPIO0): held when the board is reset, the chip stays in its loader."""
        self._board.boot_held = on

    def loader_fault(self, **faults: Any) -> None:
        """What is wrong with the chip that the next loader has; none given: nothing is.

        chip: another kind; flash_bytes: another size; silent: it never answers; stuck: places in
        the flash whose lowest bit is dead.
        """
        self._board.download.fault(faults)

    def pull_cable(self, after: int = 0) -> None:
        """Pull the cable out of the host, at once or after so many bytes from it."""
        if after:
            self._board.cable.pull_after = after
        else:
            self._board.cable.pull()

    def plug_cable(self) -> None:
        """Put the cable in; the host finds it at another port."""
        self._board.cable.plug()
        self._board.tell()

    def set_clock(self, unix_s: float) -> None:
        """Set the board's RTC, as a coin cell or a stranger would."""
        zero_us = time.time_ns() // 1000 - int((unix_s - _Y2K_UNIX_S) * 1000000)
        if not 0 <= zero_us // 1000000 < _RTC_WORD:
            raise BadStimulus("the clock reaches from 2000 to now and as far back from now")
        self._page.set_word(layout.RTC_ZERO_S, zero_us // 1000000)
        self._page.set_word(layout.RTC_ZERO_US, zero_us % 1000000)

    def stop_oscillator(self) -> None:
        """What an empty coin cell leaves behind in the clock chip."""
        self._page.bytes[layout.DS3231 + 15] |= 0x80

    # --- wires and flash --------------------------------------------------------------

    def line_noise(self, corrupt: int = 0, drop: int = 0) -> None:
        """Corrupt and drop one byte in so many on the cable; 0 = none."""
        noise = self._board.cable.noise
        noise.corrupt_one_in, noise.drop_one_in = corrupt, drop

    def disconnect_relay(self, relay: str) -> None:
        """Cut the wire between a relay (its name in board.toml) and what it feeds."""
        if relay not in self._wiring["relays"]:
            raise BadStimulus(f"this board has no relay {relay!r}")
        self._cut_wires.add(relay)
        self._cut(self._wiring["relays"][relay], True)

    def reconnect_relay(self, relay: str) -> None:
        """Mend that wire."""
        self._cut_wires.discard(relay)
        if relay in self._wiring["relays"]:
            self._cut(self._wiring["relays"][relay], False)

    def _cut(self, pin: int, cut: bool) -> None:
        self._board.loads.cut_wire(pin, cut)
        at, bit = layout.WIRES_CUT + (pin >> 3), 1 << (pin & 7)
        held = self._page.bytes[at]
        self._page.bytes[at] = held | bit if cut else held & ~bit

    def set_wifi(self, up: bool) -> None:
        """The access point goes or comes back."""
        self._page.bytes[layout.WIFI_UP] = int(up)
        if not up:
            self._page.raise_generation(layout.WIFI_GENERATION)

    def read_only(self, on: bool) -> None:
        """The flash refuses every change."""
        self._page.bytes[layout.FLASH_READ_ONLY] = int(on)

    def rot(self, offset: int, bit: int = 0) -> None:
        """One bit of the chip has turned over."""
        self._board.rot(offset, bit)

    # --- questions --------------------------------------------------------------------

    def counters(self) -> dict[str, Any]:
        """Everything that was counted; times in us."""
        return self._board.counters()

    def loads(self) -> dict[str, bool]:
        """Which of the things that the relays feed are powered, seen at their own terminals."""
        outputs = self._board.counters()["outputs"]
        return {name: on and name not in self._cut_wires for name, on in outputs.items()}

    def clear_gap(self) -> None:
        """Start anew with the longest stretch."""
        self._page.set_word(layout.GAP_US, 0)
        self._page.set_word(layout.HANDSHAKE_US, 0)

    def ask_heap(self) -> None:
        """Ask for heap figures; `counters` has them once the firmware has looked up."""
        self._page.raise_generation(layout.HEAP_ASKED)

    def ping(self) -> None:
        """Nothing; shows that the supervisor lives."""

    def stop(self) -> None:
        """End the board and its supervisor."""
        self._board.stopping = True


def _of_door(name: str, door: int) -> str:
    """The contact's name as firmware/point.py has it."""
    return name if door == 1 else f"{name}{door}"


def _now_us() -> int:
    """The board counts its ticks from the same clock."""
    return time.monotonic_ns() // 1000 & int(layout.TICKS_MASK)


def _input(name: str, *, active: bool) -> Callable[[Stimuli], int]:
    return lambda stimuli: stimuli.set_input(name, active=active)


VERBS: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in (vars(Station) | vars(Stimuli)).items()
    if not name.startswith("_") and name != "apply"
} | {
    "open_tamper": _input("tamper", active=True),
    "close_tamper": _input("tamper", active=False),
    "trip_leakage": _input("leakage", active=True),
    "restore_leakage": _input("leakage", active=False),
    "press_estop": _input("estop", active=True),
    "release_estop": _input("estop", active=False),
    "lose_mains": _input("mains", active=True),
    "restore_mains": _input("mains", active=False),
    "sag_supply": lambda stimuli: stimuli.set_supply(_SAG_MV),
    "steady_supply": lambda stimuli: stimuli.set_supply(_STEADY_MV),
}
