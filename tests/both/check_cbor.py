"""The CBOR subset against RFC 8949's own examples, and its bounds (both)."""

from binascii import unhexlify

from protocol import cbor
from tests.both.support import raises, vectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RFC = vectors("cbor_rfc8949")


def meant(value: "Any") -> "Any":
    """The value that a vector stands for."""
    if isinstance(value, dict) and "hex" in value:
        return unhexlify(value["hex"])
    if isinstance(value, dict) and "pairs" in value:
        return dict([tuple(pair) for pair in value["pairs"]])
    return value


def test_appendix_a_inside_the_subset_decodes() -> None:
    for encoded, value in RFC["inside"]:
        assert cbor.decode(unhexlify(encoded)) == meant(value), encoded


def test_appendix_a_inside_the_subset_encodes_to_the_same_bytes() -> None:
    for encoded, value in RFC["inside"]:
        assert cbor.encode(meant(value)) == unhexlify(encoded), encoded


def test_appendix_a_outside_the_subset_is_refused() -> None:
    for encoded, _why in RFC["outside"]:
        raises(cbor.Malformed, cbor.decode, unhexlify(encoded))


def test_appendix_f_and_second_encodings_are_refused() -> None:
    for encoded, _why in RFC["malformed"]:
        raises(cbor.Malformed, cbor.decode, unhexlify(encoded))


def test_booleans_are_no_numbers() -> None:
    assert cbor.decode(b"\xf5") is True
    assert cbor.decode(b"\xf4") is False
    assert cbor.encode([True, 1, False, 0]) == b"\x84\xf5\x01\xf4\x00"


def test_numbers_at_the_edges_of_each_form() -> None:
    for number in (23, 24, 255, 256, 65535, 65536, 0x3FFFFFFF, 0x40000000, 0xFFFFFFFF):
        for value in (number, -1 - number):
            assert cbor.decode(cbor.encode(value)) == value
    raises(cbor.Malformed, cbor.encode, 0x100000000)
    raises(cbor.Malformed, cbor.encode, -0x100000001)


def test_depth_four_and_no_more() -> None:
    assert cbor.decode(b"\x81\x81\x81\x81\x00") == [[[[0]]]]
    raises(cbor.Malformed, cbor.encode, [[[[[0]]]]])
    assert cbor.decode(b"\xa1\x01\xa1\x02\xa1\x03\xa1\x04\x05") == {1: {2: {3: {4: 5}}}}
    raises(cbor.Malformed, cbor.decode, b"\xa1\x01\xa1\x02\xa1\x03\xa1\x04\x80")


def test_512_items_and_no_more() -> None:
    most = cbor.encode([0] * 511)
    assert len(cbor.decode(most)) == 511
    raises(cbor.Malformed, cbor.encode, [0] * 512)
    raises(cbor.Malformed, cbor.decode, b"\x99\x02\x00" + bytes(512))


def test_every_key_of_a_map_counts_as_an_item() -> None:
    assert len(cbor.decode(cbor.encode(dict.fromkeys(range(255), 0)))) == 255
    raises(cbor.Malformed, cbor.encode, dict.fromkeys(range(256), 0))


def test_map_order_is_that_of_the_encodings_not_of_the_insertion() -> None:
    value = {"b": 1, 24: 2, "a": 3, 0: 4, -1: 5, "aa": 6, 255: 7}
    first = cbor.encode(value)
    again = cbor.encode({key: value[key] for key in sorted(value, key=repr)})
    assert first == again
    assert cbor.decode(first) == value


def test_no_prefix_of_an_encoding_is_one() -> None:
    whole = cbor.encode({1: [b"abc", "\u6c34", -70000], 2: {"x": None, "y": True}})
    for length in range(len(whole)):
        raises(cbor.Malformed, cbor.decode, whole[:length])


def test_what_the_subset_lacks_is_not_encoded() -> None:
    for value in (1.5, object(), {1.5: 0}, {b"a": 0}, {None: 0}, {True: 0}, {1, 2}):
        raises(cbor.Malformed, cbor.encode, value)


def test_views_are_read_and_byte_strings_are_copies() -> None:
    buffer = bytearray(b"\x43abc")
    value = cbor.decode(memoryview(buffer))
    buffer[1] = 0
    assert value == b"abc"
    assert cbor.encode(memoryview(b"abc")) == cbor.encode(bytearray(b"abc")) == b"\x43abc"
