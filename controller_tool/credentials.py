"""Card numbers as people write them, and the bytes that a reader sends for them (host).

Forms, in the order in which they are tried:

- a card's number in any of these forms, ``+`` and digits: that card together with that PIN
- ``pin:`` and digits: a PIN that is typed alone
- ``name:hex``, such as ``iso14443a:04a2b3c4``: any type, by its name in protocol/names.py
- ten digits, as printed on 125 kHz cards: the 32-bit number of an EM4100 card; its version byte
  is not printed and comes from the site's settings
- ``ddd,ddddd``, also printed on those: facility and number of a Wiegand-26 reader
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.codes import (
    CREDENTIAL_CARD_PIN,
    CREDENTIAL_EM4100,
    CREDENTIAL_ISO14443A,
    CREDENTIAL_ISO14443B,
    CREDENTIAL_PIN,
    CREDENTIAL_WIEGAND26,
    CREDENTIAL_WIEGAND34,
    CREDENTIAL_WIEGAND37,
)
from protocol.constants import CREDENTIAL_MAX_BYTES, PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.names import CREDENTIAL_NAMES

PIN_TYPES = (CREDENTIAL_PIN, CREDENTIAL_CARD_PIN)
_TYPES = {name: number for number, name in CREDENTIAL_NAMES.items() if number not in PIN_TYPES}
_LENGTHS = {
    CREDENTIAL_EM4100: (5,),
    CREDENTIAL_ISO14443A: (4, 7, 10),
    CREDENTIAL_ISO14443B: (8,),
    CREDENTIAL_WIEGAND26: (3,),
    CREDENTIAL_WIEGAND34: (4,),
    CREDENTIAL_WIEGAND37: (5,),
}
_ANY_LENGTH = range(1, CREDENTIAL_MAX_BYTES + 1)
_PRINTED = re.compile(r"[0-9]{10}")
_FACILITY = re.compile(r"([0-9]{3}),([0-9]{5})")
_PIN = "pin:"
_DIGITS = re.compile(rf"[0-9]{{{PIN_DIGITS_MIN},{PIN_DIGITS_MAX}}}")
_HEAD_BYTES = 2  # type and length of the card before a PIN
_NAMED = re.compile(r"([a-z0-9_]+):((?:[0-9a-fA-F]{2})+)")


@dataclass(frozen=True)
class Credential:
    """A type (CREDENTIAL_*) and the bytes that its readers send."""

    type: int
    data: bytes

    def __str__(self) -> str:
        if self.type == CREDENTIAL_PIN:
            return f"{_PIN}{self.data.decode()}"
        if self.type == CREDENTIAL_CARD_PIN:
            card, digits = self._parts()
            return f"{card}+{digits}"
        return f"{CREDENTIAL_NAMES[self.type]}:{self.data.hex()}"

    def masked(self) -> str:
        """For screens: enough to recognise a card in the hand, too little to copy it.

        Of a PIN nothing is shown at all.
        """
        if self.type == CREDENTIAL_PIN:
            return f"{_PIN}…"
        if self.type == CREDENTIAL_CARD_PIN:
            return f"{self._parts()[0].masked()}+…"
        return f"{CREDENTIAL_NAMES[self.type]}:…{self.data[-2:].hex()}"

    def _parts(self) -> tuple[Credential, str]:
        end = _HEAD_BYTES + self.data[1]
        return Credential(self.data[0], self.data[_HEAD_BYTES:end]), self.data[end:].decode()


def parse(text: str, em4100_version: int = 0) -> Credential:
    """The credential that ``text`` stands for; OperatorError when it is none."""
    text = text.strip().replace("，", ",")
    if text.startswith(_PIN):
        return Credential(CREDENTIAL_PIN, _digits(text, text.removeprefix(_PIN)))
    if "+" in text:
        card, _, digits = text.rpartition("+")
        return _with_pin(parse(card, em4100_version), digits)
    if found := _NAMED.fullmatch(text):
        return _named(found[1], bytes.fromhex(found[2]))
    if _PRINTED.fullmatch(text) and int(text) < 2**32:
        return Credential(CREDENTIAL_EM4100, bytes((em4100_version,)) + int(text).to_bytes(4))
    if found := _FACILITY.fullmatch(text):
        facility, number = int(found[1]), int(found[2])
        if facility < 2**8 and number < 2**16:
            return Credential(CREDENTIAL_WIEGAND26, bytes((facility,)) + number.to_bytes(2))
    raise _refusal(text)


def _with_pin(card: Credential, digits: str) -> Credential:
    """A card and a PIN as a reader with keys has them; OperatorError when they do not fit."""
    data = bytes((card.type, len(card.data))) + card.data
    if card.type in PIN_TYPES or len(data) + PIN_DIGITS_MAX > CREDENTIAL_MAX_BYTES:
        raise _refusal(f"{card.masked()}+…")
    return Credential(CREDENTIAL_CARD_PIN, data + _digits(f"{card.masked()}+…", digits))


def _digits(shown: str, digits: str) -> bytes:
    if not _DIGITS.fullmatch(digits):
        raise OperatorError(
            t("{text} is no PIN", text=shown if shown.endswith("…") else f"{_PIN}…"),
            t("A PIN has {least} to {most} digits",
              least=PIN_DIGITS_MIN, most=PIN_DIGITS_MAX),
        )  # fmt: skip
    return digits.encode()


def _named(name: str, data: bytes) -> Credential:
    kind = _TYPES.get(name)
    if kind is None or len(data) not in _LENGTHS.get(kind, _ANY_LENGTH):
        raise _refusal(f"{name}:{data.hex()}")
    return Credential(kind, data)


def _refusal(text: str) -> OperatorError:
    return OperatorError(
        t("{text} is not a card number", text=text or '""'),
        t("Give its ten digits, facility and number as 188,24910, or TYPE:HEX"
          " with a type of {types}; with +DIGITS for a PIN after the card, or pin:DIGITS alone",
          types=", ".join(sorted(_TYPES))),
    )  # fmt: skip
