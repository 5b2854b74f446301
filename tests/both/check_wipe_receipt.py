"""Wipe receipts (both)."""

from binascii import unhexlify

from protocol import wipe_receipt
from protocol.codes import ERR_MALFORMED, ERR_SIGNATURE
from tests.both.support import flipped, outcome, refused, vectors

VECTOR = vectors("session")
KEY = unhexlify(VECTOR["key"])
RECEIPT = unhexlify(VECTOR["wipe_receipt"])


def test_the_vector_reads_and_is_made_alike() -> None:
    read = wipe_receipt.read(KEY, memoryview(RECEIPT))
    assert (read.site, read.device) == (unhexlify(VECTOR["site"]), unhexlify(VECTOR["device"]))
    assert (read.epoch, read.alarm_seq, read.erased) == (1, 41, 0x7F)
    assert read.nonce == unhexlify(VECTOR["controller_nonce"])
    made = wipe_receipt.make(
        KEY, read.site, read.device, read.epoch, read.alarm_seq, read.erased, read.nonce
    )
    assert made == RECEIPT


def test_each_bit_counts() -> None:
    for bit in range(len(RECEIPT) * 8):
        code = outcome(wipe_receipt.read, KEY, flipped(RECEIPT, bit))
        assert code in {ERR_MALFORMED, ERR_SIGNATURE}, bit


def test_a_list_receipt_is_no_wipe_receipt() -> None:
    refused(ERR_SIGNATURE, wipe_receipt.read, KEY[:-1], RECEIPT)
    refused(ERR_MALFORMED, wipe_receipt.read, KEY, RECEIPT[:-1])
    assert outcome(wipe_receipt.read, KEY, unhexlify(VECTOR["receipt"])) in {
        ERR_MALFORMED,
        ERR_SIGNATURE,
    }
