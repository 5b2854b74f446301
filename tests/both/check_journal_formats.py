"""Journal records, chain, sector headers and key slots against golden vectors (both)."""

from binascii import unhexlify

from protocol import chain, keyslot, records, sector_header
from protocol.constants import (
    KEY_SLOT_BYTES,
    KEY_SLOTS_PER_SECTOR,
    RECORD_BYTES,
    RECORDS_PER_SECTOR,
    SECTOR_BYTES,
    SECTOR_HEADER_BYTES,
)
from tests.both.support import flipped, vectors

VECTOR = vectors("journal")
SITE = unhexlify(VECTOR["site"])
DEVICE = unhexlify(VECTOR["device"])
RING = VECTOR["ring"]
K_TOOL = unhexlify(VECTOR["k_tool"])
K_AUDIT = unhexlify(VECTOR["k_audit"])
SLOT = unhexlify(VECTOR["key_slot"])
HEADER = unhexlify(VECTOR["sector_header"])


def test_sizes_fill_their_sectors() -> None:
    assert SECTOR_HEADER_BYTES + RECORDS_PER_SECTOR * RECORD_BYTES == SECTOR_BYTES
    assert KEY_SLOTS_PER_SECTOR * KEY_SLOT_BYTES <= SECTOR_BYTES


def test_chain_of_three_records_gives_the_vectors() -> None:
    k_tool, k_audit = K_TOOL, K_AUDIT
    c = chain.start(SITE, DEVICE, RING)
    assert c == unhexlify(VECTOR["start"])
    for vector in VECTOR["records"]:
        expected = unhexlify(vector["record"])
        fields = records.unpack(expected[:32])
        clear = unhexlify(vector["clear_key"])
        made = bytearray(RECORD_BYTES)
        records.pack_into(made, 0, *fields[:8], chain.masked(clear, k_tool), *fields[9:])
        c = chain.link(c, memoryview(made)[:32])
        made[32:40] = chain.tag(chain.tag_key(k_tool), c)
        made[40:48] = chain.tag(chain.tag_key(k_audit), c)
        assert made == expected
        assert c == unhexlify(vector["c"])
        assert chain.masked(fields.key, k_tool) == clear
        k_tool, k_audit = chain.evolve(k_tool), chain.evolve(k_audit)
    nonce = unhexlify(VECTOR["nonce"])
    macs = [chain.head_mac(k, nonce, RING, 3, c, 0) for k in (k_tool, k_audit)]
    assert macs == [unhexlify(mac) for mac in VECTOR["head_macs"]]


def test_everything_in_a_head_is_covered() -> None:
    good = (K_TOOL, b"n" * 16, 1, 3, b"c" * 32, 0)
    macs = {chain.head_mac(*good)}
    for changed in (
        (K_AUDIT, b"n" * 16, 1, 3, b"c" * 32, 0),
        (K_TOOL, b"m" * 16, 1, 3, b"c" * 32, 0),
        (K_TOOL, b"n" * 16, 0, 3, b"c" * 32, 0),
        (K_TOOL, b"n" * 16, 1, 4, b"c" * 32, 0),
        (K_TOOL, b"n" * 16, 1, 3, b"d" * 32, 0),
        (K_TOOL, b"n" * 16, 1, 3, b"c" * 32, 1),
    ):
        macs.add(chain.head_mac(*changed))
    assert len(macs) == 7


def test_fields_of_a_record_arrive_under_their_names() -> None:
    record = records.unpack(unhexlify(VECTOR["records"][1]["record"])[:32])
    assert (record.seq, record.boot, record.event, record.reason) == (1, 3, 66, 17)
    assert (record.time_s, record.ms, record.quality, record.point) == (0x0ABCDEF0, 999, 3, 255)
    assert (record.version, record.extra) == (70000, 0xFFFFFFFF)


def test_a_record_is_packed_where_it_is_told() -> None:
    buf = bytearray(b"\xaa" * 40)
    records.pack_into(buf, 4, 1, 2, 3, 4, 5, 6, 7, 8, b"k" * 8, 9, 10)
    assert buf[:4] == b"\xaa" * 4
    assert buf[36:] == b"\xaa" * 4
    assert records.unpack(memoryview(buf)[4:36]) == (1, 2, 3, 4, 5, 6, 7, 8, b"k" * 8, 9, 10)


def test_sector_header_of_the_vector() -> None:
    c = unhexlify(VECTOR["start"])
    made = sector_header.pack(RING, VECTOR["boot"], VECTOR["sector_seq"], 0, c, K_TOOL, K_AUDIT)
    assert made == HEADER
    assert len(made) == SECTOR_HEADER_BYTES
    read = sector_header.unpack(memoryview(made + b"\xff" * 48))
    assert read is not None
    assert (read.ring, read.boot, read.sector_seq, read.first_seq) == (1, 3, 9, 0)
    assert (read.c, read.tool_tag, read.audit_tag) == (c, made[48:56], made[56:64])
    assert chain.sector_tag(K_TOOL, made[: sector_header.TAGGED_BYTES]) == read.tool_tag


def test_sectors_without_a_header_are_told_apart() -> None:
    assert sector_header.unpack(b"\xff" * 64) is None
    assert sector_header.unpack(bytes(64)) is None
    for bit in range(32):
        assert sector_header.unpack(flipped(HEADER, bit)) is None


def test_every_flipped_bit_of_a_header_changes_its_tags() -> None:
    tag = chain.sector_tag(K_TOOL, HEADER[:48])
    for bit in range(0, 8 * 48, 5):
        assert chain.sector_tag(K_TOOL, flipped(HEADER[:48], bit)) != tag


def test_key_slot_of_the_vector() -> None:
    slot = keyslot.unpack(b"??" + SLOT, 2)
    assert slot is not None
    assert (slot.state, slot.boot, slot.next_seq) == (keyslot.STATE_VALID, 3, 3)
    assert (slot.sector, slot.place, slot.version_floor) == (0, 3, 70000)
    assert (slot.trust_floor, slot.epoch) == (2, 1)
    made = bytearray(KEY_SLOT_BYTES + 1)
    keyslot.pack_into(made, 1, *slot)
    assert made[1:] == SLOT


def test_torn_blank_and_overwritten_slots_are_none() -> None:
    assert keyslot.unpack(b"\xff" * KEY_SLOT_BYTES) is None
    assert keyslot.unpack(bytes(KEY_SLOT_BYTES)) is None
    assert keyslot.unpack(SLOT[:-1]) is None
    for written in range(KEY_SLOT_BYTES):
        assert keyslot.unpack(SLOT[:written] + b"\xff" * (KEY_SLOT_BYTES - written)) is None
        assert keyslot.unpack(bytes(written) + SLOT[written:]) is None or written == 0


def test_every_flipped_bit_of_a_slot_is_noticed() -> None:
    for bit in range(8 * KEY_SLOT_BYTES):
        assert keyslot.unpack(flipped(SLOT, bit)) is None, bit


def test_a_seed_is_told_from_a_slot_in_force() -> None:
    buf = bytearray(KEY_SLOT_BYTES)
    keyslot.pack_into(buf, 0, keyslot.STATE_SEED, 0, 0, 0, 0, 0, 0, 0, bytes(32), K_TOOL, bytes(16))
    seed = keyslot.unpack(buf)
    assert seed is not None
    assert (seed.state, seed.k_tool) == (keyslot.STATE_SEED, K_TOOL)
