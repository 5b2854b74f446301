"""One session with a chip's loader, by esptool's library (host).

with Session(port) as session:
    session.chip, session.flash_bytes, session.mac
    session.begin(baud)
    session.blank(offset, size); session.write(pieces)
    session.restart()

What goes wrong is a ToolError. esptool prints nothing; how far a write has come is told to
`progress`, for each session by itself although esptool has one logger for all.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import serial
from esptool import cmds, reset
from esptool.logger import TemplateLogger, log
from esptool.util import FatalError, flash_size_bytes

from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    from controller_tool.flashing.layout import Piece

Progress = Callable[[int, int], None]
_NOT_WRITTEN = ("MD5 of file", "Write failed")
_told = threading.local()


class _Quiet(TemplateLogger):  # type: ignore[misc]  # esptool has no types
    """Swallows what esptool says, but for how far it has come; errors are raised as well."""

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def note(self, message: str) -> None:
        """Nothing."""

    def warning(self, message: str) -> None:
        """Nothing."""

    def error(self, message: str) -> None:
        """Nothing."""

    def stage(self, finish: bool = False) -> None:
        """Nothing."""

    def set_verbosity(self, verbosity: str) -> None:
        """Nothing."""

    def progress_bar(self, cur_iter: int, total_iters: int, *_: Any, **__: Any) -> None:
        """To whoever asked for it in this thread."""
        progress = getattr(_told, "progress", None)
        if progress is not None:
            progress(cur_iter, total_iters)


def _no_lines(_: str) -> None:
    """esptool could not move DTR and RTS."""
    _told.has_lines = False


# it holds the logger that was there when it was loaded
reset.ResetStrategy.print_once = staticmethod(_no_lines)
log.set_logger(_Quiet())  # whoever loads this module flashes, and the terminal is not esptool's


class Session:
    """A chip in its loader; a context manager that gives the port back."""

    def __init__(self, port: str, progress: Progress | None = None) -> None:
        self._port = port
        self._progress = progress
        with self._edge():
            self._esp = cmds.detect_chip(port)
            self.chip = str(self._esp.CHIP_NAME)
            self.mac = bytes(self._esp.read_mac())
            self.flash_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            self._esp._port.close()  # noqa: SLF001 - esptool's own context manager does the same

    def begin(self, baud: int) -> None:
        """The faster loader and the faster line; what flash there is, is known from now on."""
        with self._edge():
            self._esp = cmds.run_stub(self._esp)
            self._esp.WRITE_FLASH_ATTEMPTS = 1  # a port that went away has gone
            if baud != self._esp.get_baud():
                self._esp.change_baud(baud)
            cmds.attach_flash(self._esp)
            self.flash_bytes = flash_size_bytes(cmds.detect_flash_size(self._esp)) or 0
            if self.flash_bytes:  # until it is told, a loader knows of the first 4 MB alone
                self._esp.flash_set_parameters(self.flash_bytes)

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether the flash has these bytes there already, by the MD5 that the chip makes."""
        with self._edge():
            return bool(self._esp.flash_md5sum(offset, len(data)) == _md5(data))

    def blank(self, offset: int, size: int) -> bool:
        """Makes a stretch blank; False when it was."""
        if self.holds(offset, b"\xff" * size):
            return False
        with self._edge():
            self._esp.erase_region(offset, size)
            return True

    def write(self, pieces: list[Piece]) -> None:
        """Compressed, each proven by the MD5 that the chip makes of its flash."""
        with self._edge():
            cmds.write_flash(
                self._esp,
                [(piece.offset, piece.data) for piece in pieces],
                flash_size=_size_name(self.flash_bytes),
                compress=True,
            )

    def restart(self) -> bool:
        """Starts the firmware; False where the port has no lines to do that with."""
        _told.has_lines = True
        with self._edge():
            self._esp.hard_reset()
        return bool(_told.has_lines)

    @contextlib.contextmanager
    def _edge(self) -> Iterator[None]:
        """Nothing of esptool's or the port's own errors goes further."""
        _told.progress = self._progress
        try:
            yield
        except FatalError as error:
            raise self._explained(str(error)) from error
        except (OSError, serial.SerialException, TypeError) as error:  # TypeError: a closed port
            raise LinkError(
                t("The cable to {port} was lost while flashing ({detail})",
                  port=self._port, detail=_first_line(str(error))),
                t("Put it in and run the command again; it begins anew"),
            ) from error  # fmt: skip
        finally:
            _told.progress = None

    def _explained(self, text: str) -> LinkError | DeviceError | OperatorError:
        detail = _first_line(text)
        if text.startswith("Could not open"):
            return LinkError(
                t("Cannot open {port} ({detail})", port=self._port, detail=detail),
                t("Check the cable and that no other program holds the port"),
            )
        if text.startswith("Failed to connect"):
            return LinkError(
                t("No chip answers on {port}", port=self._port),
                t("Hold the boot button, press reset, and run the command again"),
            )
        if text.startswith(_NOT_WRITTEN):
            return DeviceError(
                t("The flash does not hold what was written into it"),
                t("Run the command again; if it stays so, the board's flash is worn out"),
            )
        return LinkError(
            t("The chip's loader failed ({detail})", detail=detail),
            t("Press reset with the boot button held, and run the command again"),
        )


def _size_name(size_bytes: int) -> str:
    return f"{size_bytes >> 20}MB"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(". ") if text.strip() else "?"


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
