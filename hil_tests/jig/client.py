"""Talks to a jig by its serial port, and puts its program there (host)."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serial

from controller_tool.errors import LinkError
from controller_tool.repl import BoardRepl
from hil_tests.jig.device import jig_line

if TYPE_CHECKING:
    from typing import Self

PROGRAM = Path(__file__).with_name("device")
_BAUD = 115200
_ANSWER_S = 1.0
_TRIES = 3
_STEP_S = 0.05
_START_S = 5.0
_US = 1 << 30  # at which a jig's ticks begin anew


def files() -> dict[str, bytes]:
    """The program, by name in their order."""
    return {path.name: path.read_bytes() for path in sorted(PROGRAM.glob("*.py"))}


def digest() -> str:
    """SHA-256 (hex) over the program, as the jig tells its own."""
    return hashlib.sha256(b"".join(files().values())).hexdigest()


def install(port: str, other: dict[str, bytes] | None = None) -> None:
    """Puts the program on a board with a stock MicroPython, and starts it; other: for tests."""
    with BoardRepl(port) as board:
        for name, data in (files() | (other or {})).items():
            board.put(f"/{name}", data)
        board.reset()


def passed_us(start: int, end: int) -> int:
    """From one of a jig's time stamps to a later one."""
    return (end - start) % _US


class Jig:
    """An open jig. Its calls raise LinkError when it is silent, or says that it cannot."""

    def __init__(self, port: str) -> None:
        self._port_name = port
        self._number = int(time.time()) & 0xFFFF  # another than the last run's
        self._port: serial.SerialBase
        self.open()

    def open(self) -> None:
        """Takes the port, again after `close`."""
        port = self._port_name
        try:
            self._port = serial.serial_for_url(port, do_not_open=True)
            self._port.baudrate, self._port.timeout = _BAUD, _STEP_S
            self._port.dtr = self._port.rts = False  # or it would be reset by them
            self._port.open()
        except (OSError, serial.SerialException) as error:
            raise LinkError(
                f"The jig's port {port} does not open ({error})", "Check its cable and --jig"
            ) from error
        self._port.reset_input_buffer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back."""
        self._port.close()

    def hello(self, within_s: float = _START_S) -> dict[str, Any]:
        """What the jig is; LinkError when it is silent, or has another program than ours."""
        end_s = time.monotonic() + within_s
        while True:
            try:
                told: dict[str, Any] = self.call("hello")
                break
            except LinkError:
                if time.monotonic() > end_s:
                    raise
        if told["protocol"] != jig_line.VERSION or told["digest"] != digest():
            raise LinkError(
                f"The jig at {self._port_name} has another program than this checkout",
                f"Install it: python -m hil_tests.jig install --port {self._port_name}",
            )
        return told

    def line(self, verb: str, **arguments: Any) -> bytes:
        """The next request, under a number of its own."""
        self._number = (self._number + 1) & 0xFFFF
        line = jig_line.seal([self._number, verb, arguments])
        assert len(line) <= jig_line.REQUEST_MAX_BYTES, line
        return line

    def call(self, verb: str, answer_s: float = _ANSWER_S, **arguments: Any) -> Any:
        """What a verb of jig_verbs.py returns."""
        line = self.line(verb, **arguments)
        for _ in range(_TRIES):
            answer = self.send(line, answer_s)
            if answer is not None:
                _, done, value = answer
                if not done:
                    raise LinkError(f"The jig cannot {verb} ({value})", "See its pins")
                return value
        raise LinkError(
            f"The jig at {self._port_name} is silent",
            "Check its cable and supply; install its program: python -m hil_tests.jig install",
        )

    def send(self, line: bytes, answer_s: float = _ANSWER_S) -> list[Any] | None:
        """A line as it is; the answer to the last number, None when none came."""
        with contextlib.suppress(OSError, serial.SerialException):
            self._port.write(line)
            return self._answer(answer_s)
        return None

    def _answer(self, answer_s: float) -> list[Any] | None:
        end_s = time.monotonic() + answer_s
        line = b""
        while time.monotonic() < end_s:
            line += self._port.readline()
            if line.endswith(b"\n"):
                found = jig_line.opened(line)
                if found is not None and found[0] == self._number:
                    return found
                line = b""
        return None

    def wait(self, since: int, pin: int, level: int, ms: int) -> int | None:
        """When a watched line first changed to a level, or None: it did not in time."""
        found: int | None = self.call(
            "wait", answer_s=ms / 1000 + _ANSWER_S, since=since, pin=pin, level=level, ms=ms
        )
        return found
