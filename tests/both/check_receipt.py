"""Receipts (both)."""

from binascii import unhexlify

from protocol import cbor, receipt
from protocol.codes import ERR_MALFORMED, ERR_SIGNATURE
from protocol.hmac import hmac_sha256
from tests.both.support import flipped, outcome, refused, vectors

VECTOR = vectors("session")
KEY = unhexlify(VECTOR["key"])
RECEIPT = unhexlify(VECTOR["receipt"])
NONCE = unhexlify(VECTOR["controller_nonce"])


def resigned(body: bytes) -> bytes:
    return cbor.encode([body, hmac_sha256(KEY, b"receipt", body)[:16]])


def test_the_vector_reads() -> None:
    read = receipt.read(KEY, memoryview(RECEIPT))
    assert (read.site, read.device) == (unhexlify(VECTOR["site"]), unhexlify(VECTOR["device"]))
    assert (read.epoch, read.boot, read.version) == (1, 3, VECTOR["receipt_version"])
    assert (read.journal_seq, read.nonce) == (12, NONCE)


def test_make_gives_the_vector() -> None:
    read = receipt.read(KEY, RECEIPT)
    made = receipt.make(
        KEY,
        read.site,
        read.device,
        read.epoch,
        read.boot,
        read.version,
        read.digest,
        read.journal_seq,
        read.nonce,
    )
    assert made == RECEIPT


def test_another_key_is_refused() -> None:
    refused(ERR_SIGNATURE, receipt.read, KEY[:-1], RECEIPT)


def test_every_flipped_bit_is_refused() -> None:
    for bit in range(8 * len(RECEIPT)):
        code = outcome(receipt.read, KEY, flipped(RECEIPT, bit))
        assert code in (ERR_SIGNATURE, ERR_MALFORMED), bit


def test_every_truncation_is_refused() -> None:
    for length in range(len(RECEIPT)):
        refused(ERR_MALFORMED, receipt.read, KEY, RECEIPT[:length])
    refused(ERR_MALFORMED, receipt.read, KEY, RECEIPT + bytes(200))


def test_a_good_mac_over_another_shape_is_refused() -> None:
    fields = [b"s" * 8, b"d" * 8, 1, 2, 3, b"g" * 32, 4, b"n" * 16]
    assert receipt.read(KEY, resigned(cbor.encode(fields))).version == 3
    for at, value in ((0, b"short"), (2, -1), (2, True), (4, b"3"), (5, b""), (7, None)):
        wrong = list(fields)
        wrong[at] = value
        refused(ERR_MALFORMED, receipt.read, KEY, resigned(cbor.encode(wrong)))
    refused(ERR_MALFORMED, receipt.read, KEY, resigned(cbor.encode(fields[:-1])))
    refused(ERR_MALFORMED, receipt.read, KEY, resigned(b"\xff"))
