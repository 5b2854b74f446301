"""The walk over a peer's certificate (both)."""

from binascii import unhexlify

from protocol import der
from protocol.codes import ERR_MALFORMED
from tests.both.support import flipped, outcome, refused, vectors

VECTOR = vectors("certificates")
PEER = unhexlify(VECTOR["peer"])
PEER_ID = unhexlify(VECTOR["peer_id"])
OID = b"\x06\x0b\x2b\x06\x01\x04\x01\x83\xd4\x5f\xba\x13\x01"
EXTENSION = b"\x30\x1a" + OID + b"\x04\x0b\x04\x09" + bytes((VECTOR["role"],)) + PEER_ID


def shaped(data: bytes) -> "tuple[int, bytes, bytes]":
    """(tag, content, what follows) of the DER item at the start."""
    tag, length, at = data[0], data[1], 2
    if length >= 0x80:
        at += length & 0x7F
        length = int.from_bytes(data[2:at], "big")
    return tag, data[at : at + length], data[at + length :]


def wrapped(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    if length < 0x100:
        return bytes((tag, 0x81, length)) + content
    return bytes((tag, 0x82, length >> 8, length & 0xFF)) + content


def items(data: bytes) -> "list[bytes]":
    found = []
    while data:
        rest = shaped(data)[2]
        found.append(data[: len(data) - len(rest)])
        data = rest
    return found


def with_extensions(
    before: bytes = b"", ours: bytes = EXTENSION, after: bytes = b"", tail: bytes = b""
) -> bytes:
    """PEER with other extensions, every length put right again; `tail` follows their list."""
    body, algorithm, signature = items(shaped(PEER)[1])
    fields = items(shaped(body)[1])
    extensions = b"".join(items(shaped(shaped(fields[-1])[1])[1]))
    changed = before + extensions.replace(EXTENSION, ours) + after
    fields[-1] = wrapped(0xA3, wrapped(0x30, changed) + tail)
    return wrapped(0x30, wrapped(0x30, b"".join(fields)) + algorithm + signature)


def test_role_and_id_of_a_peer_are_found() -> None:
    assert der.peer_extension(PEER) == (VECTOR["role"], PEER_ID)


def test_the_harness_can_rebuild_the_certificate() -> None:
    assert with_extensions() == PEER


def test_certificates_without_the_extension_are_refused() -> None:
    refused(ERR_MALFORMED, der.peer_extension, unhexlify(VECTOR["device"]))
    refused(ERR_MALFORMED, der.peer_extension, unhexlify(VECTOR["ca"]))
    refused(ERR_MALFORMED, der.peer_extension, with_extensions(ours=b""))


def test_two_of_them_are_refused() -> None:
    refused(ERR_MALFORMED, der.peer_extension, with_extensions(after=EXTENSION))


def test_a_critical_one_is_refused() -> None:
    for flag in (b"\xff", b"\x00"):
        critical = wrapped(0x30, OID + b"\x01\x01" + flag + EXTENSION[len(OID) + 2 :])
        refused(ERR_MALFORMED, der.peer_extension, with_extensions(ours=critical))


def test_values_of_another_shape_are_refused() -> None:
    inner = b"\x02" + PEER_ID
    for value in (
        inner,
        b"\x04\x09" + inner + b"\x00",
        b"\x04\x08" + inner[1:],
        b"\x0c\x09" + inner,
        b"\x24\x09" + inner,
        b"\x04\x81\x09" + inner,
        b"",
    ):
        refused(
            ERR_MALFORMED,
            der.peer_extension,
            with_extensions(ours=wrapped(0x30, OID + wrapped(4, value))),
        )


def test_a_tail_behind_the_value_is_refused() -> None:
    tail = wrapped(0x30, EXTENSION[2:] + b"\x05\x00")
    refused(ERR_MALFORMED, der.peer_extension, with_extensions(ours=tail))


def test_the_id_is_that_of_the_key_in_the_certificate() -> None:
    other = with_extensions(ours=EXTENSION[:-1] + bytes((EXTENSION[-1] ^ 1,)))
    refused(ERR_MALFORMED, der.peer_extension, other)


def test_the_bytes_of_the_extension_elsewhere_count_for_nothing() -> None:
    hidden = wrapped(0x30, b"\x06\x03\x55\x1d\x7f" + wrapped(4, EXTENSION))
    refused(ERR_MALFORMED, der.peer_extension, with_extensions(ours=hidden))
    both = with_extensions(before=hidden)
    assert der.peer_extension(both) == (VECTOR["role"], PEER_ID)


def test_something_behind_the_extensions_is_refused() -> None:
    refused(ERR_MALFORMED, der.peer_extension, with_extensions(tail=b"\x05\x00"))


def test_lengths_have_one_form() -> None:
    content = shaped(PEER)[1]
    assert wrapped(0x30, content) == PEER
    size = len(content).to_bytes(2, "big")
    for head in (
        b"\x30\x83\x00" + size,
        b"\x30\x80",
        b"\x30\x84\x00\x00" + size,
        b"\x31\x82" + size,
    ):
        refused(ERR_MALFORMED, der.peer_extension, head + content)
    body = with_extensions(ours=EXTENSION[:1] + b"\x81" + EXTENSION[1:])
    refused(ERR_MALFORMED, der.peer_extension, body)


def test_every_truncation_and_any_tail_is_refused() -> None:
    for length in range(len(PEER)):
        refused(ERR_MALFORMED, der.peer_extension, PEER[:length])
    refused(ERR_MALFORMED, der.peer_extension, PEER + b"\x00")


def test_no_flipped_bit_gives_another_id() -> None:
    for bit in range(8 * len(PEER)):
        if not outcome(der.peer_extension, flipped(PEER, bit)):
            assert der.peer_extension(flipped(PEER, bit))[1] == PEER_ID, bit
