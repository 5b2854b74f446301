"""Puts a controller together and runs its tasks until one of them ends (device).

It is made by firmware/starting.py, then everything is served. Any exit is a reset by boot.py. After
a start that failed, or a task that died soon after one, only the way out is served for a while
(firmware/way_out.py): resets in a row would be a locked door.
"""

import asyncio
import gc
import time

import board

# what stays for good is one module with this one, whoever makes it
from firmware import (  # noqa: F401
    access,
    admission,
    bases,
    clock,
    config,
    dispatch,
    intake,
    journal,
    reserve,
    secure,
    signed,
    store,
    whitelist,
)
from firmware.cable import Cable, CableStream
from firmware.chores import PERIOD_MS, Chores
from firmware.controller import Controller
from firmware.loan import forget
from firmware.network_port import NetworkPort
from firmware.pace import Watch
from firmware.session import Sessions
from protocol import cards  # noqa: F401  early: nested imports cost stack

packfs = __import__("packfs")  # it lies beside boot.py and not in the pack that it mounts

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
    if _ends_well(Controller()) or _is_tried_again():
        return
    asyncio.new_event_loop()  # lets go of the tasks, and of all that they hold
    gc.collect()
    from firmware.way_out import keep

    keep(_WATCHDOG_MS, _PAUSE_MS)


def _is_tried_again() -> bool:
    """On trial the next start is another try, and after the third the other slot, if there is one.

    Where there is none, nothing would end these starts.
    """
    if packfs.state != "t":
        return False
    slots = __import__("slots")
    forget("slots")
    return bool(slots.whole(1 - packfs.mounted))


def _ends_well(c: Controller) -> bool:
    """Build and run it; whether it may be started again at once."""
    try:
        asyncio.run(_main(c, *_built(c)))
    except Exception as error:  # noqa: BLE001 - damaged files, failing flash, no room: a locked door
        c.fault = type(error).__name__
        return False
    return c.restart_wanted or c.clock.uptime_s > _SETTLED_S


def _built(c: Controller) -> "tuple[Sessions, NetworkPort, Cable]":
    from firmware.starting import build

    forget("firmware.starting")
    return build(c)


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
