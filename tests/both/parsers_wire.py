"""Parsers of what comes over a line or lies in raw flash, each with a sample (both)."""

from binascii import unhexlify

from protocol import cbor, framing, keyslot, link_frames, messages, preface, records, sector_header
from protocol.codes import ERR_REFUSED
from tests.both.support import vectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.both.spoiler import Parsers

_SESSION = vectors("session")
_JOURNAL = vectors("journal")


def _frames(data: bytes) -> int:
    taken: "list[int]" = []
    reader = link_frames.FrameReader(lambda head, _ack, _payload: taken.append(head))
    reader.feed(data, 0)
    reader.feed(b"", 1000)
    return len(taken)


def _stream(data: bytes) -> int:
    parser = framing.Parser()
    parser.feed(data)
    count = 0
    while parser.next() is not None:
        count += 1
    return count


def _answer(data: bytes) -> object:
    nonce = unhexlify(_SESSION["controller_nonce"])
    root = unhexlify(_SESSION["key"])
    try:
        return preface.check_answer(root, unhexlify(_SESSION["device"]), nonce, data)
    except preface.Refused as error:
        raise messages.Refused(ERR_REFUSED) from error


def _slot(data: bytes) -> object:
    return keyslot.unpack(data) if data else None


def _header(data: bytes) -> object:
    return sector_header.unpack(data + bytes(64))


def _record(data: bytes) -> object:
    return records.unpack((data + bytes(32))[:32])


PARSERS: "Parsers" = {
    "request": (messages.parse_request, cbor.encode([7, 8, 2048, b"chunk"])),
    "reply": (messages.parse_reply, cbor.encode([7, 0, [1, 2, b"x"]])),
    "stream": (_stream, framing.encode([1, 17]) + framing.encode([2, 12, 0, 5, 9])),
    "answer": (_answer, unhexlify(_SESSION["answer"])),
    "slot": (_slot, unhexlify(_JOURNAL["key_slot"])),
    "header": (_header, unhexlify(_JOURNAL["sector_header"])),
    "record": (_record, unhexlify(_JOURNAL["records"][0]["record"])),
    "frames": (_frames, b"\xc5\x03\x00\x00abc\x33\x4b\xdd\xc5\x00\x40\x00\x38\x96\x17"),
}
