"""A board's raw REPL through mpremote's library (host).

Everything that goes to the board goes by a device script (`controller_tool.device_scripts`) and
a call of one of its functions with literal arguments.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Self

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from controller_tool import device_scripts
from controller_tool.channel.stream import broken
from controller_tool.errors import DeviceError, LinkError
from controller_tool.messages import t
from controller_tool.parsing import parses
from protocol.constants import LINK_BAUD

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE_BYTES = 4096
_WINDOW_BITS = 12  # the window is held in the board's heap while a piece is inflated
_READ_S = 2.0
_SCRIPT_S = 8.0  # without a byte; clearing partitions is given longer


class NoReplError(LinkError):
    """The port is there, but no MicroPython prompt answers on it."""


class BoardRepl:
    """A board at its prompt; a context manager that gives the port back."""

    def __init__(self, port: str, enter_s: float = 4.0) -> None:
        self._loaded: set[str] = set()
        try:
            self._transport = SerialTransport(port, LINK_BAUD, timeout=_READ_S)
        except (OSError, TransportError) as error:
            raise LinkError(
                t("Cannot open {port} ({detail})", port=port, detail=str(error)),
                t("Check the cable and that no other program holds the port"),
            ) from error
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the library prints what it saw
                self._transport.enter_raw_repl(soft_reset=False, timeout_overall=enter_s)
        except (TransportError, OSError) as error:
            self.close()
            raise NoReplError(
                t("No MicroPython prompt on {port}", port=port),
                t("Flash the board with a stock MicroPython image first"),
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back."""
        # a port that went away cannot be told to drop its lines
        with contextlib.suppress(OSError, serial.SerialException):
            self._transport.close()

    def call(self, script: str, function: str, *args: Any, timeout_s: float = _SCRIPT_S) -> str:
        """What ``function(*args)`` of a device script prints; DeviceError when it raises."""
        if script not in self._loaded:
            self._run(device_scripts.source(script), _SCRIPT_S)
            self._loaded.add(script)
        arguments = ", ".join(map(_literal, args))
        return self._run(f"{function}({arguments})", timeout_s)

    def probe(self) -> dict[str, Any]:
        """What the board says of itself: machine, release, id, free_bytes, partitions…"""
        return dict(json.loads(self.call("probe", "probe")))

    def digests(self) -> dict[str, str]:
        """Path and SHA-256 (hex) of every file on the board."""
        lines = self.call("files", "digests", timeout_s=120.0).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if line.strip())

    def put(self, path: str, data: bytes, progress: Callable[[int], None] | None = None) -> str:
        """Writes a file and returns the SHA-256 that the board reads back, as hex."""
        folder = str(PurePosixPath(path).parent)
        if folder != "/":
            self.call("files", "make_folder", folder)
        self.call("files", "begin", path)
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self.call("files", "piece", _packed(piece))
            if progress is not None:
                progress(len(piece))
        return self.call("files", "end", path).strip()

    def reset(self) -> None:
        """Restarts the board; the port is of no use to this object afterwards."""
        with contextlib.suppress(TransportError, OSError, serial.SerialException):
            self._transport.exec_raw_no_follow("import machine; machine.reset()")

    def _run(self, code: str, timeout_s: float) -> str:
        try:
            out, error_text = self._transport.exec_raw(code, timeout=timeout_s)
        except (TransportExecError, TransportError, OSError, serial.SerialException) as error:
            raise broken(str(error)) from error
        if error_text:
            last = error_text.decode("utf-8", "replace").strip().splitlines()[-1]
            raise DeviceError(
                t("The board failed while it was being set up ({detail})", detail=last),
                t("Run the command again; if it stays so, flash the board anew"),
            )
        return str(out.decode("utf-8", "replace"))


def _packed(piece: bytes) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW_BITS)
    return base64.b64encode(packer.compress(piece) + packer.flush()).decode("ascii")


@parses
def _literal(value: object) -> str:
    """As it stands in a call; ValueError for what is no literal, and could be code."""
    return repr(ast.literal_eval(repr(value)))
