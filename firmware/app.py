"""Puts a controller together and runs its tasks until one of them ends (device).

Order of starting: identity, clock, trust, journal (which finishes what a power cut left), the
door, the list in force, then everything is served. Any exit is a reset by main.py. After a start
that failed, or a task that died soon after one, only the way out is served for a while
(firmware/way_out.py): resets in a row would be a locked door.
"""

import asyncio
import gc
import sys
import time

import board

from firmware import dispatch, journal, reserve
from firmware.access import Access
from firmware.admission import Admission
from firmware.bases import Bases
from firmware.cable import Cable, CableStream
from firmware.chores import PERIOD_MS, Chores
from firmware.clock import Clock
from firmware.config import Config, read_file
from firmware.controller import Controller
from firmware.intake import Intake
from firmware.loan import forget
from firmware.network_port import NetworkPort
from firmware.pace import Pace, Watch
from firmware.secure import Secure
from firmware.session import Sessions
from firmware.signed import Keys
from firmware.store import Nvs
from firmware.whitelist import Whitelist
from protocol import cards as _cards  # noqa: F401  early: nested imports cost stack
from protocol.codes import EVENT_BOOT
from protocol.constants import RING_ALARM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocol.trust import Trust

# it lies beside boot.py and not in the pack that it mounts
packfs: "Any" = __import__("packfs")

_RARE = ("protocol.settings", "firmware.enrolment", "firmware.handlers.configure")
_WATCHDOG_MS = 8000
_SETTLED_S = 600  # who dies later than that was not made to by what lies on the flash
_PAUSE_MS = 120000
_KIND_MS = 10
_LINE_MS = 4  # an answer that waited for the next turn would cost a third of its exchange
_CABLE_BUSY_MS = 1
_CABLE_IDLE_MS = 4
_CABLE_BUSY_TURNS = 100  # after something moved: an answer is on its way
_FAREWELL_MS = 500
_TASK_KIND = 0
_TASK_CABLE = 1
_TASK_NETWORK = 2
_TASK_CHORES = 3
_TASKS = 4


def run() -> None:
    """Until a task ends; the caller resets the board."""
    if _ends_well(Controller()):
        return
    asyncio.new_event_loop()  # lets go of the tasks, and of all that they hold
    gc.collect()
    from firmware.way_out import keep

    keep(_WATCHDOG_MS, _PAUSE_MS)


def _ends_well(c: Controller) -> bool:
    """Build and run it; whether it may be started again at once."""
    try:
        asyncio.run(_main(c, *build(c)))
    except Exception as error:  # noqa: BLE001 - damaged files, failing flash, no room: a locked door
        c.fault = type(error).__name__
        return False
    return c.restart_wanted or c.clock.uptime_s > _SETTLED_S


def build(c: Controller) -> "tuple[Sessions, NetworkPort, Cable]":
    """Make a controller ready to be served, from what lies on its flash; returns its wires.

    The heap is swept after every part, and what stays for good comes before what needs room for a
    while: so that it lies side by side and leaves the rest in one piece.
    """
    c.board = board
    _intern()
    kind = __import__("firmware." + board.KIND, None, None, ("Service",))
    for part in (_identity, _journal):
        gc.collect()
        part(c)
    gc.collect()
    sessions = Sessions(c, Secure(c.pace))
    gc.collect()
    wires = sessions, NetworkPort(c, sessions), Cable(board.service_port())
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
    reserve.keep()
    return wires


def _intern() -> None:
    """Load every module once, and let it go.

    The names in it stay for ever, in pools that double when they are full: those are to lie at the
    beginning of the heap, not to want a kilobyte in one piece when a list is on its way. What is
    used once a year brings its names when it is used, and may cost a restart then.
    """
    for name in packfs.modules():
        if name not in sys.modules and name not in _RARE:
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
    c.keys = Keys(_trust_object())
    c.config.epoch = max(c.config.epoch, c.keys.epoch)


def _trust_object() -> "Trust":
    # loaded, asked and let go again: nothing reads a trust object in a running controller
    from protocol.trust import parse

    held = parse(read_file("/cfg/trust.cbor"))
    forget("protocol.trust")
    return held


def _journal(c: Controller) -> None:
    if journal.must_begin(board.partition("keys")):
        from firmware.first_boot import begin

        begin(c.config, board.partition("keys"), _trust_object())
        # with the heap as it is after this, the first session would have no room
        board.reset()
    c.journal = journal.Journal(board.partition, c.config, c.clock, c.nvs)
    c.journal.note(EVENT_BOOT, board.reset_cause(), extra=c.slot & 0xFF)
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


async def _main(c: Controller, sessions: Sessions, network: NetworkPort, cable: Cable) -> None:
    watch = Watch(board.watchdog(_WATCHDOG_MS), _TASKS)
    ended = asyncio.Event()

    def failed(_: object, context: "dict[str, BaseException]") -> None:
        dispatch.fault(c, context["exception"])
        ended.set()

    asyncio.get_event_loop().set_exception_handler(failed)
    gc.collect()
    asyncio.create_task(_serve_kind(c, watch))
    asyncio.create_task(_serve_cable(c, cable, sessions, watch))
    asyncio.create_task(network.run(watch, _TASK_NETWORK))
    asyncio.create_task(_do_chores(c, watch, ended))
    gc.collect()
    await ended.wait()


async def _serve_kind(c: Controller, watch: Watch) -> None:
    while True:
        c.kind.turn(c.pace.turn(_KIND_MS))
        watch.alive(_TASK_KIND)
        left_ms = _KIND_MS
        while c.kind.swipes.line is not None and left_ms > _LINE_MS:
            await asyncio.sleep_ms(_LINE_MS)
            left_ms -= _LINE_MS
            c.kind.swipes.line.step(time.ticks_ms())
        await asyncio.sleep_ms(left_ms)


async def _serve_cable(c: Controller, cable: Cable, sessions: Sessions, watch: Watch) -> None:
    link = cable.link
    session = b""
    busy = 0
    while True:
        busy = _CABLE_BUSY_TURNS if cable.turn(time.ticks_ms()) else busy - 1
        if link.connected and link.session != session:
            session = link.session
            try:
                asyncio.create_task(_serve_session(CableStream(link), sessions))
            except MemoryError as error:  # that caller has to come again
                link.close()
                dispatch.fault(c, error)
        watch.alive(_TASK_CABLE)
        pause_ms = _CABLE_BUSY_MS if busy > 0 else _CABLE_IDLE_MS
        await asyncio.sleep_ms(0 if cable.hurries else pause_ms)


async def _serve_session(stream: CableStream, sessions: Sessions) -> None:
    caller = await sessions.knock(stream, True)
    if caller is not None:
        await sessions.serve(stream, caller)


async def _do_chores(c: Controller, watch: Watch, ended: "asyncio.Event") -> None:
    chores = Chores(c)
    last = time.ticks_ms()
    while not c.restart_wanted:
        await asyncio.sleep_ms(PERIOD_MS)
        now = time.ticks_ms()
        chores.turn(time.ticks_diff(now, last))
        last = now
        if not c.admission.is_stuck:
            watch.alive(_TASK_CHORES)
    await asyncio.sleep_ms(_FAREWELL_MS)
    ended.set()
