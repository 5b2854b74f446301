"""Receipts: what a controller states about the list that it holds, docs section 4 (both)."""

from protocol import cbor
from protocol.codes import ERR_MALFORMED, ERR_SIGNATURE
from protocol.constants import ID_BYTES, NONCE_BYTES
from protocol.hmac import equal, hmac_sha256
from protocol.messages import Refused, decode, is_number

_MAC_BYTES = 16
_MAX_BYTES = 160
# bytes of each field of the body; 0: a number
_SIZES = (ID_BYTES, ID_BYTES, 0, 0, 0, 32, 0, NONCE_BYTES)


class Receipt:
    """The body of a receipt; `journal_seq` is the next one of the alarm ring."""

    def __init__(
        self,
        site: bytes,
        device: bytes,
        epoch: int,
        boot: int,
        version: int,
        digest: bytes,
        journal_seq: int,
        nonce: bytes,
    ) -> None:
        self.site = site
        self.device = device
        self.epoch = epoch
        self.boot = boot
        self.version = version
        self.digest = digest
        self.journal_seq = journal_seq
        self.nonce = nonce


def make(
    key: bytes,
    site: bytes,
    device: bytes,
    epoch: int,
    boot: int,
    version: int,
    digest: bytes,
    journal_seq: int,
    nonce: bytes,
) -> bytes:
    """Receipt under the controller's own receipt key, for the nonce of the one who asks."""
    body = cbor.encode((site, device, epoch, boot, version, digest, journal_seq, nonce))
    return cbor.encode((body, _mac(key, body)))


def read(key: bytes, data: "bytes | memoryview") -> Receipt:
    """The receipt, its MAC proven. Raises Refused(ERR_MALFORMED or ERR_SIGNATURE).

    Whether site, device and nonce are those that were asked for is the caller's to see.
    """
    if len(data) > _MAX_BYTES:
        raise Refused(ERR_MALFORMED)
    outer = decode(data)
    if not _fits(outer, (-1, _MAC_BYTES)):
        raise Refused(ERR_MALFORMED)
    if not equal(_mac(key, outer[0]), outer[1]):
        raise Refused(ERR_SIGNATURE)
    fields = decode(outer[0])
    if not _fits(fields, _SIZES):
        raise Refused(ERR_MALFORMED)
    return Receipt(*fields)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac_sha256(key, b"receipt", body)[:_MAC_BYTES]


def _fits(values: "cbor.Value", sizes: "tuple[int, ...]") -> bool:
    """Whether it is a list of byte strings of these sizes (-1: any) and numbers (0)."""
    if not isinstance(values, list) or len(values) != len(sizes):
        return False
    for i in range(len(sizes)):
        value = values[i]
        if sizes[i] == 0:
            if not is_number(value, 0xFFFFFFFF):
                return False
        elif not isinstance(value, bytes) or (sizes[i] > 0 and len(value) != sizes[i]):
            return False
    return True
