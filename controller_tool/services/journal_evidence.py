"""What a registry holds that proves a journal, ready to be judged (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import select

from controller_tool.keys.files import RSA_EXPONENT
from controller_tool.registry.records import JournalCheckpoint, JournalRecord, JournalSector
from controller_tool.services import journal_store, trust_store
from controller_tool.services.journal_findings import FALSE_CHECKPOINT, Finding, Head
from protocol import cbor, cose, trust
from protocol.codes import KEY_CHECKPOINT
from protocol.constants import AAD_CHECKPOINT, CHAIN_BYTES, RING_ACCESS, RING_ALARM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.registry.records import JournalHead
    from controller_tool.services.site import Site

_FIELDS = 6


@dataclass(frozen=True)
class Checkpoints:
    """Of one ring: (number, c) of those with a good signature, and a finding for each other."""

    good: list[tuple[int, bytes]]
    false: list[Finding]


def places(session: Session, device_id: str, ring: int) -> list[tuple[int, bytes]]:
    """(number, 48 bytes) of the stored records; the driver's own tuples, for there may be a million
    and a row of SQLAlchemy's for each is a tenth of a whole verification.
    """
    query = (
        select(JournalRecord.seq, JournalRecord.record)
        .where(JournalRecord.device_id == device_id, JournalRecord.ring == ring)
        .order_by(JournalRecord.seq)
    )
    # never None behind a select; if it were, no record must not look like an empty journal
    return session.connection().execute(query).cursor.fetchall()  # type: ignore[return-value]


def heads(session: Session, device_id: str, ring: int) -> list[Head]:
    """Stored heads, the oldest first."""
    return [head(row) for row in journal_store.heads(session, device_id, ring)]


def head(row: JournalHead) -> Head:
    """A stored head as it is judged."""
    macs = {"tool": row.tool_mac, "audit": row.audit_mac}
    return Head(row.nonce, row.next_seq, row.chain, row.oldest_seq, macs)


def sectors(session: Session, device_id: str, ring: int) -> list[bytes]:
    """Stored sector headers of 64 bytes, by first number."""
    query = (
        select(JournalSector.header)
        .where(JournalSector.device_id == device_id, JournalSector.ring == ring)
        .order_by(JournalSector.first_seq, JournalSector.id)
    )
    return list(session.scalars(query))


def envelopes(session: Session, device_id: str) -> list[bytes]:
    """Stored checkpoints, the oldest first."""
    query = select(JournalCheckpoint.envelope).where(JournalCheckpoint.device_id == device_id)
    return list(session.scalars(query.order_by(JournalCheckpoint.id)))


def checkpoint_keys(site: Site) -> list[bytes]:
    """Moduli that ever spoke for checkpoints, by the trust objects of this folder."""
    held = [
        trust.parse(data) for data in (*trust_store.objects(site).values(), site.trust_object())
    ]
    return list({key: None for each in held for key in each.moduli(KEY_CHECKPOINT)})


def checkpoints(
    found: Iterable[bytes], keys: list[bytes], site: bytes, device: Device | bytes, ring: int
) -> Checkpoints:
    """Those of one ring whose signature one of ``keys`` made over this site and controller."""
    device_id = device if isinstance(device, bytes) else device.id_bytes
    sorted_out = Checkpoints([], [])
    for envelope in found:
        said = _read(envelope)
        number = said[2 + 2 * ring] if said else 0
        if said and said[:2] == [site, device_id] and is_signed(envelope, keys):
            sorted_out.good.append((number, said[3 + 2 * ring]))
        else:
            sorted_out.false.append(Finding(FALSE_CHECKPOINT, number, number))
    return sorted_out


def is_signed(envelope: bytes, keys: list[bytes]) -> bool:
    """Whether one of the keys signed this envelope as a checkpoint."""
    parts = cose.open_envelope(envelope)
    signed = cose.to_be_signed(parts.kid, bytes(parts.payload), AAD_CHECKPOINT)
    for modulus in keys:
        if cose.key_id(modulus) == parts.kid:
            number = int.from_bytes(modulus, "big")
            try:
                key = rsa.RSAPublicNumbers(RSA_EXPONENT, number).public_key()
                key.verify(bytes(parts.signature), signed, padding.PKCS1v15(), hashes.SHA256())
            except (InvalidSignature, ValueError):  # ValueError: a modulus that is none
                return False
            return True
    return False


def _read(envelope: bytes) -> list[cbor.Value] | None:
    """`[site, device, access number, c, alarm number, c]`; None for any other shape."""
    try:
        said = cbor.decode(bytes(cose.open_envelope(envelope).payload))
    except ValueError:
        return None
    if not isinstance(said, list) or len(said) != _FIELDS:
        return None
    for ring in (RING_ACCESS, RING_ALARM):
        number, c = said[2 + 2 * ring : 4 + 2 * ring]
        if (
            type(number) is not int
            or number < 0
            or not isinstance(c, bytes)
            or len(c) != CHAIN_BYTES
        ):
            return None
    return said
