"""`sys`, `os`, `vfs`, `micropython`, `builtins.print` as a stock ESP32 has them (virtual board)."""

import builtins
import collections

import page as layout
from facade import pick

RELEASE = "1.26.1"
VERSION = "v1.26.1 on 2025-09-11"
_MPY_6_3_XTENSAWIN = 11014


def build_sys(native, machine: str, stdin, stdout) -> dict:
    """sys, with UART0 as its streams; stderr is UART0 too. machine: the image's name for it."""
    kind = collections.namedtuple("implementation", "name version _machine _mpy _build")
    names = pick(native, "argv byteorder maxsize modules path ps1 ps2 version_info")

    def print_exception(error, file=stdout) -> None:
        native.print_exception(error, file)

    def leave(code: object = 0) -> None:
        raise SystemExit(code)

    names.update(
        {
            "exit": leave,
            "implementation": kind(
                "micropython", (1, 26, 1, ""), machine, _MPY_6_3_XTENSAWIN,
                "ESP32_GENERIC",
            ),
            "platform": "esp32",
            "print_exception": print_exception,
            "stdin": stdin,
            "stdout": stdout,
            "stderr": stdout,
            "version": "3.4.0; MicroPython " + VERSION,
        }
    )  # fmt: skip
    return names


def build_os(native, machine: str) -> dict:
    """os without what only the computer underneath has. machine: as in build_sys."""
    kind = collections.namedtuple("uname", "sysname nodename release version machine")
    names = pick(
        native,
        "VfsFat VfsLfs2 chdir getcwd ilistdir listdir mkdir mount remove rename rmdir sep stat "
        "statvfs umount unlink urandom",
    )
    names["sync"] = lambda: None
    names["dupterm"] = lambda stream=None, index=0: None
    names["uname"] = lambda: kind("esp32", "esp32", RELEASE, VERSION, machine)
    return names


def build_vfs(native) -> dict:
    return pick(native, "VfsFat VfsLfs2 mount umount")


def build_micropython(native, page, ignore_interrupts) -> dict:
    """micropython, whose kbd_intr also tells the supervisor what a Ctrl-C byte means now."""
    names = pick(
        native,
        "const RingIO heap_lock heap_unlock mem_info opt_level qstr_info schedule stack_use",
    )

    def kbd_intr(char: int) -> None:
        page.bytes[layout.KBD_INTR] = 1 if char == 3 else 0
        if char == 3:
            native.kbd_intr(3)
        else:
            ignore_interrupts()

    names["kbd_intr"] = kbd_intr
    names["alloc_emergency_exception_buf"] = lambda count: None
    return names


def print_to(stdout) -> None:
    """Make `print` and the prompt go through UART0 with its line ends and its speed."""
    native_print = builtins.print

    def uart_print(*what, sep=" ", end="\n", file=None) -> None:
        native_print(*what, sep=sep, end=end, file=stdout if file is None else file)

    def repl_print(value) -> None:
        if value is not None:
            uart_print(repr(value))

    builtins.print = uart_print
    builtins.__repl_print__ = repl_print
