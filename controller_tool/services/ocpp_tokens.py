"""Cards as chargers of other makes know them: OCPP idTags and idTokens, both ways (host).

A token is what a charger's reader reports. Forms, in the order in which they are tried:

- the hex digits of the card's number, of a length that belongs to one kind of card
- ``name:HEX``, as everywhere in this tool, for kinds whose length another one has as well
- anything else that can be printed: a credential of text

OCPP compares tokens without regard to case. Sources: OCPP 1.6 (CiString20Type) and 2.0.1
(IdTokenType, IdTokenEnumType) with the JSON schemas of both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller_tool import credentials
from controller_tool.credentials import Credential
from controller_tool.errors import OperatorError
from protocol.codes import (
    CREDENTIAL_EM4100,
    CREDENTIAL_ISO14443A,
    CREDENTIAL_ISO14443B,
    CREDENTIAL_TEXT,
    CREDENTIAL_WIEGAND26,
)
from protocol.constants import CREDENTIAL_MAX_BYTES
from protocol.names import CREDENTIAL_NAMES

V16, V201 = "1.6", "2.0.1"
TOKEN_MAX = {V16: 20, V201: 36}
ISO14443, LOCAL = "ISO14443", "Local"
# 2.0.1 has no type for 125 kHz cards; ISO15693 cards no reader of ours can read
READABLE_TYPES = ("", ISO14443, LOCAL, "Central")
TOKEN_TYPES = (
    *READABLE_TYPES[1:], "ISO15693", "KeyCode", "eMAID", "MacAddress", "NoAuthorization"
)  # fmt: skip
_BY_BYTES = {
    3: CREDENTIAL_WIEGAND26,
    4: CREDENTIAL_ISO14443A,
    5: CREDENTIAL_EM4100,
    7: CREDENTIAL_ISO14443A,
    8: CREDENTIAL_ISO14443B,
    10: CREDENTIAL_ISO14443A,
}
_ISO14443 = (CREDENTIAL_ISO14443A, CREDENTIAL_ISO14443B)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_NAMED = re.compile(rf"(?:{'|'.join(CREDENTIAL_NAMES.values())}):.*", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """text: idTag or idToken; kind: the type of 2.0.1, empty in 1.6."""

    text: str
    kind: str = ""

    @property
    def folded(self) -> str:
        """Equal for tokens that a charger takes for the same."""
        return self.text.upper()


def token_of(version: str, credential: Credential) -> Token | None:
    """The token of a card; None where no token of this version can hold it, and for a PIN."""
    if credential.type in credentials.PIN_TYPES:
        return None
    kind = ""
    if version == V201:
        kind = ISO14443 if credential.type in _ISO14443 else LOCAL
    for text in _spellings(credential):
        token = Token(text, kind)
        if len(text) <= TOKEN_MAX[version] and credential_of(token) == credential:
            return token
    return None


def credential_of(token: Token) -> Credential | None:
    """The card that a token stands for; None where no reader of ours could report it."""
    if token.kind not in READABLE_TYPES:
        return None
    credential = _read(token.text)
    if credential is not None and credential.type in credentials.PIN_TYPES:
        return None
    if token.kind == ISO14443 and (credential is None or credential.type not in _ISO14443):
        return None
    return credential


def _spellings(credential: Credential) -> list[str]:
    found = [credential.data.hex().upper()]
    if credential.type == CREDENTIAL_TEXT:
        found.append(credential.data.decode("latin-1"))
    name, _, number = str(credential).partition(":")
    return [*found, f"{name}:{number.upper()}"]


def _read(text: str) -> Credential | None:
    if _HEX.fullmatch(text) and len(text) // 2 in _BY_BYTES:
        data = bytes.fromhex(text)
        return Credential(_BY_BYTES[len(data)], data)
    if _NAMED.fullmatch(text):
        try:
            return credentials.parse(text.lower())
        except OperatorError:
            return None
    if not (text.isascii() and text.isprintable() and text.strip() == text):
        return None
    if not 0 < len(text) <= CREDENTIAL_MAX_BYTES:
        return None
    return Credential(CREDENTIAL_TEXT, text.encode())
