"""Card data of an OSDP reader: the credential that it stands for (both).

- 26, 34 or 37 bits are Wiegand formats: the first bit makes the first half even, the last bit the
  last half odd (the halves of 37 bits share one); what lies between is the credential, as a
  Wiegand reader would have given it. A wrong parity is no credential.
- Any other number of bits, up to 248: CREDENTIAL_OSDP_RAW, one byte of that number, then the bits,
  the first one highest, zeros behind the last: two lengths never make the same credential.
- A format code other than 0 (unspecified) and 1 (Wiegand), a length that does not fit: none.
"""

from protocol.codes import (
    CREDENTIAL_OSDP_RAW,
    CREDENTIAL_WIEGAND26,
    CREDENTIAL_WIEGAND34,
    CREDENTIAL_WIEGAND37,
)
from protocol.constants import CREDENTIAL_MAX_BYTES

_HEAD_BYTES = 4  # reader, format code, number of bits
_FORMAT_WIEGAND = 1
_BITS_MAX = 8 * (CREDENTIAL_MAX_BYTES - 1)


def credential(frame: "bytearray | bytes", at: int, end: int, out: "bytearray | memoryview") -> int:
    """Put the credential of the card data frame[at:end] into `out`.

    Returns 256 * type + length in bytes, or 0 where there is none. Nothing is allocated.
    """
    if end - at <= _HEAD_BYTES:
        return 0
    bits = frame[at + 2] | frame[at + 3] << 8
    size = bits + 7 >> 3
    if frame[at + 1] > _FORMAT_WIEGAND or not 0 < bits <= _BITS_MAX:
        return 0
    at += _HEAD_BYTES
    if end - at != size:
        return 0
    kind = 0
    if bits == 26:
        kind = CREDENTIAL_WIEGAND26
    elif bits == 34:
        kind = CREDENTIAL_WIEGAND34
    elif bits == 37:
        kind = CREDENTIAL_WIEGAND37
    if kind:
        return _wiegand(frame, at, bits, out, kind)
    out[0] = bits
    for i in range(size):
        out[1 + i] = frame[at + i]
    out[size] &= 0xFF << (-bits & 7) & 0xFF
    return CREDENTIAL_OSDP_RAW << 8 | size + 1


def _wiegand(
    frame: "bytearray | bytes", at: int, bits: int, out: "bytearray | memoryview", kind: int
) -> int:
    half = bits + 1 >> 1
    size = bits + 5 >> 3  # of what lies between the parities
    pad = 8 * size - bits + 1  # from a bit's place to that in `out`
    first = last = value = 0
    for i in range(bits):
        bit = frame[at + (i >> 3)] >> (~i & 7) & 1
        if i < half:
            first ^= bit
        if i >= bits - half:
            last ^= bit
        if 0 < i < bits - 1:
            value = value << 1 | bit
            if (i + pad) & 7 == 7:
                out[i + pad >> 3] = value
                value = 0
    return 0 if first or not last else kind << 8 | size
