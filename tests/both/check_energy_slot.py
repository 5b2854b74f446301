"""Slots of the energy ring byte for byte, docs/protocol.md section 5 (both)."""

from binascii import crc32, unhexlify

from protocol import energy_slot
from protocol.constants import CHUNK_BYTES, ENERGY_PAGE_SLOTS, ENERGY_SLOT_BYTES, SECTOR_BYTES

KEY = b"cardkey8"
HEADER = unhexlify("0000000a0b0c0d0e0a6b0300")
ENTRY = unhexlify("636172646b65793800075bcd0e1001f405")


def minute() -> bytearray:
    made = bytearray(ENERGY_SLOT_BYTES)
    energy_slot.put_entry(
        made, 15, KEY, 482253, 3600, 500, energy_slot.ENERGY_LIVE | energy_slot.ENERGY_BY_TICKET
    )
    energy_slot.seal(made, 10, 0x0B0C0D0E, 0x0A6B, 3, energy_slot.KIND_MINUTE)
    return made


def test_a_minute_lies_as_the_document_says() -> None:
    made = minute()
    assert made[:12] == HEADER
    assert made[16 : 16 + 15 * 17] == bytes(15 * 17)
    assert made[16 + 15 * 17 :] == ENTRY
    crc = crc32(bytes(made[:12]) + bytes(made[16:])) & 0xFFFFFFFF
    assert int.from_bytes(made[12:16], "big") == crc
    assert energy_slot.entry(made, 15) == (KEY, 482253, 3600, 500, 5)
    assert energy_slot.entry(made, 0) == (bytes(8), 0, 0, 0, 0)


def test_every_bit_counts() -> None:
    whole = minute()
    assert energy_slot.is_whole(whole)
    for at in range(ENERGY_SLOT_BYTES):
        wrong = bytearray(whole)
        wrong[at] ^= 1 << at % 8
        assert not energy_slot.is_whole(wrong), at
    for size in (0, 1, ENERGY_SLOT_BYTES - 1):
        assert not energy_slot.is_whole(whole[:size])
    for filling in (b"\xff", b"\x00"):
        assert not energy_slot.is_whole(filling * ENERGY_SLOT_BYTES)


def test_what_is_too_large_for_its_field_is_as_large_as_that_can_be() -> None:
    made = bytearray(ENERGY_SLOT_BYTES)
    energy_slot.put_entry(made, 0, KEY, 1 << 29, 1 << 20, 1 << 20, energy_slot.ENERGY_ENDED)
    assert energy_slot.entry(made, 0) == (KEY, 1 << 29, 0xFFFF, 0xFFFF, 2)


def test_sizes_fit() -> None:
    body = ENERGY_SLOT_BYTES - energy_slot.HEADER_BYTES
    assert body == energy_slot.PORTS * energy_slot.ENTRY_BYTES
    assert energy_slot.ROWS_AT + 8 == ENERGY_SLOT_BYTES
    assert SECTOR_BYTES // ENERGY_SLOT_BYTES == 14
    assert ENERGY_PAGE_SLOTS * ENERGY_SLOT_BYTES <= CHUNK_BYTES
