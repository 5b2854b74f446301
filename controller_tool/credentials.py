"""Card numbers as people write them, and the bytes that a reader sends for them (host).

Forms, in the order in which they are tried:

- ``name:hex``, such as ``iso14443a:04a2b3c4``: any type, by its name in protocol/names.py
- ten digits, as printed on 125 kHz cards: the 32-bit number of an EM4100 card; its version byte
  is not printed and comes from the site's settings
- ``ddd,ddddd``, also printed on those: facility and number of a Wiegand-26 reader
"""

import re
from dataclasses import dataclass

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.codes import (
    CREDENTIAL_EM4100,
    CREDENTIAL_ISO14443A,
    CREDENTIAL_ISO14443B,
    CREDENTIAL_WIEGAND26,
    CREDENTIAL_WIEGAND34,
    CREDENTIAL_WIEGAND37,
)
from protocol.constants import CREDENTIAL_MAX_BYTES
from protocol.names import CREDENTIAL_NAMES

_TYPES = {name: number for number, name in CREDENTIAL_NAMES.items()}
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
_NAMED = re.compile(r"([a-z0-9_]+):((?:[0-9a-fA-F]{2})+)")


@dataclass(frozen=True)
class Credential:
    """A type (CREDENTIAL_*) and the bytes that its readers send."""

    type: int
    data: bytes

    def __str__(self) -> str:
        return f"{CREDENTIAL_NAMES[self.type]}:{self.data.hex()}"

    def masked(self) -> str:
        """For screens: enough to recognise a card in the hand, too little to copy it."""
        return f"{CREDENTIAL_NAMES[self.type]}:…{self.data[-2:].hex()}"


def parse(text: str, em4100_version: int = 0) -> Credential:
    """The credential that ``text`` stands for; OperatorError when it is none."""
    text = text.strip().replace("，", ",")
    if found := _NAMED.fullmatch(text):
        return _named(found[1], bytes.fromhex(found[2]))
    if _PRINTED.fullmatch(text) and int(text) < 2**32:
        return Credential(CREDENTIAL_EM4100, bytes((em4100_version,)) + int(text).to_bytes(4))
    if found := _FACILITY.fullmatch(text):
        facility, number = int(found[1]), int(found[2])
        if facility < 2**8 and number < 2**16:
            return Credential(CREDENTIAL_WIEGAND26, bytes((facility,)) + number.to_bytes(2))
    raise _refusal(text)


def _named(name: str, data: bytes) -> Credential:
    kind = _TYPES.get(name)
    if kind is None or len(data) not in _LENGTHS.get(kind, _ANY_LENGTH):
        raise _refusal(f"{name}:{data.hex()}")
    return Credential(kind, data)


def _refusal(text: str) -> OperatorError:
    return OperatorError(
        t("{text} is not a card number", text=text or '""'),
        t("Give its ten digits, facility and number as 188,24910, or TYPE:HEX"
          " with a type of {types}",
          types=", ".join(sorted(_TYPES))),
    )  # fmt: skip
