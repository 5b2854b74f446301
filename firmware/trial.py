"""A firmware on trial: told at the start, proven, or ended (device).

Loaded for that and let go. A firmware that was just taken has three starts and ten minutes to be
called on: whoever brought it opens a session with it and asks it to prove itself. So the link is
proven, and here the list in force, the journal and a decision. What fails goes back to the other
slot at once, unless that one is not whole; so does who was not called on in time, as soon as nobody
is at the door.
"""

import os

from firmware.access import Access
from firmware.loan import forget
from firmware.store import FLOOR_FIRMWARE
from protocol.codes import (
    CREDENTIAL_TEXT,
    ERR_STATE,
    EVENT_FIRMWARE_CONFIRMED,
    EVENT_FIRMWARE_ROLLED_BACK,
    REASON_NO_LIST,
    REASON_UNKNOWN_CARD,
    ROLLBACK_PACK,
    ROLLBACK_TEST,
    ROLLBACK_TIME,
)
from protocol.messages import Refused
from protocol.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller, Value

_CREDENTIAL_BYTES = 16

packfs: "Any" = __import__("packfs")


def slots() -> "Any":
    """What chose the slot of this start, beside the pack."""
    found = __import__("slots")
    forget("slots")
    return found


def started(c: "Controller") -> None:
    """What a start has to tell of the slots; only where there is something."""
    chosen = slots()
    slot, state, number, version = chosen.selected()
    if packfs.state != "r":
        return
    told = state == "r"
    if not told:  # it was selected, and its pack has rotted since
        number, version = ROLLBACK_PACK, c.nvs.get(FLOOR_FIRMWARE)
    try:
        c.journal.record(EVENT_FIRMWARE_ROLLED_BACK, number, extra=version)
        if told:
            chosen.select(slot)
            packfs.state = ""
    except OSError:  # the next start tells it; a flash that refuses must not keep this one
        c.journal.lost += 1


async def prove(c: "Controller") -> "Value":
    """Each check by name, and whether this firmware stays; ERR_STATE unless it is on trial."""
    if packfs.state != "t":
        raise Refused(ERR_STATE)
    from firmware.held_proof import journal_holds, list_is_whole

    forget("firmware.held_proof")
    checks = {
        "link": c.admission.guest is not None,
        "list": await list_is_whole(c),
        "journal": journal_holds(c) and not c.journal.lost,
        "decision": _decides(c),
    }
    if all(checks.values()):
        c.journal.record(EVENT_FIRMWARE_CONFIRMED, extra=VERSION)
        slots().select(packfs.mounted)
        packfs.state = ""
        # one that root brought back lets none come again that was taken away for it
        c.nvs.put(FLOOR_FIRMWARE, max(VERSION, c.nvs.get(FLOOR_FIRMWARE)))
    else:
        give_up(c, ROLLBACK_TEST)
    return checks


def give_up(c: "Controller", reason: int = ROLLBACK_TIME) -> None:
    """Back to the other slot; on trial until it is as whole as this one."""
    chosen = slots()
    other = 1 - packfs.mounted
    if chosen.whole(other):
        chosen.select(other, "r", reason, VERSION)
        c.restart_wanted = True


def _decides(c: "Controller") -> bool:
    """A card that nobody has opens nothing, for the reason that it should be; relays obey."""
    from firmware.judging import judge

    forget("firmware.charge_card")  # which holds it in a charger; a door keeps its own
    # what a door was asked last is not touched: somebody may be typing a PIN
    access = Access(c.whitelist, c.clock, c.config.card_key, c.nvs)
    granted, reason = judge(access, CREDENTIAL_TEXT, os.urandom(_CREDENTIAL_BYTES), 0, False)
    wanted = REASON_UNKNOWN_CARD if c.whitelist.manifest is not None else REASON_NO_LIST
    return not granted and reason == wanted and c.kind.relay_follows()
