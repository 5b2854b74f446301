"""Cards at the desk itself: readers that type like a keyboard, and PC/SC readers (host).

A reader that types sends a line and Enter into whatever prompt is open. What its line means:

- blanks, control characters, full-width forms and track marks (``;`` ``?`` ``%``) fall away
- the same number twice in one line is one card; two numbers are refused
- what services.cards.parse takes goes there: ten digits, 188,24910, TYPE:HEX, PINs
- more than ten digits with zeros in front, up to 13: the ten at the end
- hex digits: 8, 14 or 20 of them are the UID of an ISO 14443-A card as readers at doors have it,
  10 with a letter the whole number of an EM4100 card
- fewer digits than ten are filled up with zeros, which some readers leave away; eight are refused,
  for they may also be a UID, or facility and number

A PC/SC reader gives the UID by ``FF CA 00 00 00`` (PC/SC part 3, 3.2.2.1.3), in the order of the
anticollision, as RC522 and PN532 give it: the same card is the same credential. Numbers that are no
UID of type A are refused, and those that a phone makes up anew at every touch (4 bytes, first 08,
ISO 14443-3, 6.5.4).
"""

from __future__ import annotations

import importlib
import re
import time
import unicodedata
from typing import TYPE_CHECKING, Any

from controller_tool import credentials
from controller_tool.credentials import Credential
from controller_tool.errors import LinkError, OperatorError
from controller_tool.messages import t
from protocol.codes import CREDENTIAL_EM4100, CREDENTIAL_ISO14443A

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 30.0
_STEP_S = 0.2
_GET_UID = (0xFF, 0xCA, 0x00, 0x00, 0x00)
_DONE = 0x90, 0x00
_UID_BYTES = (4, 7, 10)
_MADE_UP = 0x08
# of an ATR that a reader makes for a card without its own: PC/SC part 3, 3.1.3.2.3.2
_STORAGE_CARD = bytes.fromhex("804f0ca0000003 06".replace(" ", ""))
_TYPE_A = (0x01, 0x02, 0x03)
_TYPE_B_ATR = bytes.fromhex("3b888001")
_MARKS = ";?%"
_DIGITS = re.compile(r"[0-9]+")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_PRINTED_DIGITS = 10
_LONGEST_DIGITS = 13
_UNCLEAR_DIGITS = 8
_LEAST_DIGITS = 4
_UID_HEX = (8, 14, 20)
_EM4100_HEX = 10


def typed(line: str, em4100_version: int = 0) -> Credential:
    """The credential that a reader or a person typed; OperatorError when it is none."""
    plain = unicodedata.normalize("NFKC", line)
    spaced = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in plain)
    parts = {_once(part.strip(_MARKS)) for part in spaced.split()} - {""}
    if len(parts) > 1:
        raise OperatorError(
            t("Two cards were read, or one was read wrongly"),
            t("Hold one card to the reader once more"),
        )
    return _meant(parts.pop() if parts else "", em4100_version)


def _once(text: str) -> str:
    """A number that was read twice in one go."""
    half = len(text) // 2
    whole = len(text) % 2 == 0 and half >= _UNCLEAR_DIGITS and text[:half] == text[half:]
    return text[:half] if whole else text


def _meant(text: str, em4100_version: int) -> Credential:
    if _DIGITS.fullmatch(text):
        significant = text.lstrip("0")
        if len(text) == _UNCLEAR_DIGITS:
            raise OperatorError(
                t("{text} can be read in several ways", text=text),
                t("Write it as the card is: {printed}, {facility} or iso14443a:{text}",
                  printed=text.zfill(_PRINTED_DIGITS), facility=f"{text[:3]},{text[3:]}",
                  text=text),
            )  # fmt: skip
        if len(text) <= _LONGEST_DIGITS and _LEAST_DIGITS <= len(significant) <= _PRINTED_DIGITS:
            text = significant.zfill(_PRINTED_DIGITS)
    if _HEX.fullmatch(text) and not (_DIGITS.fullmatch(text) and len(text) == _PRINTED_DIGITS):
        if len(text) in _UID_HEX:
            return Credential(CREDENTIAL_ISO14443A, bytes.fromhex(text))
        if len(text) == _EM4100_HEX:
            return Credential(CREDENTIAL_EM4100, bytes.fromhex(text))
    return credentials.parse(text, em4100_version)


class PcscReader:
    """The PC/SC readers of this computer; all are asked, whichever has the card.

    OperatorError where the package or a reader is missing.
    """

    def __init__(self) -> None:
        try:
            self._system: Any = importlib.import_module("smartcard.System")
            self._errors: Any = importlib.import_module("smartcard.Exceptions")
        except ImportError:
            raise OperatorError(
                t("This computer cannot read PC/SC readers: pyscard is not installed"),
                t('Install the tool with its extra "reader", or type the card\'s number'),
            ) from None

    def wait(
        self,
        wait_s: float = WAIT_S,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Credential:
        """The card that is held to a reader in time; OperatorError when none was."""
        until_s = clock() + wait_s
        while True:
            for reader in self._readers():
                found = self._card(reader)
                if found is not None:
                    return found
            if clock() >= until_s:
                raise OperatorError(
                    t("No card was held to the reader"), t("Try again, or type the card's number")
                )
            sleep(_STEP_S)

    def _readers(self) -> list[Any]:
        try:
            found = list(self._system.readers())
        except Exception as error:  # noqa: BLE001 - pyscard has two families of them, one per layer
            raise LinkError(
                t("The PC/SC service does not answer: {error}", error=error),
                t("Start it (on Linux: pcscd), then try again"),
            ) from None
        if not found:
            raise OperatorError(
                t("No PC/SC reader is plugged in"), t("Plug it in, or type the card's number")
            )
        return found

    def _card(self, reader: Any) -> Credential | None:
        connection = reader.createConnection()
        try:
            connection.connect()
            data, *status = connection.transmit(list(_GET_UID))
            atr = bytes(connection.getATR())
        except self._errors.NoCardException:
            return None
        except self._errors.CardConnectionException:
            return None  # taken away too soon: the next round sees
        finally:
            connection.disconnect()
        return _of_answer(bytes(data), tuple(status), atr)


def _of_answer(uid: bytes, status: tuple[int, ...], atr: bytes) -> Credential:
    at = atr.find(_STORAGE_CARD) + len(_STORAGE_CARD)
    other = at >= len(_STORAGE_CARD) and atr[at : at + 1] and atr[at] not in _TYPE_A
    if status != _DONE or len(uid) not in _UID_BYTES or other or atr.startswith(_TYPE_B_ATR):
        raise OperatorError(
            t("This card gives the desk reader no number that doors read"),
            t("Learn it at the reader of a door instead"),
        )
    if len(uid) == _UID_BYTES[0] and uid[0] == _MADE_UP:
        raise OperatorError(
            t("This card or phone shows another number at every touch"), t("Take a card instead")
        )
    return Credential(CREDENTIAL_ISO14443A, uid)
