"""The `machine` module of a virtual board: pins, ADC, RTC, watchdog, resets."""

import struct
import sys
import time

import page as layout

_EPOCH_2000_S = 946684800
_PWRON_RESET = 1
_HARD_RESET = 2
_WDT_RESET = 3
_DEEPSLEEP_RESET = 4
_SOFT_RESET = 5
_PINS = 40


class Reader:
    """When the firmware last took the end of what a reader had sent, for the decision time."""

    last_us = None


hooks = {}  # pin: called with the level that the board drives there


def set_output(page, pin: int, level: int) -> None:
    """What the board drives at a pin, or an expander at an output; a relay's change is logged."""
    at = layout.OUTPUTS + pin
    if page.bytes[at] == level:
        return
    page.bytes[at] = level
    if page.bytes[layout.ROLES + pin] == layout.ROLE_RELAY:
        _log_relay(page, pin, level)
    if pin in hooks:
        hooks[pin](level)


def _log_relay(page, pin: int, level: int) -> None:
    now_us = time.ticks_us()
    since_us = layout.SINCE_READ_NEVER
    if Reader.last_us is not None:
        since_us = time.ticks_diff(now_us, Reader.last_us)
    count = page.word(layout.RELAY_LOG_COUNT)
    entry = layout.RELAY_LOG + count % layout.RELAY_LOG_ENTRIES * layout.RELAY_LOG_ENTRY_BYTES
    struct.pack_into("<IIBB", page.bytes, entry, now_us & layout.TICKS_MASK, since_us, pin, level)
    page.set_word(layout.RELAY_LOG_COUNT, count + 1)


class Ending:
    """The exception that was under way when something was last imported.

    A `finally` that imports before it resets is how boot.py ends, and imports clear exc_info.
    """

    error = None


def build(
    page, pump, leave, native_machine, unique: bytes, uart_type, spi_type, lines, multiplexer
) -> dict:
    """The module's names for one board; multiplexer: of its board.toml, {} where it has none."""
    shared = page.bytes
    handlers = {}
    clock_hz = [160000000]

    class Pin(native_machine.PinBase):
        """A GPIO. An input reads the wire outside, or its pull when nothing drives it.

        Each exists once, and was there before the firmware: on a chip they are no part of its heap.
        """

        IN = 1
        OUT = 3
        OPEN_DRAIN = 7
        PULL_UP = 2
        PULL_DOWN = 1
        IRQ_RISING = 1
        IRQ_FALLING = 2
        WAKE_LOW = 4
        WAKE_HIGH = 5
        DRIVE_0 = 0
        DRIVE_1 = 1
        DRIVE_2 = 2
        DRIVE_3 = 3
        _id = -1

        def __init__(self, id: int, mode: int = -1, pull: object = -1, **more) -> None:
            if self._id == -1:
                self._id = id
                self._mode = self.IN
                self._pull = None
            self.init(mode, pull, **more)

        def init(self, mode: int = -1, pull: object = -1, value: object = None, **more) -> None:
            if mode != -1:
                if mode != self.IN and self._id >= 34:
                    raise ValueError("pin can only be input")
                self._mode = mode
            if pull != -1:
                self._pull = pull
            if value is not None:
                self._drive(value)

        def value(self, level: object = None):
            if level is not None:
                self._drive(level)
                return None
            pump.run()
            return self._look()

        __call__ = value

        def on(self) -> None:
            self._drive(1)

        def off(self) -> None:
            self._drive(0)

        def toggle(self) -> None:
            self._drive(shared[layout.OUTPUTS + self._id] != 1)

        def irq(self, handler: object = None, trigger: int = 3, **more) -> None:
            handlers[self._id] = [self, handler, trigger, self._look()]
            lines.handlers.pop(self._id, None)
            if handler and trigger & self.IRQ_FALLING:
                lines.handlers[self._id] = lambda _: handler(self)

        def __repr__(self) -> str:
            return "Pin(%d)" % self._id

        def _look(self) -> int:
            driven = shared[layout.OUTPUTS + self._id]
            released = driven == 1 and self._mode == self.OPEN_DRAIN
            if driven != layout.LEVEL_FLOATING and self._mode != self.IN and not released:
                return driven
            level = shared[layout.LEVELS + self._id]
            if level == layout.LEVEL_FLOATING:
                return 1 if self._pull == self.PULL_UP else 0
            return level

        def _drive(self, value: object) -> None:
            set_output(page, self._id, 1 if value else 0)

    pins = [Pin(number) for number in range(_PINS)]

    def pin_of(cls, id: int, *args, **more) -> Pin:
        if not 0 <= id < _PINS:
            raise ValueError("invalid pin")
        return pins[id]

    Pin.__new__ = staticmethod(pin_of)

    def run_handlers() -> None:
        for entry in list(handlers.values()):
            pin, handler, trigger, before = entry
            level = pin._look()
            if level != before:
                entry[3] = level
                if handler and trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
                    handler(pin)

    pump.on_input = run_handlers

    class ADC:
        """The voltage at a pin, in uV, or as a share of 3.3 V in 16 bits."""

        ATTN_11DB = 3

        def __init__(self, pin, atten: int = 3) -> None:
            self._pin = pin if isinstance(pin, int) else pin._id

        def read_uv(self) -> int:
            pump.run()
            number = self._pin
            if number == multiplexer.get("pin"):
                number = multiplexer["first"]
                for place, select in enumerate(multiplexer["select"]):
                    number += (shared[layout.OUTPUTS + select] == 1) << place
            return struct.unpack_from("<H", shared, layout.ANALOG_MV + 2 * number)[0] * 1000

        def read_u16(self) -> int:
            return min(65535, self.read_uv() // 1000 * 65535 // 3300)

    class RTC:
        """Wall clock from 2000-01-01 and 2048 bytes; both survive a reset, not a power cut."""

        def datetime(self, when: object = None):
            if when is None:
                now_us = rtc_us()
                t = time.gmtime(now_us // 1000000 + _EPOCH_2000_S)
                return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], now_us % 1000000)
            year, month, day, _, hour, minute, second, micro = when
            stamp = time.mktime((year, month, day, hour, minute, second, 0, 0)) - _EPOCH_2000_S
            zero_us = time.time_ns() // 1000 - stamp * 1000000 - micro
            page.set_word(layout.RTC_ZERO_S, zero_us // 1000000)
            page.set_word(layout.RTC_ZERO_US, zero_us % 1000000)
            return None

        init = datetime

        def memory(self, data: object = None):
            if data is None:
                count = struct.unpack_from("<H", shared, layout.RTC_MEMORY_LENGTH)[0]
                return bytes(shared[layout.RTC_MEMORY : layout.RTC_MEMORY + count])
            if len(data) > 2048:
                raise ValueError("buffer too long")
            shared[layout.RTC_MEMORY : layout.RTC_MEMORY + len(data)] = bytes(data)
            struct.pack_into("<H", shared, layout.RTC_MEMORY_LENGTH, len(data))
            return None

    def rtc_us() -> int:
        zero_us = page.word(layout.RTC_ZERO_S) * 1000000 + page.word(layout.RTC_ZERO_US)
        return time.time_ns() // 1000 - zero_us

    class WDT:
        """The supervisor resets the board when `timeout` ms pass without `feed`."""

        def __init__(self, id: int = 0, timeout: int = 5000) -> None:
            if id or timeout <= 0:
                raise ValueError("invalid")
            self.feed()
            page.set_word(layout.WDT_TIMEOUT_MS, timeout)

        def feed(self) -> None:
            page.set_word(layout.WDT_FED_MS, time.ticks_ms() & layout.TICKS_MASK)
            pump.run()

    def stop(code: int) -> None:
        error = sys.exc_info()[1] or Ending.error
        if error is not None and not shared[layout.AT_PROMPT]:
            sys.print_exception(error, sys.stderr)  # into log.txt: why the firmware ended
        if isinstance(error, MemoryError):
            page.add_word(layout.MEMORY_FAULTS, 1)
        leave(code)

    def freq(hz: object = None):
        if hz is None:
            return clock_hz[0]
        clock_hz[0] = hz
        return None

    return {
        "Pin": Pin,
        "Signal": native_machine.Signal,
        "ADC": ADC,
        "UART": uart_type,
        "SPI": spi_type,
        "RTC": RTC,
        "WDT": WDT,
        "PWRON_RESET": _PWRON_RESET,
        "HARD_RESET": _HARD_RESET,
        "WDT_RESET": _WDT_RESET,
        "DEEPSLEEP_RESET": _DEEPSLEEP_RESET,
        "SOFT_RESET": _SOFT_RESET,
        "reset": lambda: stop(layout.EXIT_RESET),
        "soft_reset": lambda: stop(layout.EXIT_SOFT_RESET),
        "reset_cause": lambda: shared[layout.RESET_CAUSE],
        "unique_id": lambda: unique,
        "freq": freq,
        "idle": pump.run,
        "disable_irq": lambda: 0,
        "enable_irq": lambda state=0: None,
    }
