"""A virtual board's raw REPL by mpremote's own library, as `mpremote` would use it (host)."""

import contextlib
import io
import time
from typing import Any, Self

from mpremote.transport_serial import SerialTransport

from controller_tool.sim import service

_PATIENCE_S = 20.0
_STEP_S = 0.01


class Prompt:
    """An open cable in raw mode; `run` returns what was printed."""

    def __init__(self, board: service.Board) -> None:
        self.board = board
        self.transport = SerialTransport(board.serial_port, timeout=2)
        self.enter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.transport.close()

    def enter(self, *, soft_reset: bool = False) -> None:
        """Go to the raw prompt, as `mpremote` does on every command."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.transport.enter_raw_repl(soft_reset=soft_reset)

    def run(self, code: str) -> str:
        """What `code` prints; TransportExecError when it raises."""
        return str(self.transport.exec(code).decode().replace("\r\n", "\n").strip())

    def value(self, expression: str) -> Any:
        """The value of an expression of plain literals."""
        return self.transport.eval(expression)

    def lose(self, code: str) -> None:
        """Run what does not come back: a reset, a power cut, a hang."""
        self.transport.exec_raw_no_follow(code)

    def after_reset(self) -> None:
        """The board has started anew: wait for its prompt and enter it."""
        self.board.wait_until_up()
        self.enter()


def wait_for(condition: Any, seconds: float = _PATIENCE_S) -> Any:
    """Poll until the condition holds and return it; AssertionError at the deadline."""
    end_s = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end_s, "the deadline passed"
        time.sleep(_STEP_S)
