"""The trust object: which keys speak for which role, docs/protocol.md section 2 (both).

Rules, in the order in which they are applied:

- a successor's bytes are signed by the root threshold of the object in force, before they are
  parsed; then by that of their own root keys, as a first object is by these alone
- a key id counts once, whatever the number of its signatures; unknown ones count for nothing
- the same site; the epoch not lower; the version higher
"""

from hashlib import sha256

from protocol import cbor, cose, rsa
from protocol.codes import (
    ERR_BOUNDS,
    ERR_EPOCH,
    ERR_MALFORMED,
    ERR_OTHER_SITE,
    ERR_SIGNATURE,
    ERR_VERSION_LOW,
    KEY_AUDIT,
    KEY_ROOT,
)
from protocol.constants import (
    AAD_TRUST,
    ID_BYTES,
    REVOKED_PEERS_MAX,
    RSA_BYTES,
    TIME_END_S,
    TRUST_MAX_BYTES,
)
from protocol.messages import Refused, decode, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    Buffer = bytes | bytearray | memoryview
    Keys = list[tuple[int, int, list[bytes]]]

_SIGNATURES_MAX = 8
_LONG_BYTES = 128  # as protocol/cbor.py
_PIECE_BYTES = 120


class Trust:
    """One trust object; `keys` holds (role, threshold, [moduli])."""

    def __init__(
        self,
        site: bytes,
        epoch: int,
        version: int,
        keys: "Keys",
        revoked: "list[bytes]",
        expiry_s: int,
    ) -> None:
        self.site = site
        self.epoch = epoch
        self.version = version
        self.keys = keys
        self.revoked = revoked
        self.expiry_s = expiry_s

    def moduli(self, role: int) -> "list[bytes]":
        """Keys that speak for a role (KEY_*), perhaps none."""
        for entry in self.keys:
            if entry[0] == role:
                return entry[2]
        return []

    def find_key(self, role: int, kid: bytes) -> "bytes | None":
        """The modulus that `kid` names in a role, or None."""
        for modulus in self.moduli(role):
            if cose.key_id(octets(modulus)) == kid:
                return modulus
        return None


class Stored:
    """Bytes in an open file, read when they are asked for: a heap may have no room for them all.

    Long pieces are pieces of the file, too.
    """

    def __init__(self, file: "Any", start: int, size: int) -> None:
        self._file = file
        self.start = start
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, key: "slice") -> "bytes | Stored":
        if isinstance(key, int):  # nobody's way, but one that there has to be
            return self.read()[key]
        piece = Stored(self._file, self.start + key.start, min(key.stop, self._size) - key.start)
        return piece if len(piece) >= _LONG_BYTES else piece.read()

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: "object") -> bool:
        return isinstance(other, Stored) and self.read() == other.read()

    def readinto(self, place: memoryview) -> None:
        """All of them, to where there is room already."""
        self._file.seek(self.start)
        self._file.readinto(place)

    def read(self) -> bytes:
        """All of them."""
        self._file.seek(self.start)
        data: bytes = self._file.read(self._size)
        return data


def parse(data: "Buffer | Stored", views: bool = False) -> Trust:
    """The object in its signed form, signatures unchecked: what verify() once accepted.

    views: moduli are pieces of `data`. Raises Refused(ERR_MALFORMED or ERR_BOUNDS).
    """
    return _payload(_split(data)[0], views)


def verify(data: "Buffer", current: "Trust | None" = None) -> Trust:
    """The object, proven to follow `current` (None: the first one). Raises Refused."""
    for _ in verifying(data, current):
        pass
    return parse(data)


def verifying(data: "Buffer", current: "Trust | None" = None) -> "Iterator[None]":
    """verify() in steps of one multiplication each; raises Refused."""
    for signers in (None,) if current is None else (current, None):
        good: "list[bytes]" = []
        number = wanted = 0
        while number == 0 or len(good) < wanted:
            wanted, kid, modulus, signature, digest = job(data, number, signers, good)
            number += 1
            work = rsa.Verification(octets(modulus), octets(signature), digest)
            while work.step():
                yield
            if work.ok:
                good.append(kid)
    if current is not None:
        check_follows(parse(data), current)


def check_follows(trust: Trust, current: Trust) -> None:
    """Raise Refused unless site, epoch and version are those of a successor."""
    if trust.site != current.site:
        raise Refused(ERR_OTHER_SITE)
    if trust.epoch < current.epoch:
        raise Refused(ERR_EPOCH)
    if trust.version <= current.version:
        raise Refused(ERR_VERSION_LOW)


def _sha256(payload: "Buffer | Stored", before: bytes) -> bytes:
    digest = sha256(before)
    for at in range(0, len(payload), _PIECE_BYTES):
        piece: "Any" = payload[at : at + _PIECE_BYTES]  # so short that it is no file's any more
        digest.update(piece)
    return digest.digest()


def octets(value: "bytes | Stored") -> bytes:
    """What lies in a file is brought."""
    return value.read() if isinstance(value, Stored) else value


def job(
    data: "Buffer | Stored", number: int, signers: "Trust | None", good: "list[bytes]"
) -> "tuple[int, bytes, bytes, bytes, bytes]":
    """(threshold, kid, modulus, signature, digest) of one signature; for rsa.Verification.

    The last three are empty, and so never good, if it is a stranger's or counts already.

    signers: whose root keys count; None: those of the object itself, which is parsed for it.
    good: kids that count. Raises Refused(ERR_SIGNATURE) when there is no such signature.
    """
    payload, signatures = _split(data)
    if number >= len(signatures):
        raise Refused(ERR_SIGNATURE)
    kid, signature = signatures[number]
    if signers is None:
        signers = _payload(payload, True)
    threshold = signers.keys[0][1]  # root comes first
    modulus = signers.find_key(KEY_ROOT, kid)
    if modulus is None or kid in good:
        return threshold, kid, b"", b"", b""
    opening = cose.before_payload(cose.protected(kid), AAD_TRUST)
    digest = _sha256(payload, opening + cbor.head(2, len(payload)))
    return threshold, kid, modulus, signature, digest


def _need(fits: bool, code: int = ERR_MALFORMED) -> None:
    if not fits:
        raise Refused(code)


def _split(data: "Buffer | Stored") -> "tuple[bytes, list[list[bytes]]]":
    _need(len(data) <= TRUST_MAX_BYTES, ERR_BOUNDS)
    outer = decode(data, True)  # type: ignore[arg-type]  # it is cut as bytes are
    _need(isinstance(outer, list) and len(outer) == 2)
    payload, signatures = outer
    _need(isinstance(payload, (bytes, memoryview, Stored)) and isinstance(signatures, list))
    _need(0 < len(signatures) <= _SIGNATURES_MAX, ERR_BOUNDS)
    for pair in signatures:
        _need(isinstance(pair, list) and len(pair) == 2)
        _need(_is_bytes(pair[0], ID_BYTES) and _is_bytes(pair[1], RSA_BYTES))
    return payload, signatures


def _payload(data: "Buffer | Stored", views: bool = False) -> Trust:
    fields = decode(data, views)  # type: ignore[arg-type]
    _need(isinstance(fields, dict) and sorted(fields) == [1, 2, 3, 4, 5, 6])
    site, epoch, version, rows, revoked, expiry_s = [fields[i] for i in range(1, 7)]
    _need(_is_bytes(site, ID_BYTES) and isinstance(rows, list) and isinstance(revoked, list))
    _need(is_number(epoch, 0xFFFF) and is_number(version, 0xFFFF))
    _need(is_number(expiry_s, TIME_END_S))
    _need(len(revoked) <= REVOKED_PEERS_MAX, ERR_BOUNDS)
    for peer_id in revoked:
        _need(_is_bytes(peer_id, ID_BYTES))
    return Trust(site, epoch, version, [_key_row(row) for row in _sorted(rows)], revoked, expiry_s)


def _sorted(rows: "list[cbor.Value]") -> "list[cbor.Value]":
    """Rows as they are, proven to start with root and to name each role once, ascending."""
    last = -1
    for row in rows:
        _need(isinstance(row, list) and len(row) >= 3 and is_number(row[0], KEY_AUDIT))
        _need(row[0] > last and (last >= 0 or row[0] == KEY_ROOT), ERR_BOUNDS)
        last = row[0]
    _need(last >= 0, ERR_BOUNDS)
    return rows


def _key_row(row: "list[cbor.Value]") -> "tuple[int, int, list[bytes]]":
    moduli = row[2:]
    for modulus in moduli:
        _need(_is_bytes(modulus, RSA_BYTES))
        _need(moduli.count(modulus) == 1, ERR_BOUNDS)
    _need(is_number(row[1], len(moduli)) and row[1] > 0, ERR_BOUNDS)
    return row[0], row[1], moduli


def _is_bytes(value: "cbor.Value", size: int) -> bool:
    return isinstance(value, (bytes, memoryview, Stored)) and len(value) == size


def encode(trust: Trust) -> bytes:
    """Host only. The payload that root keys sign: cose.to_be_signed(kid, payload, AAD_TRUST)."""
    rows = [[row[0], row[1]] + row[2] for row in trust.keys]
    values = (trust.site, trust.epoch, trust.version, rows, trust.revoked, trust.expiry_s)
    payload = cbor.encode({i + 1: value for i, value in enumerate(values)})
    _payload(payload)
    return payload


def assemble(payload: bytes, signatures: "Iterable[Sequence[bytes]]") -> bytes:
    """Host only. The object from its payload and (kid, signature) pairs."""
    data = cbor.encode([payload, [list(pair) for pair in signatures]])
    _split(data)
    return data
