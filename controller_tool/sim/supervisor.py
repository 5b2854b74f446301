"""The process beside a virtual board: cable, power, watchdog, stimuli (host).

    python -m controller_tool.sim.supervisor FOLDER

One for each board. It ends when it is told to, when the board's folder is gone, or with the
process that the board belongs to; the board's own process ends with it in every case.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from controller_tool.sim import bridge
from controller_tool.sim.cable import Cable
from controller_tool.sim.chip import RESET_POWER, Chip
from controller_tool.sim.download import Download
from controller_tool.sim.folder import Folder, describe
from controller_tool.sim.loads import LOOK_S, Loads
from controller_tool.sim.page import PageView, layout
from controller_tool.sim.readers import BadStimulus, chips_of, receive
from controller_tool.sim.shims import prepare
from controller_tool.sim.station import sensor_pins, thermistor_mv
from controller_tool.sim.stimuli import Stimuli
from controller_tool.sim.wires import Wires

_LOOK_S = 0.02  # watchdog, exits, and a host's end that is being opened
_FOLDER_LOOK_S = 0.5
_LOCK_S = 2.0
_ROOM_C = 22
_REQUEST_MAX_BYTES = 65536
_SENT_MAX_BYTES = 4096  # on a UART, kept until somebody asks


class Supervisor:
    """Everything around one board, in one loop."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.options = folder.options()
        self.description = describe(self.options.board)
        self.page = PageView(folder.page_path)
        self._rest_inputs()
        self.download = Download(folder, self.options, self.description)
        self.chip = Chip(
            folder, self.options, self.page, prepare(folder), self.download.make_loader
        )
        self.cable = Cable(self.options, self.page, self.chip.interrupt)
        self.stopping = False
        self.readers = chips_of(self.description["wiring"]["readers"], self.page)
        self.loads = Loads(self.description["wiring"], self.page)
        self.wires = Wires(self.options.wires, self.page, lambda peer: Folder(Path(peer)))
        self.sent = {number: bytearray() for number in self.chip.uart_out}
        self._stimuli = Stimuli(self)
        self._selector = selectors.SelectSelector()  # epoll rounds waits up to whole milliseconds
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._folder_looked_s = 0.0
        self._watched = -1  # the host's end of the cable, while it is open

    def run(self) -> None:
        """Until the board is to end."""
        with self._listen() as listener:
            self._selector.register(listener, selectors.EVENT_READ, self._accept)
            self._selector.register(self.chip.stdout.read, selectors.EVENT_READ, self._said)
            for number, pipe in self.chip.uart_out.items():
                heard = partial(self._heard, number)
                self._selector.register(pipe.read, selectors.EVENT_READ, heard)
            guests = bridge.Guests(self._selector, self.cable, self)
            guests.invite(self.options.address)
            self.say(self.chip.power_on())
            self.tell()
            while not self.stopping:
                self._turn()
        self.chip.close()
        self.cable.close()
        self.wires.close()

    def tell(self) -> None:
        """Say how this board is reached."""
        self.folder.tell({"pid": os.getpid(), "serial_port": self.cable.path})

    def later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Do something when the time has come."""
        heapq.heappush(self._later, (time.monotonic() + delay_s, next(self._order), action))

    def say(self, data: bytes) -> None:
        """The chip's ROM says something on the cable."""
        if data:
            self.cable.lose()
            self.cable.from_board(data)

    def rot(self, offset: int, bit: int) -> None:
        """Turn one bit of the flash over."""
        with self.folder.flash_path.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes((byte ^ 1 << bit,)))

    def counters(self) -> dict[str, Any]:
        """What was counted, by subject."""
        page, cable, chip = self.page, self.cable, self.chip
        flash = struct.unpack_from("<8I", page.bytes, layout.FLASH_COUNTERS)
        counted = dict(zip(layout.FLASH_COUNTER_NAMES, flash, strict=True))
        counted["model_us"] += counted.pop("model_s") * 1000000
        return {
            "powered": chip.powered,
            "pid": chip.pid,
            "at_prompt": bool(page.bytes[layout.AT_PROMPT]),
            "serves": bool(page.bytes[layout.SERVES]),
            "resets": dict(chip.resets),
            "flash": counted,
            "cable": {
                "received": cable.received, "sent": cable.sent, "dropped": cable.ring_dropped,
                "highest": cable.ring_highest, "corrupted": cable.noise.corrupted,
                "lost": cable.noise.dropped,
            },
            "loader": self.download.figures(chip.loader),
            "memory_faults": page.word(layout.MEMORY_FAULTS),
            "gap_us": page.word(layout.GAP_US),
            "handshake_us": page.word(layout.HANDSHAKE_US),
            "heap": self._heap(),
            "outputs": self._outputs(),
            "relay_log": self._relay_log(),
        }  # fmt: skip

    def _heap(self) -> dict[str, int] | None:
        page = self.page
        if page.bytes[layout.HEAP_TOLD] != page.bytes[layout.HEAP_ASKED]:
            return None
        free, used = page.word(layout.HEAP_FREE_BYTES), page.word(layout.HEAP_USED_BYTES)
        return {
            "free": free, "used": used, "largest": page.word(layout.HEAP_LARGEST_BYTES),
            "shims": self.chip.shims.heap_bytes,
        }  # fmt: skip

    def _relays(self) -> dict[int, str]:
        """By pin; an expander's outputs have the numbers from 40 on."""
        wiring = self.description["wiring"]
        named = {pin: name for name, pin in wiring["relays"].items()}
        return named | ({wiring["contactor"]: "contactor"} if "contactor" in wiring else {})

    def _outputs(self) -> dict[str, bool]:
        """Which relays are powered; one that nobody drives is not."""
        return {
            name: self.page.bytes[layout.OUTPUTS + pin] == 1 for pin, name in self._relays().items()
        }

    def _relay_log(self) -> list[dict[str, Any]]:
        """The latest relay changes since power on, oldest first."""
        names = self._relays()
        count = self.page.word(layout.RELAY_LOG_COUNT)
        found = []
        for number in range(max(0, count - layout.RELAY_LOG_ENTRIES), count):
            place = number % layout.RELAY_LOG_ENTRIES * layout.RELAY_LOG_ENTRY_BYTES
            at_us, since_us, pin, level = struct.unpack_from(
                "<IIBB", self.page.bytes, layout.RELAY_LOG + place
            )
            never = since_us == layout.SINCE_READ_NEVER
            found.append(
                {
                    "number": number, "relay": names.get(pin, str(pin)), "on": bool(level),
                    "at_us": at_us, "since_read_us": None if never else since_us,
                }
            )  # fmt: skip
        return found

    def _rest_inputs(self) -> None:
        """Contacts as they are when nothing happens, and the pins that are relays."""
        wiring = self.description["wiring"]
        for wired in wiring["inputs"].values():
            level = self.page.bytes[layout.LEVELS + wired["pin"]]
            if level == layout.LEVEL_FLOATING:
                self.page.bytes[layout.LEVELS + wired["pin"]] = 1 - wired["active"]
        for line in wiring.get("lines", {}).values():
            at = layout.ANALOG_MV + 2 * line["pin"]
            if self.page.bytes[at : at + 2] == b"\0\0":
                struct.pack_into("<H", self.page.bytes, at, line["rest_mv"])
        for pin in sensor_pins(wiring).values():
            at = layout.ANALOG_MV + 2 * pin
            if self.page.bytes[at : at + 2] == b"\0\0":
                struct.pack_into("<H", self.page.bytes, at, thermistor_mv(_ROOM_C))
        for pin in wiring.get("bus", {}).values():  # its pull-ups
            self.page.bytes[layout.LEVELS + pin] = 1
        for pin in self._relays():
            self.page.bytes[layout.ROLES + pin] = layout.ROLE_RELAY

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._wait_s()):
            key.data(key.fileobj)
        now_s = time.monotonic()
        while self._later and self._later[0][0] <= now_s:
            heapq.heappop(self._later)[2]()
        if self.loads.ports:
            self.loads.advance()
        self._watch_cable()
        if self.chip.loader is not None:
            if self.download.turn(self.chip.loader, self.cable):
                self.boot_held = False
                self.press_reset()
        elif self.chip.powered and not self.chip.held:
            self.cable.to_board(self.chip.stdin.write, self.chip.stdin.read)
        else:
            self.cable.lose()
        self.say(self.chip.watch())
        self.wires.settle()
        self.cable.to_host()
        if now_s - self._folder_looked_s > _FOLDER_LOOK_S:
            self._folder_looked_s = now_s
            if not self.folder.exists() or not self._wanted():
                self.stopping = True

    def _wait_s(self) -> float:
        waits = [LOOK_S if self.loads.ports else _LOOK_S]
        wait = self.cable.wait_s()
        if wait is not None:
            waits.append(wait)
        if self.chip.loader is not None and self.download.wait_s():
            waits.append(self.download.wait_s())
        if self._later:
            waits.append(self._later[0][0] - time.monotonic())
        return max(0.0, min(waits))

    def _watch_cable(self) -> None:
        """A hung-up pseudo-terminal is always "ready": look at it only while it is open."""
        if self._watched != self.cable.master and self._watched >= 0:  # it was pulled out
            self._selector.unregister(self._watched)
            self._watched = -1
        is_open = self.cable.is_open()
        if is_open and self._watched < 0:
            self._watched = self.cable.master
            self._selector.register(
                self._watched, selectors.EVENT_READ, lambda _: self.cable.from_host()
            )
        elif not is_open and self._watched >= 0:
            self._selector.unregister(self._watched)
            self._watched = -1
            self.cable.from_host()  # the last bytes before the port was closed

    def hold(self) -> None:
        """EN goes down."""
        self.chip.hold()
        self.cable.lose()

    def release(self) -> None:
        """EN goes up, when it was down."""
        if self.chip.held:
            self.chip.held = False
            self.press_reset()

    def press_reset(self) -> None:
        """The reset button, and whatever else pulls EN down for a moment."""
        self.cable.board_baud(0)
        self.say(self.chip.reset(RESET_POWER))

    @property
    def boot_held(self) -> bool:
        """Whether GPIO0 is low."""
        return self.chip.boot_held

    @boot_held.setter
    def boot_held(self, on: bool) -> None:
        self.chip.boot_held = on

    def _wanted(self) -> bool:
        if not self.options.until_pid:
            return True
        with contextlib.suppress(PermissionError):
            try:
                os.kill(self.options.until_pid, 0)
            except ProcessLookupError:
                return False
        return True

    def _said(self, pipe: int) -> None:
        self.cable.from_board(os.read(pipe, _REQUEST_MAX_BYTES))

    def _heard(self, uart: int, pipe: int) -> None:
        """What the board sends on a UART: to the chip that is wired to it, if any is."""
        data = os.read(pipe, _REQUEST_MAX_BYTES)
        self.sent[uart] += data
        del self.sent[uart][:-_SENT_MAX_BYTES]
        if self.wires.heard(uart, data, self.later):
            return
        for reader in self.readers.values():
            if reader.uart == uart:
                reader.chip.receive(data)
                receive(self.page, self.chip.uart_in[uart], uart, reader.chip.send())
        answer, after_s = self.loads.heard(uart, data)
        if answer:
            self.later(after_s, partial(self._send, uart, answer))

    def _send(self, uart: int, data: bytes) -> None:
        receive(self.page, self.chip.uart_in[uart], uart, data)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        (self.folder.path / "stimuli").unlink(missing_ok=True)
        with self.folder.socket_address() as address:
            listener.bind(address)
        listener.listen()
        return listener

    def _accept(self, listener: Any) -> None:
        client, _ = listener.accept()
        client.setblocking(False)
        held = bytearray()
        self._selector.register(client, selectors.EVENT_READ, lambda _: self._ask(client, held))

    def _ask(self, client: socket.socket, held: bytearray) -> None:
        try:
            data = client.recv(_REQUEST_MAX_BYTES)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(client)
            client.close()
            return
        held += data
        while b"\n" in held:
            line, _, rest = bytes(held).partition(b"\n")
            held[:] = rest
            with contextlib.suppress(OSError):  # who asked has gone
                client.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            verb = request.pop("verb")
            return {"ok": True, "value": self._stimuli.apply(verb, request)}
        except (ValueError, KeyError, AttributeError, BadStimulus) as error:
            return {"ok": False, "error": str(error)}


def _locked(folder: Folder) -> int | None:
    """The board's lock; somebody who only looks holds it for a moment."""
    end_s = time.monotonic() + _LOCK_S
    while True:
        handle = folder.lock()
        if handle is not None or time.monotonic() > end_s:
            return handle
        time.sleep(_LOOK_S)


def main() -> int:
    """Supervise the board of the folder that is named."""
    folder = Folder(Path(sys.argv[1]))
    if _locked(folder) is None:
        return 1
    supervisor = Supervisor(folder)

    def end(*_: object) -> None:
        supervisor.stopping = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.run()
    folder.clear_status()
    return 0


if __name__ == "__main__":
    sys.exit(main())
