"""The board's USB bridge with its modem lines, by RFC 2217, as esptool speaks it (host).

A pseudo-terminal has no modem lines that its other end could see. This port tells them, at
rfc2217://ADDRESS:2217, and they are wired to the chip as on the boards that are sold: two
transistors, RTS alone pulls EN down, DTR alone GPIO0. Both at once, as it is for a moment on the
way from one to the other, leave EN as it was: its capacitor holds it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import serial
from serial.rfc2217 import PortManager

if TYPE_CHECKING:
    from typing import Protocol

    from controller_tool.sim.cable import Cable

    class Pins(Protocol):
        """The chip's two pins that the bridge pulls."""

        boot_held: bool

        def hold(self) -> None:
            """EN goes down."""

        def release(self) -> None:
            """EN goes up, when it was down."""


PORT = 2217
_READ_BYTES = 65536


class AutoReset:
    """The two transistors: RTS alone pulls EN down, DTR alone GPIO0."""

    def __init__(self, pins: Pins) -> None:
        self.dtr = self.rts = False
        self._pins = pins

    def set(self, dtr: bool | None = None, rts: bool | None = None) -> None:
        """What the host does to its lines; None: it stays as it is."""
        self.dtr = self.dtr if dtr is None else bool(dtr)
        self.rts = self.rts if rts is None else bool(rts)
        self._pins.boot_held = self.dtr and not self.rts
        if self.rts and not self.dtr:
            self._pins.hold()
        elif not self.rts:
            self._pins.release()


class Bridge:
    """One guest at a time; `receive` gets what it sends, `leave` is told when it goes."""

    bytesize = 8
    parity = serial.PARITY_NONE
    stopbits = 1
    xonxoff = rtscts = break_condition = False
    cts = dsr = ri = cd = False

    def __init__(
        self,
        client: socket.socket,
        pins: Pins,
        receive: Callable[[bytes], None],
        leave: Callable[[], None],
    ) -> None:
        self.client = client
        self.baudrate = 115200
        self._lines = AutoReset(pins)
        self._receive = receive
        self.leave = leave
        self._rest = bytearray()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        me: Any = self  # it looks like a port, as far as it is asked
        self._manager = PortManager(me, me)

    dtr = property(lambda self: self._lines.dtr, lambda self, on: self._lines.set(dtr=on))
    rts = property(lambda self: self._lines.rts, lambda self, on: self._lines.set(rts=on))

    def from_host(self, _: Any = None) -> None:
        """Take what the guest has sent."""
        try:
            data = self.client.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.leave()
            return
        through = b"".join(self._manager.filter(data))
        if through:
            self._receive(through)

    def send(self, data: bytes) -> None:
        """The board has said something."""
        self.write(data.replace(b"\xff", b"\xff\xff"))

    def write(self, data: bytes) -> None:
        """Bytes of the protocol; those that do not fit go with the next."""
        self._rest += data
        with contextlib.suppress(OSError):  # full, or gone: reading tells
            del self._rest[: self.client.send(self._rest)]

    @property
    def waits(self) -> bool:
        """Whether something did not fit."""
        return bool(self._rest)

    def reset_input_buffer(self) -> None:
        """Nothing is held back here."""

    def reset_output_buffer(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """The lines of a port that nobody has open are at rest."""
        self.client.close()
        self._lines.set(dtr=False, rts=False)


class Guests:
    """Who comes by RFC 2217 has the cable until he goes; there is one cable."""

    def __init__(self, selector: selectors.BaseSelector, cable: Cable, pins: Pins) -> None:
        self._selector = selector
        self._cable = cable
        self._pins = pins

    def invite(self, address: str) -> None:
        """Listen; nothing where the address is taken or there is no such network."""
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, PORT))
            listener.listen()
        except OSError:
            listener.close()
            return
        self._selector.register(listener, selectors.EVENT_READ, self._welcome)

    def _welcome(self, listener: Any) -> None:
        client, _ = listener.accept()
        if self._cable.bridge is not None or self._cable.master < 0:
            client.close()
            return
        guest = Bridge(client, self._pins, self._cable.received_from, self._part)
        self._cable.bridge = guest
        self._selector.register(client, selectors.EVENT_READ, guest.from_host)

    def _part(self) -> None:
        guest, self._cable.bridge = self._cable.bridge, None
        if guest is not None:
            self._selector.unregister(guest.client)
            guest.close()
