"""pyscard as far as a desk uses it: readers, connections, its errors (host).

Names, arguments and what is raised are those of pyscard 2.3 (smartcard.System, smartcard.reader,
smartcard.CardConnection, smartcard.Exceptions).
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

APDU_UID = [0xFF, 0xCA, 0x00, 0x00, 0x00]
STORAGE_A = bytes.fromhex("3b8f8001804f0ca000000306030001000000006a")


class SmartcardException(Exception):
    """Base class of pyscard's own."""

    def __init__(self, *args: object, message: str = "", hresult: int = -1) -> None:
        super().__init__(*args)
        self.message, self.hresult = message, hresult


class NoCardException(SmartcardException):
    """No card lies on the reader."""

    def __init__(self, message: str, hresult: int) -> None:
        super().__init__(message, hresult=hresult)


class CardConnectionException(SmartcardException):
    """The card was taken away, or does not answer."""


class EstablishContextException(Exception):
    """smartcard.pcsc: the service does not run. Of another family than the ones above."""


class Connection:
    """One connection to one reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.open = False

    def connect(self, protocol=None, mode=None, disposition=None) -> None:  # noqa: ARG002
        if self._reader.uid is None:
            raise NoCardException("Unable to connect", hresult=-2146434967)
        self.open = True

    def transmit(self, command: list[int], protocol=None) -> tuple[list[int], int, int]:  # noqa: ARG002
        if not self.open:
            raise CardConnectionException("Card not connected")
        if self._reader.taken_away:
            self._reader.taken_away = False
            raise CardConnectionException("Failed to transmit with protocol T1.")
        if command != APDU_UID:
            return [], 0x6A, 0x81
        return list(self._reader.uid or b""), *self._reader.status

    def getATR(self) -> list[int]:  # noqa: N802 - pyscard's name
        return list(self._reader.atr)

    def disconnect(self) -> None:
        self.open = False


class Reader:
    """A reader with what lies on it."""

    def __init__(self, uid: bytes | None = None, atr: bytes = STORAGE_A) -> None:
        self.uid = uid
        self.atr = atr
        self.status = (0x90, 0x00)
        self.taken_away = False

    def createConnection(self) -> Connection:  # noqa: N802 - pyscard's name
        return Connection(self)


def install(monkeypatch: pytest.MonkeyPatch, *readers: Reader, runs: bool = True) -> None:
    """pyscard is installed, and these readers are plugged in; ``runs``: so does the service."""
    package = types.ModuleType("smartcard")
    system = types.ModuleType("smartcard.System")
    errors = types.ModuleType("smartcard.Exceptions")

    def plugged_in(_groups: object = None) -> list[Reader]:
        if not runs:
            raise EstablishContextException("Service not available.")
        return list(readers)

    system.readers = plugged_in  # type: ignore[attr-defined]
    errors.NoCardException = NoCardException  # type: ignore[attr-defined]
    errors.CardConnectionException = CardConnectionException  # type: ignore[attr-defined]
    for module in (package, system, errors):
        monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
