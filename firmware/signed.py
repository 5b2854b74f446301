"""Signed objects: which key may speak, and its signature in steps that let the door in (device)."""

import asyncio
import gc

from protocol import cose
from protocol.codes import (
    ERR_KEY_UNKNOWN,
    ERR_MALFORMED,
    ERR_SIGNATURE,
    KEY_CHECKPOINT,
    KEY_TICKET,
    KEY_WHITELIST,
)
from protocol.constants import RSA_BYTES
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocol.cose import Buffer, Envelope
    from protocol.trust import Trust

TRUST_PATH = "/cfg/trust.cbor"
KEY_ROLES = (KEY_WHITELIST, KEY_TICKET, KEY_CHECKPOINT)


class Keys:
    """What a running controller needs of its trust object; the rest costs heap until it ends.

    Keys themselves stay in the file: three of them would take more than a kilobyte.
    """

    def __init__(self, trust: "Trust") -> None:
        """trust: its moduli are pieces of the file that is, or is about to be, TRUST_PATH."""
        self.version = trust.version
        self.epoch = trust.epoch
        # side by side: an id for itself takes five times that; that one is found where two meet is
        # as likely as that two peers have the same
        self.revoked_peers = b"".join(trust.revoked)
        # empty for an object that speaks for nothing new (firmware/trust_change.py)
        self.places: "list[tuple[int, bytes, int]]" = []
        for role in KEY_ROLES:
            pieces: "list[Any]" = list(trust.moduli(role))
            for piece in pieces:
                self.places.append((role, cose.key_id(piece.read()), piece.start))

    def find(self, role: int, kid: bytes) -> "bytes | None":
        """The modulus that `kid` names in a role, or None; OSError when it cannot be read."""
        for held, known, start in self.places:
            if held == role and known == kid:
                with open(TRUST_PATH, "rb") as file:
                    file.seek(start)
                    modulus: bytes = file.read(RSA_BYTES)
                return modulus if cose.key_id(modulus) == kid else None
        return None


def opened(keys: Keys, role: int, data: "Buffer", aad: bytes) -> "tuple[Envelope, cose.Verifier]":
    """The envelope, unverified, and the work of verifying it; raises Refused."""
    try:
        envelope = cose.open_envelope(data)
    except ValueError as error:
        raise Refused(ERR_MALFORMED) from error
    modulus = keys.find(role, envelope.kid)
    if modulus is None:
        raise Refused(ERR_KEY_UNKNOWN)
    return envelope, cose.Verifier(envelope, aad, modulus)


async def payload(keys: Keys, role: int, data: "Buffer", aad: bytes) -> "Buffer":
    """Payload of an envelope that a key of this role signed for `aad`; raises Refused."""
    envelope, verifier = opened(keys, role, data, aad)
    while verifier.step():
        # else its garbage and what it goes on with alternate, and no hole is wide enough
        gc.collect()
        await asyncio.sleep_ms(0)
    if not verifier.ok:
        raise Refused(ERR_SIGNATURE)
    verified = envelope.payload
    # a coroutine that has ended is held by the one that waited for it, with all its locals
    del envelope, verifier
    return verified
