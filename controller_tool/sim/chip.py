"""The virtual board's chip: its MicroPython process, its pipes and how it is reset (host)."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.sim.folder import describe
from controller_tool.sim.page import PageView, layout
from controller_tool.sim.shims import Shims, environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.sim.folder import Folder, Options
    from controller_tool.sim.rom.loader import Loader

RESET_POWER = 1
RESET_HARD = 2
RESET_WATCHDOG = 3
RESET_SOFT = 5
UART_NUMBERS = (1, 2)
_INTERRUPT_PAUSE_S = 0.05
_CRASH_PAUSE_S = 0.2
_CAUSES = {layout.EXIT_RESET: RESET_HARD, layout.EXIT_SOFT_RESET: RESET_SOFT}
BOOT_NOISE = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x%x (%b),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"configsip: 0, SPIWP:0xee\r\nload:0x3fff0030,len:4892\r\nentry 0x400805c4\r\n"
)
DOWNLOAD_NOISE = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),"
    b"boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n"
)
_NOISE_NAMES = {1: b"POWERON_RESET", 2: b"SW_CPU_RESET", 3: b"TG1WDT_SYS_RESET"}


@dataclass
class Pipe:
    """One direction of a wire: both ends stay open here, so that a reset loses neither."""

    read: int = field(default=-1)
    write: int = field(default=-1)

    def __post_init__(self) -> None:
        self.read, self.write = os.pipe()

    def drain(self) -> None:
        """Throw away what nobody has read."""
        os.set_blocking(self.read, False)
        with contextlib.suppress(BlockingIOError):
            while os.read(self.read, 65536):
                pass
        os.set_blocking(self.read, True)

    def close(self) -> None:
        """Both ends."""
        os.close(self.read)
        os.close(self.write)


class Chip:
    """The process and everything that a reset or a power cut does to it."""

    def __init__(
        self,
        folder: Folder,
        options: Options,
        page: PageView,
        shims: Shims,
        make_loader: Callable[[], Loader],
    ) -> None:
        self._folder = folder
        self._options = options
        self._page = page
        self.shims = shims
        wiring = describe(options.board)["wiring"]
        self._enabled = [  # outputs that go off when the chip lets go of their enable line
            (layout.OUTPUTS + row["first"], 8 * row["chips"])
            for row in wiring.get("expanders", [])
            if "enable" in row
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._interrupted_s = 0.0
        self.stdin = Pipe()
        self.stdout = Pipe()
        self.uart_in = {number: Pipe() for number in UART_NUMBERS}
        self.uart_out = {number: Pipe() for number in UART_NUMBERS}
        self._make_loader = make_loader
        self.loader: Loader | None = None  # it runs instead of the firmware
        self.boot_held = False  # GPIO0 is low, which a rise of EN or of the supply asks for
        self.held = False  # EN is low
        self.powered = False
        self.resets = {"power": 0, "hard": 0, "watchdog": 0, "soft": 0, "crash": 0, "cut": 0}

    def power_on(self) -> bytes:
        """Start with cleared clock and memory; returns what the ROM says on UART0."""
        if self.powered:
            return b""
        page = self._page
        now_us = time.time_ns() // 1000
        page.set_word(layout.RTC_ZERO_S, now_us // 1000000)
        page.set_word(layout.RTC_ZERO_US, now_us % 1000000)
        struct.pack_into("<H", page.bytes, layout.RTC_MEMORY_LENGTH, 0)
        page.set_word(layout.RELAY_LOG_COUNT, 0)
        self.clear_expanders()  # of a board that was stopped, the page still holds them
        self.powered = True
        self.resets["power"] += 1
        return b"" if self.held else self._start(RESET_POWER)

    def power_off(self) -> None:
        """As if the plug were pulled: at once, wherever the firmware is."""
        self._kill()
        self.powered = False
        self._page.set_word(layout.FLASH_CUT_AT, 0)
        self._float_outputs(layout.PINS)
        self.clear_expanders()

    def clear_expanders(self) -> None:
        """They lost their supply: registers as after power-up, and no relay powered."""
        held = slice(layout.EXPANDERS, layout.EXPANDERS + layout.EXPANDERS_BYTES)
        self._page.bytes[held] = bytes(layout.EXPANDERS_BYTES)
        outputs = slice(layout.OUTPUTS + layout.CHIP_PINS, layout.OUTPUTS + layout.PINS)
        self._page.bytes[outputs] = bytes(layout.PINS - layout.CHIP_PINS)

    def reset(self, cause: int) -> bytes:
        """Start anew with the clock going on; returns what the ROM says on UART0."""
        self._kill()
        return self._start(cause) if self.powered and not self.held else b""

    def hold(self) -> None:
        """EN goes low: everything stops."""
        if not self.held:
            self.held = True
            self._kill()
            self._float_outputs(layout.CHIP_PINS)

    def interrupt(self) -> None:
        """A Ctrl-C byte came while the firmware wants to be interrupted by it."""
        now_s = time.monotonic()
        # a second signal before the first is taken would end the process
        if self._process is not None and now_s - self._interrupted_s > _INTERRUPT_PAUSE_S:
            self._interrupted_s = now_s
            self._process.send_signal(signal.SIGINT)

    def watch(self) -> bytes:
        """Look after exits and the watchdog; returns what the ROM says when there was a reset."""
        if self._process is None:
            return b""
        code = self._process.poll()
        if code is not None:
            return self._ended(code)
        if self._starved():
            self.resets["watchdog"] += 1
            return self.reset(RESET_WATCHDOG)
        return b""

    def close(self) -> None:
        """End the process and give the pipes back."""
        self._kill()
        for pipe in (self.stdin, self.stdout, *self.uart_in.values(), *self.uart_out.values()):
            pipe.close()

    @property
    def pid(self) -> int:
        """The process; 0 while there is no power."""
        return self._process.pid if self._process else 0

    def _ended(self, code: int) -> bytes:
        self._process = None
        if code == layout.EXIT_POWER_CUT:
            self.resets["cut"] += 1
            self.power_off()
            return b""
        cause = _CAUSES.get(code)
        if cause is None:
            self.resets["crash"] += 1
            with self._folder.log_path.open("a", encoding="utf-8") as log:
                log.write(f"the process ended with code {code}\n")
            time.sleep(_CRASH_PAUSE_S)  # a board that cannot start must not take a whole core
            cause = RESET_WATCHDOG
        else:
            self.resets["soft" if cause == RESET_SOFT else "hard"] += 1
        return self._start(cause)

    def _starved(self) -> bool:
        timeout_ms = self._page.word(layout.WDT_TIMEOUT_MS)
        if not timeout_ms:
            return False
        # the process counts its ticks from the same clock
        now_ms = time.monotonic_ns() // 1000000 & layout.TICKS_MASK
        fed_ms = self._page.word(layout.WDT_FED_MS)
        since_ms = (now_ms - fed_ms) & layout.TICKS_MASK
        return bool(timeout_ms < since_ms < layout.TICKS_MASK // 2)

    def _start(self, cause: int) -> bytes:
        page = self._page
        page.bytes[layout.RESET_CAUSE] = cause
        for offset in (layout.KBD_INTR, layout.AT_PROMPT, layout.SERVES, layout.HEAP_ASKED):
            page.bytes[offset] = 0
        if cause != RESET_SOFT:
            page.set_word(layout.WDT_TIMEOUT_MS, 0)  # a soft reset does not stop it
            page.bytes[layout.REPL_RAW] = 0
            self._float_outputs(layout.CHIP_PINS)  # expanders keep their state through a reset
            for first, count in self._enabled:
                self._page.bytes[first : first + count] = bytes(count)
            self.stdin.drain()
        for number in UART_NUMBERS:
            self.uart_in[number].drain()
            page.bytes[layout.UARTS + number * layout.UART_BYTES] = 0
        if cause == RESET_POWER and self.boot_held:
            self.loader = self._make_loader()
            return DOWNLOAD_NOISE
        pipes = {n: (self.uart_in[n].read, self.uart_out[n].write) for n in UART_NUMBERS}
        self._folder.write_start(self._options, pipes)
        with self._folder.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.shims.argv(),
                cwd=self._folder.path,
                env=environment(self.shims.folder),
                stdin=self.stdin.read,
                stdout=self.stdout.write,
                stderr=log,
                pass_fds=[end for pair in pipes.values() for end in pair],
            )
        if cause == RESET_SOFT:
            return b""
        return BOOT_NOISE % (cause, _NOISE_NAMES[cause])

    def _float_outputs(self, pins: int) -> None:
        outputs = slice(layout.OUTPUTS, layout.OUTPUTS + pins)
        self._page.bytes[outputs] = bytes([layout.LEVEL_FLOATING]) * pins

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self.loader is not None:
            self.loader.close()
            self.loader = None
