"""Makes a controller ready to be served, from what lies on its flash (device).

Loaded for that and forgotten. Order: identity, clock, trust, journal (which finishes what a power
cut left), the door, the list in force. The heap is swept after every part, and what stays for good
comes before what needs room for a while: so that it lies side by side and leaves the rest in one
piece.
"""

import gc
import os
import sys

import board

from firmware import dispatch, journal, reserve
from firmware.access import Access
from firmware.admission import Admission
from firmware.bases import Bases
from firmware.cable import Cable
from firmware.clock import Clock
from firmware.config import Config, read_file
from firmware.intake import Intake
from firmware.loan import forget
from firmware.network_port import NetworkPort
from firmware.pace import Pace
from firmware.secure import Secure
from firmware.session import Sessions
from firmware.signed import TRUST_PATH, Keys
from firmware.store import Nvs
from firmware.whitelist import Whitelist
from protocol.codes import EVENT_BOOT, EVENT_SERVICE_CLOSED
from protocol.constants import LINK_FRAMES_MAX, RING_ALARM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller

# it lies beside boot.py and not in the pack that it mounts
packfs: "Any" = __import__("packfs")
_FEW_FRAMES = 8  # of the link, where several doors or ports fill the heap

_NOT_NOW = (  # seldom used, or used already
    "protocol.settings",
    "firmware.enrolment",
    "firmware.handlers.configure",
    "firmware.handlers.service",
    "firmware.retire",
    "firmware.starting",
    "firmware.trial",
    "firmware.trust_keys",
    "firmware.update",
    "firmware.wipe",
    "protocol.wipe_receipt",
)


def build(c: Controller) -> "tuple[Sessions, NetworkPort, Cable]":
    """Returns its wires; raises whatever damaged files or a failing flash bring about."""
    c.board = board
    _intern()
    kind = __import__("firmware." + board.KIND, None, None, ("Service",))
    for part in (_identity, _journal):
        gc.collect()
        part(c)
    gc.collect()
    sessions = Sessions(c, Secure(c.pace))
    gc.collect()
    frames = LINK_FRAMES_MAX if board.capabilities["points"] == 1 else _FEW_FRAMES
    wires = sessions, NetworkPort(c, sessions), Cable(board.service_port(), frames)
    _lists(c)
    gc.collect()
    c.kind = kind.Service(c)
    try:
        c.intake.restore(c.scratch)
    except MemoryError as error:  # without a list, but within reach of whoever can mend it
        c.whitelist.drop()
        dispatch.fault(c, error)
    if c.keys.version != c.journal.rings[RING_ALARM].floors[1]:
        # only now: the list in force stays in force, whatever the trust object is worth
        from firmware.trust_change import settle

        forget("firmware.trust_change")
        settle(c)
    c.access.minute()  # of the grace, if the list is stale: a start begins one
    forget("wiring")  # of the board: it has told where everything is
    reserve.keep()
    return wires


def _intern() -> None:
    """Load every module once, and let it go.

    The names in it stay for ever, in pools that double when they are full: those are to lie at the
    beginning of the heap, not to want a kilobyte in one piece when a list is on its way. What is
    used once a year brings its names when it is used, and may cost a restart then.
    """
    for name in packfs.modules():
        if name not in sys.modules and name not in _NOT_NOW:
            __import__(name, None, None, ("*",))
            forget(name)


def _identity(c: Controller) -> None:
    c.station = board.station()  # the radio first: without it random numbers are not random
    c.config = Config(read_file("/cfg/config.cbor"))
    c.nvs = Nvs(board.nvs("controller"))
    from firmware.device_config import started

    forget("firmware.device_config")
    started(c)
    del started
    gc.collect()
    from firmware.attached import attach

    forget("firmware.attached")
    c.clock = Clock(attach(c), c.nvs)
    c.pace = Pace()
    c.admission = Admission(c.clock)
    c.slot = packfs.mounted
    c.firmware = packfs.identity()
    c.keys = _keys()
    c.config.epoch = max(c.config.epoch, c.keys.epoch)


def _keys() -> Keys:
    from protocol.trust import Stored, parse

    forget("protocol.trust")
    with open(TRUST_PATH, "rb") as file:
        return Keys(parse(Stored(file, 0, os.stat(TRUST_PATH)[6]), True))


def _journal(c: Controller) -> None:
    if journal.must_begin(board.partition("keys")):
        from firmware.first_boot import begin
        from protocol.trust import parse

        forget("protocol.trust")
        begin(c.config, board.partition("keys"), parse(read_file(TRUST_PATH)))
        # with the heap as it is after this, the first session would have no room
        board.reset()
    c.journal = journal.Journal(board.partition, c.config, c.clock, c.nvs)
    c.journal.note(EVENT_BOOT, board.reset_cause(), extra=c.slot & 0xFF)
    if c.nvs.get("service"):  # firmware/handlers/service.py opened the start before
        c.journal.note(EVENT_SERVICE_CLOSED, board.reset_cause())
        try:
            c.nvs.put("service", 0)
        except OSError:  # it is told again by the next start; this one has a door to serve
            c.journal.lost += 1
    if packfs.state == "r":
        from firmware.trial import started

        forget("firmware.trial")
        started(c)
    if c.config_waits:
        from firmware.device_config import tell

        forget("firmware.device_config")
        tell(c)


def _lists(c: Controller) -> None:
    c.whitelist = Whitelist(Bases(board.partition("lists")))
    c.intake = Intake(
        c.config, c.keys, c.whitelist, c.journal, c.clock, c.nvs, board.capabilities["cards"]
    )
    c.access = Access(c.whitelist, c.clock, c.config.card_key, c.nvs)
