"""The board in the middle, and on its left what it listens to (host)."""

from __future__ import annotations

from typing import Any

from controller_tool.board_rules.wiring import expander_pins
from controller_tool.drawing.sheet import WIDTH, Sheet
from controller_tool.messages import t

LEFT, LEFT_END = 20, 320  # what stands outside on the left
BOARD, BOARD_END = 440, 1020
RIGHT, RIGHT_END = 1080, WIDTH - 20
TOP = 96
ROW = 24
GAP = 16


def input_name(name: str, several: bool = False) -> str:
    """A contact's name for people; number 2 is that of the second door or port.

    several: there are more of them, so that the first one is number 1.
    """
    word = name.rstrip("0123456789")
    number = name[len(word) :] or ("1" if several else "")
    words = {
        "door": t("door contact"),
        "rex": t("exit button (REX)"),
        "fire": t("fire panel, 2nd contact"),
        "smoke": t("smoke detector, 2nd contact"),
        "tamper": t("tamper contact of the enclosure"),
        "estop": t("emergency stop, 2nd contact"),
        "leakage": t("residual-current device, signal"),
        "reset": t("key switch: let latches go"),
        "plug": t("plug contact"),
        "button": t("button"),
        "mains": t("mains watch (opto-coupler)"),
    }
    return f"{words.get(word, word)} {number}".rstrip()


class Drawing:
    """A sheet with a board on it; `left` and `right` are how far down its sides are taken."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        self.name = name
        self.description = description
        self.wiring: dict[str, Any] = description["wiring"]
        self.sheet = Sheet()
        self.left = self.right = float(TOP)
        self._terminals: dict[str, str] = description.get("terminals", {})

    def place(self, pin: int) -> str:
        """Where a pin is, as the chip counts it and as it is printed."""
        label = self._terminals.get(str(pin))
        return self._number(pin) + (f" · {label}" if label else "")

    def _number(self, pin: int) -> str:
        for row in self.wiring.get("expanders", []):
            if pin in expander_pins({"expanders": [row]}):
                where = f" {row['address']:#x}" if "address" in row else ""
                return f"{row['kind'].upper()}{where} P{pin - row['first']}"
        return f"GPIO {pin}"

    def relay_terminals(self, name: str) -> str:
        """What is printed at a relay's screws."""
        return self._terminals.get(f"relay_{name}", "COM, NO")

    def frame(self) -> None:
        """The board around all that was drawn, and the title above."""
        bottom = max(self.left, self.right) + GAP
        self.sheet.box(BOARD, TOP - 34, BOARD_END, bottom, stroke=3)
        middle = (BOARD + BOARD_END) / 2
        self.sheet.text(middle, TOP - 12, self.name, size=18, anchor="middle", bold=True)
        self.sheet.text(LEFT, 34, self.description["description"], size=18)
        self.left = self.right = bottom

    def left_side(self) -> None:
        """Readers, contacts, lines, sensors and meters, one below the other."""
        seen: set[int] = set()
        for number, row in enumerate(self.wiring.get("readers", []), 1):
            self._reader(number, row, seen)
        for name, row in self.wiring.get("inputs", {}).items():
            self._contact(name, row)
        for name, row in self.wiring.get("lines", {}).items():
            wires = [(t("supervised, with end resistor"), self.place(row["pin"])), ("GND", "GND")]
            self.block(input_name(name), wires)
        self._sensors(self.wiring.get("thermistors", {}))
        for row in self.wiring.get("meters", []):
            self._meter(row)
        if "supply" in self.wiring:
            place = self.place(self.wiring["supply"]["pin"])
            self.block(t("supply of the board"), [(t("through its divider"), place)])
        light = self.wiring.get("indicator")
        if light is not None:
            self.block(t("status light"), [(t("LED"), self.place(light))])

    def block(self, title: str, wires: list[tuple[str, str]], contact: bool | None = None) -> None:
        """A thing outside: what is at its wires, and the board's terminals that they go to."""
        sheet, top = self.sheet, self.left
        sheet.text(LEFT + 10, top + 18, title, bold=True)
        y = top + 18
        for label, place in wires:
            y += ROW
            if label:
                sheet.text(LEFT_END - 10, y + 4, label, anchor="end")
            sheet.line((LEFT_END, y), (BOARD, y))
            sheet.terminal(BOARD, y)
            sheet.text(BOARD + 12, y + 4, place)
        if contact is not None:
            self._loop(y - ROW, y, closed=contact)
        sheet.box(LEFT, top, LEFT_END, y + 12)
        self.left = y + 12 + GAP

    def _loop(self, there: float, back: float, *, closed: bool) -> None:
        """A contact between two wires."""
        x = LEFT + 90
        self.sheet.contact(x, there, closed=closed)
        self.sheet.line((x + 30, there), (LEFT_END, there))
        self.sheet.line((x, there), (x - 40, there), (x - 40, back), (LEFT_END, back))

    def _reader(self, number: int, row: dict[str, Any], seen: set[int]) -> None:
        kind = row["kind"]
        title = t("reader {number}: {kind}", number=number, kind=kind.upper())
        if kind == "osdp":
            if row["uart"] in seen:
                return
            seen.add(row["uart"])
            self._osdp(row)
            return
        names = {
            "d0": "D0", "d1": "D1", "rx": "TX", "tx": "RX", "sck": "SCK", "mosi": "MOSI",
            "miso": "MISO", "cs": "CS", "lamp": t("LED"), "buzzer": t("buzzer"),
        }  # fmt: skip
        silent = {"tx"} if kind == "rdm6300" else set()
        wires = [
            (label, self.place(row[key]))
            for key, label in names.items()
            if key in row and key not in silent
        ]
        self.block(title, [*wires, ("GND", "GND")])

    def _osdp(self, row: dict[str, Any]) -> None:
        """Readers on one line; a board without screws for it needs a transceiver."""
        count = sum(other["kind"] == "osdp" for other in self.wiring["readers"])
        screws = self._terminals.get(str(row["rx"]))
        if screws is not None:
            wires = [("A, B", f"{self._number(row['tx'])}, {self._number(row['rx'])} · {screws}")]
        else:
            wires = [("RO", self.place(row["rx"])), ("DI", self.place(row["tx"]))]
        if row["direction"] != "automatic":
            wires.append(("DE, /RE", self.place(row["direction"])))
        title = t("{count} OSDP readers on RS-485", count=count)
        self.block(title, [*wires, ("GND", "GND")])

    def _contact(self, name: str, row: dict[str, Any]) -> None:
        if name == "mains":
            wires = [("C", self.place(row["pin"])), ("E", "GND")]
            self.block(input_name(name), wires)
            return
        # closed at rest where broken means that it is so
        closed = row["active"] == 1
        title = input_name(name, f"{name}2" in self.wiring["inputs"])
        self.block(title, [("", self.place(row["pin"])), ("", "GND")], contact=closed)

    def _sensors(self, sensors: dict[str, Any]) -> None:
        wires = [
            (t("port {number}", number=number), self.place(pin))
            for number, pin in enumerate(sensors.get("ports", []), 1)
        ]
        multiplexer = sensors.get("multiplexer")
        if multiplexer:
            wires.append(
                (t("{count} ports, multiplexer", count=multiplexer["ports"]),
                 self.place(multiplexer["pin"]))
            )  # fmt: skip
            wires += [
                (t("selection S{bit}", bit=bit), self.place(pin))
                for bit, pin in enumerate(multiplexer["select"])
            ]
        if "board" in sensors:
            wires.append((t("of the board"), self.place(sensors["board"])))
        if wires:
            self.block(t("thermistors, NTC 10 kΩ to GND"), [*wires, ("GND", "GND")])

    def _meter(self, row: dict[str, Any]) -> None:
        wires = (
            [("TX", self.place(row["rx"])), ("RX", self.place(row["tx"]))] if "rx" in row else []
        )
        for number, pin in enumerate(row.get("cf", []), 1):
            wires.append((t("CF of port {number}", number=number), self.place(pin)))
        for number, pin in enumerate(row.get("pins", []), 1):
            wires.append((t("port {number}", number=number), self.place(pin)))
        for bit, pin in enumerate(row.get("select", [])):
            wires.append((t("selection S{bit}", bit=bit), self.place(pin)))
        title = t("meters {kind}, isolated", kind=row["kind"].upper())
        self.block(title, [*wires, ("GND", "GND")])
