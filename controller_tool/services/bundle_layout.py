"""Evidence bundles: names, layouts and bounds; docs/bundle.md describes them (host, pure)."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from controller_tool.services.journal_findings import Head
from protocol import cbor, cose
from protocol.cbor import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "controller-tool journal bundle 1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.cose"
TRUST, PEER_CA, MAKER = "trust.cbor", "peer-ca.der", "maker.der"
DEVICE, CHECKPOINTS, CARDS = "device.der", "checkpoints.cbor", "cards.json"
RECORDS, HEADS, SECTORS = "records.bin", "heads.bin", "sectors.bin"
CONFLICTS, AUDIT_KEY, TOOL_T, MASKS = "conflicts.bin", "audit-key.bin", "tool-t.bin", "masks.bin"
AAD = b"journal-bundle"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,40}(/[a-z0-9][a-z0-9.-]{0,40}){0,2}")

MANIFEST_MAX_BYTES = 1 << 23
FILE_MAX_BYTES = 1 << 28
TOTAL_MAX_BYTES = (1 << 31) - (1 << 24)  # of a zip without ZIP64, which readers refuse
FILES_MAX = 20_000
CONTROLLERS_MAX = 2_000  # each has ten files at least
RATIO_MAX = 100  # of a packed file; what a bundle holds hardly shrinks

_HEAD = struct.Struct(">16sI32sII16s16sI")
HEAD_BYTES = _HEAD.size
_SIGN1 = b"\xd2\x84\x4d"
_PROTECTED = b"\xa2\x01\x26\x04\x48"  # {1: -7, 4: h'…8 bytes'}
_REST = b"\xa0\xf6\x58\x40"  # no unprotected header, detached payload, signature of 64 bytes
_SIGNATURE_BYTES = 64
_OPENING_BYTES = 64  # of an envelope: enough to know its length


def pack_head(head: Head, boot: int, pulled_at_s: int) -> bytes:
    """A head, 96 bytes."""
    return _HEAD.pack(
        head.nonce, head.next_seq, head.chain, head.oldest_seq, boot, head.macs["tool"],
        head.macs["audit"], pulled_at_s,
    )  # fmt: skip


def heads(packed: Iterable[bytes]) -> list[Head]:
    """Heads of 96 bytes each."""
    found = []
    for piece in packed:
        nonce, number, c, oldest, _, tool, audit, _ = _HEAD.unpack(piece)
        found.append(Head(nonce, number, c, oldest, {"tool": tool, "audit": audit}))
    return found


def pieces(data: bytes, size: int) -> list[bytes]:
    """The whole pieces of a file."""
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def checkpoint_file(envelopes: Iterable[bytes]) -> bytes:
    """A CBOR sequence (RFC 8742) of tagged COSE_Sign1."""
    return b"".join(cose.tagged(envelope) for envelope in envelopes)


def checkpoints(data: bytes) -> list[bytes]:
    """The envelopes of such a file, untagged; raises Malformed for anything else in it."""
    found, at = [], 0
    while at < len(data):
        opening = data[at + 1 : at + 1 + _OPENING_BYTES]
        if data[at] != cose.tagged(b"")[0] or len(opening) < _OPENING_BYTES:
            raise Malformed("checkpoints")
        end = at + 1 + cose.length_of(opening)
        if end > len(data):
            raise Malformed("checkpoints")
        found.append(data[at + 1 : end])
        at = end
    return found


def to_be_signed(peer: bytes, manifest: bytes) -> bytes:
    """The Sig_structure (RFC 9052 section 4.4) over a manifest."""
    return cose.before_payload(_PROTECTED + peer, AAD) + cbor.head(2, len(manifest)) + manifest


def signed(peer: bytes, signature: bytes) -> bytes:
    """COSE_Sign1, tagged, ES256, the manifest detached."""
    return _SIGN1 + _PROTECTED + peer + _REST + signature


def open_signature(data: bytes) -> tuple[bytes, bytes] | None:
    """(peer id, signature r ‖ s); None for anything but the one template."""
    opening = _SIGN1 + _PROTECTED
    peer = data[len(opening) : len(opening) + 8]
    signature = data[len(opening) + 8 + len(_REST) :]
    if len(signature) != _SIGNATURE_BYTES or signed(peer, signature) != data:
        return None
    return peer, signature
