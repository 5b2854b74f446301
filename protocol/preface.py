"""The keyed preface that precedes any TLS byte (docs/protocol.md section 7, both interpreters).

A stranger costs the controller one hash and no handshake. Nothing here says why an answer was
refused: the connection is closed without a word.
"""

from protocol.constants import (
    ID_BYTES,
    NONCE_BYTES,
    PREFACE_ANSWER_BYTES,
    PREFACE_GREETING_BYTES,
    PREFACE_MAC_BYTES,
    PREFACE_MAGIC,
    PREFACE_VERDICT_BYTES,
)
from protocol.hmac import equal, hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_PEER_ID_AT = 5
_NONCE_AT = _PEER_ID_AT + ID_BYTES
_MAC_AT = _NONCE_AT + NONCE_BYTES


class Refused(ValueError):
    """Not what a holder of the key says."""


class Exchange:
    """What both macs of one preface cover; made by either side once it knows the other."""

    def __init__(self, key: bytes, device: bytes, peer_id: bytes, nonces: bytes) -> None:
        self.key = key
        self.peer_id = peer_id
        self._covered = device + peer_id + nonces

    def mac(self, label: bytes, tail: bytes = b"") -> bytes:
        return hmac_sha256(self.key, label, self._covered, tail)[:PREFACE_MAC_BYTES]


def peer_key(link_root: bytes, role: int, peer_id: bytes) -> bytes:
    """The key, 32 bytes, of one peer in one role at the controller that owns `link_root`."""
    return hmac_sha256(link_root, b"peer", bytes((role,)), peer_id)


def greeting(controller_nonce: bytes) -> bytes:
    """Message 1, 20 bytes: the controller's fresh random nonce of 16."""
    return PREFACE_MAGIC + controller_nonce


def read_greeting(data: "Buffer") -> bytes:
    """Host only. The controller's nonce; raises Refused."""
    if len(data) != PREFACE_GREETING_BYTES or bytes(data[:4]) != PREFACE_MAGIC:
        raise Refused("not a controller's greeting")
    return bytes(data[4:])


def answer(
    key: bytes, device: bytes, role: int, peer_id: bytes, controller_nonce: bytes, peer_nonce: bytes
) -> bytes:
    """Host only. Message 2, 45 bytes; `key` is the peer_key for this device."""
    exchange = Exchange(key, device, peer_id, controller_nonce + peer_nonce)
    mac = exchange.mac(b"to-controller")
    return PREFACE_MAGIC + bytes((role,)) + peer_id + peer_nonce + mac


def check_answer(
    link_root: bytes, device: bytes, controller_nonce: bytes, data: "Buffer"
) -> "tuple[int, Exchange]":
    """(role, exchange for the verdict) of a good message 2; raises Refused."""
    if len(data) != PREFACE_ANSWER_BYTES or bytes(data[:4]) != PREFACE_MAGIC:
        raise Refused("shape")
    role = data[4]
    peer_id = bytes(data[_PEER_ID_AT:_NONCE_AT])
    nonces = controller_nonce + bytes(data[_NONCE_AT:_MAC_AT])
    exchange = Exchange(peer_key(link_root, role, peer_id), device, peer_id, nonces)
    if not equal(exchange.mac(b"to-controller"), data[_MAC_AT:]):
        raise Refused("mac")
    return role, exchange


def verdict(exchange: Exchange, status: int, wait_s: int) -> bytes:
    """Message 3, 22 bytes. status 0: TLS follows; 1: come back after wait_s (0–255)."""
    tail = bytes((status, wait_s))
    return PREFACE_MAGIC + tail + exchange.mac(b"to-peer", tail)


def check_verdict(
    key: bytes,
    device: bytes,
    peer_id: bytes,
    controller_nonce: bytes,
    peer_nonce: bytes,
    data: "Buffer",
) -> "tuple[int, int]":
    """Host only. (status, wait_s) of a good message 3; raises Refused."""
    if len(data) != PREFACE_VERDICT_BYTES or bytes(data[:4]) != PREFACE_MAGIC:
        raise Refused("shape")
    tail = bytes(data[4:6])
    exchange = Exchange(key, device, peer_id, controller_nonce + peer_nonce)
    if not equal(exchange.mac(b"to-peer", tail), data[6:]):
        raise Refused("mac")
    return tail[0], tail[1]
