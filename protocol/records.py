"""Journal record bodies, 32 bytes, docs/protocol.md section 5 (both)."""

import struct
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_LAYOUT = ">IHBBIHBB8sII"

# `key` is masked (protocol/chain.py); `quality` is that of the clock
Record = namedtuple(
    "Record",
    (
        "seq",
        "boot",
        "event",
        "reason",
        "time_s",
        "ms",
        "quality",
        "point",
        "key",
        "version",
        "extra",
    ),
)


def pack_into(
    buf: bytearray,
    at: int,
    seq: int,
    boot: int,
    event: int,
    reason: int,
    time_s: int,
    ms: int,
    quality: int,
    point: int,
    key: bytes,
    version: int,
    extra: int,
) -> None:
    """Write a body into 32 bytes of `buf` from `at` on; `key` is the masked one."""
    struct.pack_into(
        _LAYOUT,
        buf,
        at,
        seq,
        boot,
        event,
        reason,
        time_s,
        ms,
        quality,
        point,
        key,
        version,
        extra,
    )


def unpack(body: "Buffer") -> Record:
    """Fields of a body; every 32 bytes are one."""
    return Record(*struct.unpack(_LAYOUT, body))
