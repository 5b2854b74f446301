"""The jig's loop: requests from UART0, and what is due by the clock (device).

A stock image's UART0 is sys.stdin and sys.stdout. `wait` is answered when what it waits for has
come, so that nothing is sent, and no stamp is late, meanwhile.
"""

import binascii
import hashlib
import os
import select
import sys
import time

import jig_line
import jig_play
from jig_watch import Watch
from machine import Pin

_FILES = ("jig_line.py", "jig_play.py", "jig_verbs.py", "jig_watch.py", "main.py")
_IDLE_US = 100

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def digest() -> str:
    """SHA-256 over the program's files, in the order of their names."""
    total = hashlib.sha256()
    for name in _FILES:
        with open(name, "rb") as file:
            total.update(file.read())
    return binascii.hexlify(total.digest()).decode()


class Jig:
    """One request at a time; what is due goes on meanwhile."""

    def __init__(self) -> None:
        self._watch = Watch()
        self._releases: list[tuple[int, int]] = []  # when, which pin
        self._pulses: dict[int, jig_play.Pulses] = {}
        self._waits: list[Any] = []  # request number, since, pin, level, deadline
        self._last = -1
        self._answer = b""

    def take(self, line: bytes) -> bytes:
        """The answer to a line; b"" when there is none, or none yet."""
        request = jig_line.opened(line)
        if request is None:
            return b""
        number, verb, arguments = request
        if number == self._last:
            return self._answer
        self._last, self._answer, self._waits = number, b"", []
        try:
            value = getattr(self, "do_" + verb)(**arguments)
        except Exception as error:  # whatever it is, the host is told
            return self._say(number, False, type(error).__name__ + ": " + str(error))
        return b"" if self._waits else self._say(number, True, value)

    def _say(self, number: int, done: bool, value: "Any") -> bytes:
        self._answer = jig_line.seal([number, done, value])
        return self._answer

    def turn(self) -> bytes:
        """What is due by now; the answer to a wait that is over."""
        now_us = time.ticks_us()
        for release in list(self._releases):
            if time.ticks_diff(now_us, release[0]) >= 0:
                self._releases.remove(release)
                jig_play.drive(release[1], 0)
        for pulses in self._pulses.values():
            pulses.turn()
        if not self._waits:
            return b""
        number, since, pin, level, deadline_ms = self._waits
        found = self._watch.first(since, pin, level)
        if found is None and time.ticks_diff(deadline_ms, time.ticks_ms()) > 0:
            return b""
        self._waits = []
        return self._say(number, True, found)

    def do_hello(self) -> "dict[str, Any]":
        """What this is."""
        return {"protocol": jig_line.VERSION, "digest": digest(), "image": os.uname().release}

    def do_drive(self, pin: int, level: int) -> int:
        """An output; returns when."""
        self._releases = [release for release in self._releases if release[1] != pin]
        return jig_play.drive(pin, level)

    def do_press(self, pin: int, ms: int) -> int:
        """An output acts for so long; returns when it began."""
        began_us = self.do_drive(pin, 1)
        self._releases.append((time.ticks_add(began_us, 1000 * ms), pin))
        return began_us

    def do_wiegand(self, **arguments: "Any") -> "list[int]":
        """A card at a Wiegand reader; see jig_play."""
        return jig_play.wiegand(**arguments)

    def do_serial(self, **arguments: "Any") -> int:
        """A card at a serial reader; see jig_play."""
        return jig_play.serial(**arguments)

    def do_pulses(self, pin: int, milli_hz: int) -> int:
        """A meter's pulses from now on; returns how many came out so far."""
        before = self._pulses.pop(pin, None)
        self._pulses[pin] = jig_play.Pulses(pin, milli_hz)
        return before.count if before else 0

    def do_watch(self, pins: "list[int]") -> int:
        """Watch these lines; returns when that began."""
        self._watch.pins(pins)
        return time.ticks_us()

    def do_level(self, pin: int) -> int:
        """Of a watched line, now."""
        return Pin(pin).value()

    def do_count(self) -> int:
        """The number of the change that comes next."""
        return self._watch.count

    def do_wait(self, since: int, pin: int, level: int, ms: int) -> None:
        """Answered with the time of the first such change from `since` on, or null."""
        self._waits = [self._last, since, pin, level, time.ticks_add(time.ticks_ms(), ms)]

    def do_falls(self) -> "dict[str, int]":
        """Falling edges of each watched line, as the hardware counted them."""
        return self._watch.falls()


def run() -> None:
    """Until a Ctrl-C."""
    jig = Jig()
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    one = bytearray(1)
    line = bytearray()
    while True:
        for _ in poll.ipoll(0):
            incoming.readinto(one)
            line += one
            if one == b"\n" or len(line) > jig_line.REQUEST_MAX_BYTES:
                outgoing.write(jig.take(bytes(line)))
                line = bytearray()
        outgoing.write(jig.turn())
        time.sleep_us(_IDLE_US)
