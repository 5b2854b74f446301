"""Mutants of good samples, and what a parser makes of them (both)."""

import gc
from binascii import crc32, unhexlify

from protocol.cbor import Malformed
from protocol.framing import BadLength
from protocol.messages import Refused
from tests.both.support import vectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Parsers = dict[str, tuple[Callable[[bytes], object], bytes]]

TAKEN = 0
MALFORMED = 256
LOST = 257
OTHER = 258
NOTHING = 259
MUTANTS = 1000


def verdict(function: "Callable[[bytes], object]", data: bytes) -> int:
    """TAKEN, or how it was refused; an exception that is no refusal comes through.

    A parser that takes a number of things returns that number.
    """
    try:
        result = function(data)
    except Refused as error:
        return error.code
    except Malformed:
        return MALFORMED
    except BadLength:
        return LOST
    if isinstance(result, int):
        return OTHER + result
    return NOTHING if result is None else TAKEN


class Spoiler:
    """Makes mutants of a sample, the same ones everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, bound: int) -> int:
        self._state = (self._state * 0x5E4D + 0x3A2B) & 0x3FFFFFFF
        return (self._state >> 11) % bound

    def mutant(self, sample: bytes) -> bytes:
        data = bytearray(sample)
        for _ in range(1 + self.below(3)):
            kind = self.below(6)
            at = self.below(len(data) + 1)
            if kind == 0:
                data = data[:at]
            elif kind == 1:
                data = data[:at] + bytes((self.below(256),)) + data[at:]
            elif kind == 2:
                data = data[:at] + data[at + 1 + self.below(4) :]
            elif kind == 3:
                data = data[:at] + data[at // 2 : at] + data[at:]
            elif at < len(data):
                data[at] = self.below(256) if kind == 4 else data[at] ^ 1 << self.below(8)
        return bytes(data)


def checksum(name: str, parsers: "Parsers") -> int:
    """CRC over the verdicts of one parser on all mutants of its sample."""
    function, sample = parsers[name]
    spoiler = Spoiler(len(name))
    total = 0
    for _ in range(MUTANTS):
        total = crc32(verdict(function, spoiler.mutant(sample)).to_bytes(2, "big"), total)
    return total & 0xFFFFFFFF


def check(parsers: "Parsers") -> None:
    """Samples are taken, findings refused, and all mutants judged as CPython once judged them."""
    known = vectors("fuzz")
    for name, data in known["findings"]:
        assert name not in parsers or verdict(parsers[name][0], unhexlify(data)) != TAKEN, data
    checksums = known["checksums"]
    del known  # mutants of some kilobytes want room in one piece
    gc.collect()
    for name in sorted(parsers):
        function, sample = parsers[name]
        assert verdict(function, sample) in (TAKEN, OTHER + 2), name
        assert checksum(name, parsers) == checksums[name], name
