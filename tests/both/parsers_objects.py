"""Parsers of signed and stored objects, each with a sample that it takes (both)."""

from binascii import unhexlify

from tests.both.support import vectors

# the longest vector first: it wants more room in one piece than there is beside all modules
_TRUST = unhexlify(vectors("trust")["first"])

from protocol import card_digest, cbor, cose, der, manifest, receipt, trust  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.both.spoiler import Parsers

_SESSION = vectors("session")
_KEY = unhexlify(_SESSION["key"])


def _cbor(data: bytes) -> object:
    return (cbor.decode(data),)  # even when it is null


def _receipt(data: bytes) -> object:
    return receipt.read(_KEY, data)


PARSERS: "Parsers" = {
    "cbor": (_cbor, cbor.encode({1: [b"abc", "\u6c34", -70000, {"x": None}], "y": True})),
    "cose": (cose.open_envelope, unhexlify(vectors("cose")["envelope"])),
    "manifest": (
        manifest.parse,
        cbor.encode({
            1: bytes(8), 2: bytes(8), 3: 1, 4: 10, 5: 0, 6: 0, 7: b"", 8: bytes(32), 9: 3, 10: 48,
            11: bytes(32), 12: 1000, 13: 2000, 14: [[1, 3, 5, 50, 0, 0, 0, 0, 0]],
            15: [[5, 31, 360, 1320]], 16: [1, 720], 17: 1, 18: bytes(32), 19: [0, 480], 20: [100],
        }),
    ),
    "trust": (trust.parse, _TRUST),
    "receipt": (_receipt, unhexlify(_SESSION["receipt"])),
    "der": (der.peer_extension, unhexlify(vectors("certificates")["peer"])),
    "cards": (card_digest.digest, unhexlify(vectors("lists")["lists"][2]["records"])),
}  # fmt: skip
