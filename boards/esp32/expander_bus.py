"""I2C with output expanders on it, and the way out of a bus that is stuck (device).

It goes to the controller in board.mpy, for board.safe_state() needs it before there is a pack.

A chip that was cut off in the middle of a byte holds SDA down until somebody clocks that byte out:
nine clocks on SCL and a STOP, as the I2C specification has it (UM10204, 3.1.16). What the chips
were told is then told them again, all of it: one that had no power meanwhile has forgotten. A bus
that is still stuck is left alone for 50 ms, and whoever wants it gets OSError at once: opening
sixteen relays must not mean sixteen times to wait.
"""

import time

from machine import I2C, Pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FREQ_HZ = 400000
_TIMEOUT_US = 2000
_HALF_CLOCK_US = 5
_CLOCKS = 9
_LEAVE_MS = 50
_ETIMEDOUT = 116


class Bus:
    """`chips` have restore(i2c), which tells them everything; their order is that of the relays."""

    def __init__(self, scl: int, sda: int) -> None:
        self._scl = scl
        self._sda = sda
        self.chips: "list[Any]" = []
        self._failed = False
        self._failed_ms = 0
        self.recoveries = 0
        self.i2c = self._open()

    def _open(self) -> I2C:
        self._line = Pin(self._sda)
        return I2C(0, scl=Pin(self._scl), sda=Pin(self._sda), freq=_FREQ_HZ, timeout=_TIMEOUT_US)

    def safe(self) -> bool:
        """No relay is to be powered, whatever the chips still hold; whether all were told."""
        for chip in self.chips:
            chip.off()
        self._failed = False  # this is worth a time-out
        return self.restore()

    def restore(self) -> bool:
        """Tell every chip all that it was told; whether all heard it."""
        if self._failed and 0 <= time.ticks_diff(time.ticks_ms(), self._failed_ms) < _LEAVE_MS:
            return False
        self._failed = False
        if not self._tell_all():
            self._recover()
            if not self._tell_all():
                self._failed = True
                self._failed_ms = time.ticks_ms()
        return not self._failed

    def _tell_all(self) -> bool:
        heard = True
        for chip in self.chips:
            heard = self._does(chip.restore) and heard
        return heard

    def act(self, action: "Callable[[I2C], None]") -> None:
        """A chip writes what stands in its state, or reads; OSError when it cannot be reached.

        A chip that is gone keeps nobody from its neighbour's relays.
        """
        if self._failed:
            self.restore()
        if self._does(action):
            return
        if not self._failed:
            self.restore()
            if self._does(action):
                return
        raise OSError(_ETIMEDOUT)

    def _does(self, action: "Callable[[I2C], None]") -> bool:
        if not self._line.value():  # asking would only wait for the time-out
            return False
        try:
            action(self.i2c)
        except OSError:
            return False
        return True

    def _recover(self) -> None:
        """Nine clocks, then a STOP: SDA rises while SCL is high."""
        self.recoveries += 1
        sda, scl = Pin(self._sda, Pin.OPEN_DRAIN, value=1), Pin(self._scl, Pin.OPEN_DRAIN, value=1)
        for _ in range(_CLOCKS):
            _step(scl, 0)
            _step(scl, 1)
        _step(scl, 0)
        _step(sda, 0)
        _step(scl, 1)
        _step(sda, 1)
        self.i2c = self._open()


def _step(pin: Pin, level: int) -> None:
    pin.value(level)
    time.sleep_us(_HALF_CLOCK_US)
