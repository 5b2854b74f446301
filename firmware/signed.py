"""Signed objects: which key may speak, and its signature in steps that let the door in (device)."""

import asyncio

from protocol import cose
from protocol.codes import ERR_KEY_UNKNOWN, ERR_MALFORMED, ERR_SIGNATURE
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.cose import Buffer, Envelope
    from protocol.trust import Trust


def opened(trust: "Trust", role: int, data: "Buffer", aad: bytes) -> "tuple[Envelope, cose.Verifier]":
    """The envelope, unverified, and the work of verifying it; raises Refused."""
    try:
        envelope = cose.open_envelope(data)
    except ValueError as error:
        raise Refused(ERR_MALFORMED) from error
    modulus = trust.find_key(role, envelope.kid)
    if modulus is None:
        raise Refused(ERR_KEY_UNKNOWN)
    return envelope, cose.Verifier(envelope, aad, modulus)


async def payload(trust: "Trust", role: int, data: "Buffer", aad: bytes) -> "Buffer":
    """Payload of an envelope that a key of this role signed for `aad`; raises Refused."""
    envelope, verifier = opened(trust, role, data, aad)
    while verifier.step():
        await asyncio.sleep_ms(0)
    if not verifier.ok:
        raise Refused(ERR_SIGNATURE)
    return envelope.payload


def payload_at_once(trust: "Trust", role: int, data: "Buffer", aad: bytes) -> "Buffer":
    """The same without letting anybody in: for starting up only."""
    envelope, verifier = opened(trust, role, data, aad)
    while verifier.step():
        pass
    if not verifier.ok:
        raise Refused(ERR_SIGNATURE)
    return envelope.payload
