"""Requests that are seldom made, loaded for each and forgotten after it (device).

They are the larger part of all handlers; in the heap of a controller that waits they would be
paid for all year. firmware/handlers/on_demand.py brings them.
"""

import os

from firmware.config import read_file
from firmware.loan import forget
from protocol.codes import (
    ERR_BUSY,
    EVENT_ENROLLED,
    EVENT_SELF_TEST,
    OP_ENROLL,
    OP_GET_AUDIT_KEY,
    OP_SELF_TEST,
)
from protocol.messages import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.controller import Arguments, Controller, Value

# whoever may ask for these could push the evidence out of the ring
_RECORDED = {OP_SELF_TEST: EVENT_SELF_TEST, OP_ENROLL: EVENT_ENROLLED}
_SEALED_PATHS = ("/cfg/audit0.oaep", "/cfg/audit1.oaep")
_ROOM_MIN_BYTES = 65536


async def carry_out(c: "Controller", operation: int, arguments: "Arguments") -> "Value":
    """One of them; rights and arguments have been checked."""
    if operation in _RECORDED and not c.journal.admits(_RECORDED[operation]):
        raise Refused(ERR_BUSY)
    return await _HANDLERS[operation](c, arguments)


async def _get_audit_key(c: "Controller", arguments: "Arguments") -> "Value":
    """As it was sealed at the first start; whoever asks cannot open it."""
    return read_file(_SEALED_PATHS[arguments[0]])


async def _enroll(c: "Controller", arguments: "Arguments") -> "Value":
    """The audit keys as they were sealed at the first start, and whether this was asked before."""
    again = c.nvs.get("enrolled")
    sealed: "list[object]" = [read_file(path) for path in _SEALED_PATHS]
    c.journal.record(EVENT_ENROLLED, again)
    c.nvs.put("enrolled", 1)
    sealed.append(again == 1)
    return sealed


async def _self_test(c: "Controller", arguments: "Arguments") -> "Value":
    """Each check by name; what failed is also in the journal, as a mask."""
    from firmware.held_proof import journal_holds, list_is_whole

    forget("firmware.held_proof")
    checks = (
        ("entropy", os.urandom(16) != os.urandom(16)),
        ("clock", c.clock.quality > 0),
        ("journal", journal_holds(c)),
        ("whitelist", await list_is_whole(c)),
        ("relay", c.kind.relay_follows()),
        ("room", _has_room()),
    )
    failed = 0
    for i in range(len(checks)):
        if not checks[i][1]:
            failed |= 1 << i
    c.journal.record(EVENT_SELF_TEST, failed)
    return dict(checks)


def _has_room() -> bool:
    room = os.statvfs("/")
    return bool(room[0] * room[3] >= _ROOM_MIN_BYTES)


_HANDLERS = {
    OP_SELF_TEST: _self_test,
    OP_ENROLL: _enroll,
    OP_GET_AUDIT_KEY: _get_audit_key,
}
