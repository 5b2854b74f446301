"""Entry of a virtual board's MicroPython process: shims in, flash mounted, then as a chip boots.

Reads `start.json` in the current folder (written by controller_tool/sim/folder.py). Runs boot.py
and main.py as the stock image does, each with Ctrl-C armed before it; then the prompt.
"""

import binascii
import builtins
import gc
import io
import json
import os
import select
import socket
import sys
import time

import esp32_shim
import facade
import guard
import hostlink
import lines
import machine
import machine_shim
import micropython
import network_shim
import nor
import page as layout
import pump
import repl
import socket_shim
import spi_shim
import sys_shim
import time_shim
import tls
import tls_shim
import uart0
import uart_shim
import vfs

import __main__

_SHIM_FILES = (
    "start ds3231 esp32_shim expanders i2c_shim facade guard hostlink lines machine_shim "
    "network_shim nor nvs page pump repl socket_shim spi_shim mfrc522 sys_shim time_shim tls_shim "
    "uart0 uart_shim wires ffi"
)
_DEFAULT_BOOT = "# This file is executed on every boot (including wake-boot from deepsleep)\n"
_BLOCK_BYTES = 4096
_FILLING = (4096, 512, 96, 16)


class _AlwaysReady(io.IOBase):
    """A stream that is ready for writing; makes the Unix port's poll return at once."""

    def ioctl(self, request: int, argument: int) -> int:
        if request == layout.STREAM_POLL:
            return argument
        return -1


class Board:
    """The chip of this process: page, wire, modules."""

    def __init__(self, wanted: dict) -> None:
        hostlink.die_with_parent()
        self.filled: object = None
        self.page = hostlink.Page(wanted["page"])
        self.lines = lines.Lines()
        self.pump = pump.Pump(self.page, self.lines)
        self.native_micropython = micropython
        self.native_print_exception = sys.print_exception
        self.wire = uart0.Wire(
            sys, select.poll, self.page, self.pump, hostlink.leave, wanted["baud"]
        )  # fmt: skip
        self.out = uart0.Uart0Out(self.wire, True)
        self._install(wanted, sys.modules)

    def _install(self, wanted: dict, modules: dict) -> None:
        page, changes, charge = self.page, self.pump, wanted["charge"]
        unique = binascii.unhexlify(wanted["unique"])
        flash = hostlink.map_file(wanted["flash"], wanted["flash_bytes"])
        chip = nor.Nor(
            flash, page, hostlink.leave,
            lambda delay_us: changes.spend(time.sleep_us, delay_us, True), charge,
        )  # fmt: skip
        uart = uart_shim.build(page, changes, wanted["pipes"], open, select.poll)
        chips = None
        if wanted.get("expanders"):  # their shim costs heap, which a board without them keeps
            import i2c_shim

            chips = i2c_shim.Chips(page, time, wanted["expanders"], wanted["bus"])
        spi = spi_shim.build(page, changes, wanted["spi_select"], chips and chips.register)
        text_in = uart0.Uart0In(self.wire, True)
        shims = {
            "machine": machine_shim.build(
                page, changes, hostlink.leave, machine, unique, uart, spi, self.lines,
                wanted.get("multiplexer", {}),
            ),
            "esp32": esp32_shim.build(
                chip, wanted["partitions"], self.lines, changes, page, wanted.get("meter_pins", [])
            ),
            "network": network_shim.build(page, changes, unique, wanted["address"]),
            "socket": socket_shim.build(socket, hostlink.no_delay, page, wanted["address"]),
            "tls": tls_shim.build(
                tls, charge, lambda delay_ms: changes.apart(time.sleep_us, 1000 * delay_ms)
            ),
            "time": time_shim.build_time(time, page, changes),
            "select": time_shim.build_select(select, time, page, changes, _AlwaysReady()),
            "os": sys_shim.build_os(os, wanted["machine"]),
            "vfs": sys_shim.build_vfs(vfs),
            "micropython": sys_shim.build_micropython(
                micropython, page, hostlink.ignore_interrupts
            ),
            "sys": sys_shim.build_sys(sys, wanted["machine"], text_in, self.out),
        }  # fmt: skip
        sys_shim.print_to(self.out)
        if chips is not None:
            shims["machine"]["I2C"] = i2c_shim.build(chips, time.sleep_us if charge else None)
        if wanted.get("wires"):  # only on a bench
            import wires

            wires.lay(page, wanted["wires"], hostlink.Page, time.ticks_us, machine_shim.hooks)
        if wanted.get("clock_chip"):  # its shim costs heap, which a board without it keeps
            import ds3231

            shims["machine"]["I2C"] = ds3231.build(
                page, time, layout.DS3231, layout.I2C_FAULT
            )  # fmt: skip
        names = tuple(shims)
        for name in names:
            facade.expose(modules, name, shims.pop(name))
        for name in _SHIM_FILES.split():
            modules.pop(name, None)
        builtins.__import__ = guard.build(builtins.__import__, modules, names)

    def interrupts(self, on: bool) -> None:
        """Whether a Ctrl-C byte interrupts what runs."""
        if on:
            self.native_micropython.kbd_intr(3)
            self.page.bytes[layout.KBD_INTR] = 1
        else:
            self.page.bytes[layout.KBD_INTR] = 0
            hostlink.ignore_interrupts()

    def show_error(self, error: BaseException) -> None:
        """The traceback on UART0; a MemoryError that came this far is counted."""
        if isinstance(error, MemoryError):
            self.page.add_word(layout.MEMORY_FAULTS, 1)
        self.native_print_exception(error, self.out)

    def soft_reset(self) -> None:
        """Ends the process; the supervisor starts it anew with pins and clock as they are."""
        self.wire.write("MPY: soft reboot\r\n")
        hostlink.leave(layout.EXIT_SOFT_RESET)

    def run_file(self, name: str) -> bool:
        """What a stock image does with boot.py and main.py; False when it ended in an error."""
        try:
            with open(name) as file:
                source = file.read()
        except OSError:
            return True
        ended_well = True
        try:
            code = compile(source, name, "exec")
            start = ("\n" + source).find("\ntry:")
            first_line = 0 if start < 0 else source[:start].count("\n") + 2
            del source
            while not self._ran(code, name, first_line):
                pass
        except SystemExit:
            self.interrupts(False)
            self.soft_reset()
        except BaseException as error:  # noqa: BLE001 - the prompt follows whatever happened
            self.interrupts(False)
            self.show_error(error)
            ended_well = False
        self.interrupts(False)
        return ended_well

    def wait_for_ctrl_c(self) -> None:
        """What a stock image does with a file system that it cannot mount; then the prompt."""
        try:
            self.interrupts(True)
            while True:
                print("The filesystem appears to be corrupted.")
                time.sleep_ms(1000)
        except KeyboardInterrupt:
            self.interrupts(False)

    def _ran(self, code, name: str, first_line: int) -> bool:
        """Run it; False when a Ctrl-C came before its first line, which stands in a `try`.

        A chip raises an interrupt where byte code jumps, so never before the `try` that a file
        begins with; the Unix port raises it wherever it is, also while the one before is looked at.
        """
        try:
            try:
                self.interrupts(True)
                exec(code, __main__.__dict__)  # noqa: S102 - this is what booting is
            except KeyboardInterrupt as error:
                self.interrupts(False)
                self._raise_if_of(error, name, first_line)
                return False
        except KeyboardInterrupt as error:
            self.interrupts(False)
            self._raise_if_of(error, name, first_line)
            return False
        return True

    def _raise_if_of(self, error: BaseException, name: str, first_line: int) -> None:
        """Raise it again if it came out of that file, from its first line on."""
        text = io.StringIO()
        self.native_print_exception(error, text)
        place = '"' + name + '", line '
        found = text.getvalue().rfind(place)
        if found < 0:
            return
        line = text.getvalue()[found + len(place) :].split(",")[0].split("\n")[0]
        if int(line) >= first_line:
            raise error


def filled() -> object:
    """Every piece that is free, taken: among the shims the firmware is to find no room."""
    held = None
    for size in _FILLING:
        try:
            while True:
                held = (held, bytearray(size))
        except MemoryError:
            gc.collect()
    try:
        while True:
            held = (held,)
    except MemoryError:
        return held


def mount(partition_type) -> bool:
    """Mount `vfs` at "/", formatting it when blank, as the stock image's _boot.py does.

    False when it is neither: then there is no file system.
    """
    flash = partition_type.find(partition_type.TYPE_DATA, label="vfs")[0]
    vfs.umount("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []
    try:
        vfs.mount(flash, "/")
    except OSError:
        return _format(flash)
    return True


def _format(flash) -> bool:
    """A blank first block only: what does not mount may still hold what somebody needs."""
    block = bytearray(_BLOCK_BYTES)
    flash.readblocks(0, block)
    if block.replace(b"\xff", b""):
        return False
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(flash, "/")
    with open("boot.py", "w") as file:
        file.write(_DEFAULT_BOOT)
    return True


def run() -> None:
    """Boot and stay: this process ends by a reset, a power cut or its supervisor's end."""
    with open("start.json") as file:
        wanted = json.load(file)
    board = Board(wanted)
    banner = "MicroPython " + sys_shim.VERSION + "; " + wanted["machine"] + "\r\n"
    del wanted
    gc.collect()
    if board.page.bytes[layout.HEAP_ASKED] == layout.HEAP_MEASURE:
        board.page.set_word(layout.HEAP_USED_BYTES, gc.mem_alloc())
        hostlink.leave(layout.EXIT_MEASURED)
    board.filled = filled()
    __main__.heap[0] = __main__.heap[2] = None  # the areas that the entry kept: all that there is
    gc.collect()
    if not mount(sys.modules["esp32"].Partition):
        board.wait_for_ctrl_c()
    # as the stock image's main.c: no main.py after a boot.py that failed
    if board.run_file("boot.py") and not board.page.bytes[layout.REPL_RAW]:
        board.run_file("main.py")
    repl.Repl(
        board.wire, board.page, __main__.__dict__, board.interrupts, board.show_error,
        board.soft_reset, banner,
    ).run()  # fmt: skip


run()
