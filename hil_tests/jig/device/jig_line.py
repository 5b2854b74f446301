"""Lines between host and jig: `J` JSON `*` CRC-32 as eight hex digits (both).

    J[7,"press",{"pin":25,"ms":200}]*0badc0de      request: number, verb, arguments
    J[7,true,531742]*0badc0de                      answer: number, whether done, value or why not

A line whose sum is wrong is as if it had not come: the host asks again under the same number, and
what was done already is answered and not done twice. A request has at most 240 bytes, for the
stock image's UART0 holds 259 and drops the rest.
"""

import binascii
import json

VERSION = 1  # of this protocol: hello names it
REQUEST_MAX_BYTES = 240

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def seal(what: "list[Any]") -> bytes:
    """`what` as a line with its end."""
    body = json.dumps(what).encode()
    return b"J" + body + b"*%08x\n" % binascii.crc32(body)


def opened(line: bytes) -> "list[Any] | None":
    """What a line says; None: it is none, or not whole."""
    line = line.strip()
    body, star, total = line[1:-9], line[-9:-8], line[-8:]
    if line[:1] != b"J" or star != b"*" or total != b"%08x" % binascii.crc32(body):
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, list) and len(found) == 3 else None
