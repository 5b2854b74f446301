"""The prompt of a stock ESP32 on UART0: friendly, raw and raw-paste (virtual board).

MicroPython's Unix port has no raw mode, which mpremote needs. The answers, down to the byte, are
those of MicroPython's pyexec.c.
"""

import page as layout

_CTRL_A = 1
_CTRL_B = 2
_CTRL_C = 3
_CTRL_D = 4
_CTRL_E = 5
_WINDOW_BYTES = 128
_RAW_BANNER = "raw REPL; CTRL-B to exit\r\n>"


class Repl:
    """Reads the wire, runs what comes in the names of `__main__`; `run` never returns."""

    def __init__(self, wire, page, names: dict, interrupts, show_error, soft_reset, banner) -> None:
        self._wire = wire
        self._page = page
        self._names = names
        self._interrupts = interrupts
        self._show_error = show_error
        self._soft_reset = soft_reset
        self._banner = banner
        self._one = bytearray(1)

    def run(self) -> None:
        while True:
            try:
                if self._page.bytes[layout.REPL_RAW]:
                    self._raw()
                else:
                    self._friendly()
            except KeyboardInterrupt:
                self._wire.write("\r\n")  # came in the moment when a run had just ended

    def _char(self) -> int:
        self._page.bytes[layout.AT_PROMPT] = 1
        self._wire.some(self._one)
        return self._one[0]

    def _execute(self, source: str, kind: str) -> None:
        """Run `source`; 4 and the traceback go out as the raw REPL wants them."""
        raw = kind == "exec"
        try:
            self._interrupts(True)
            code = compile(source, "<stdin>", kind)
            exec(code, self._names)  # noqa: S102 - this is what a REPL does
            self._interrupts(False)
            if raw:
                self._wire.write(b"\x04")
        except SystemExit:
            self._interrupts(False)
            self._soft_reset()
        except BaseException as error:  # noqa: BLE001 - a prompt shows every exception
            self._interrupts(False)
            if raw:
                self._wire.write(b"\x04")
            self._show_error(error)
        if raw:
            self._wire.write(b"\x04")

    def _raw(self) -> None:
        self._wire.write(_RAW_BANNER)
        line = bytearray()
        while True:
            char = self._char()
            if char == _CTRL_A:
                if line[-2:] == b"\x05A":
                    line = bytearray()
                    self._paste()
                    self._wire.write(">")
                    continue
                line = bytearray()
                self._wire.write(_RAW_BANNER)
            elif char == _CTRL_B:
                self._wire.write("\r\n")
                self._page.bytes[layout.REPL_RAW] = 0
                return
            elif char == _CTRL_C:
                line = bytearray()
            elif char == _CTRL_D:
                self._wire.write("OK")
                if not line:
                    self._wire.write("\r\n")
                    self._soft_reset()
                source = line.decode()
                line = bytearray()
                self._execute(source, "exec")
                self._wire.write(">")
            else:
                line.append(char)

    def _paste(self) -> None:
        """Raw paste: the host sends a window of bytes at a time and waits for leave to go on."""
        self._wire.write(b"R\x01" + bytes((_WINDOW_BYTES, 0, 1)))
        source = bytearray()
        block = bytearray(_WINDOW_BYTES)
        left = _WINDOW_BYTES
        while True:
            count = self._wire.some(memoryview(block)[:left])
            end = min(at for at in (block.find(b"\x04"), block.find(b"\x03"), count) if at >= 0)
            if end < count:
                self._wire.give_back(bytes(block[end + 1 : count]))
                self._wire.write(b"\x04")
                source += block[:end]
                break
            source += memoryview(block)[:count]
            left -= count
            if not left:
                left = _WINDOW_BYTES
                self._wire.write(b"\x01")
        if block[end] == _CTRL_C:
            self._wire.write(b"\x04\x04")
            return
        text = source.decode()
        del source, block
        self._execute(text, "exec")

    def _friendly(self) -> None:
        self._wire.write(self._banner)
        self._wire.write('Type "help()" for more information.\r\n')
        while True:
            line = self._line(">>> ")
            if line is None:
                return
            if line.rstrip().endswith(":"):
                line = self._block(line)
            if line and line.strip():
                self._execute(line, "single")

    def _block(self, first: str) -> str:
        """A compound statement: lines up to an empty one."""
        lines = [first]
        while True:
            line = self._line("... ")
            if not line:
                return "\n".join(lines) + "\n" if line is not None else ""
            lines.append(line)

    def _line(self, prompt: str):
        """One line with echo; None when the mode changes."""
        self._wire.write(prompt)
        line = bytearray()
        while True:
            char = self._char()
            if char == _CTRL_A:
                self._page.bytes[layout.REPL_RAW] = 1
                self._wire.write("\r\n")
                return None
            if char == _CTRL_B:
                self._wire.write("\r\n")
                return None
            if char == _CTRL_C:
                self._wire.write("\r\n" + prompt)
                line = bytearray()
            elif char == _CTRL_D and not line:
                self._wire.write("\r\n")
                self._soft_reset()
            elif char in (10, 13):
                self._wire.write("\r\n")
                return line.decode()
            elif char in (8, 127):
                if line:
                    line = line[:-1]
                    self._wire.write("\b \b")
            elif char >= 32:
                line.append(char)
                self._wire.write(self._one)
