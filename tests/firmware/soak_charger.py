"""Sixteen ports for hours: heap, energy, the time of a turn, smoke (MicroPython).

    micropython soak_charger.py SESSIONS

Prints a JSON object of figures. The meters are the rig's: drivers have tests of their own.
"""

import gc
import json
import random
import sys
import time

from protocol import codes as c
from tests.firmware.charger_rig import TURN_MS, World

PORTS = 16
COARSE_MS = 100
ROUND_S = 8
TURNS = 4000
HOURS_S = 3600
SETTINGS = {64: 16000, 65: 16000, 75: 1}


def main(sessions: int) -> None:
    """Each figure in a world of its own."""
    random.seed(6)
    told = {"smoke_ms": smoke(), "energy_error": energy(), "turn_us": turn_us()}
    told["sessions"], told["growth"] = soak(sessions)
    print(json.dumps(told))


def charging(watts: int = 200) -> World:
    """All ports charge."""
    world = World(PORTS, SETTINGS)
    for number in range(PORTS):
        world.plug(number, watts)
        world.kind.act(c.TICKET_CHARGE_START, number, 0)
    world.wait(PORTS + 6)
    assert sum(world.levels()) == PORTS, world.levels()
    return world


def smoke() -> int:
    """From the contact to the last relay, ms of the loop's turns."""
    world = charging()
    world.wires["smoke"].level = 1
    for turns in range(1, 100):
        world.turn()
        if not sum(world.levels()) and not world.trip.level:
            return turns * TURN_MS
    raise AssertionError


def energy() -> float:
    """Greatest error of a port's account against what flowed, per cent, over changing loads."""
    world = charging()
    for _ in range(HOURS_S // 30):
        for number in range(PORTS):
            world.loads_w[number] = random.randrange(100, 900)
        world.wait(30, COARSE_MS)
    worst = 0.0
    for number in range(PORTS):
        true_mwh = world.true_mws[number] / 3600
        counted = world.kind.sessions.ports[number].energy_mwh
        worst = max(worst, abs(counted - true_mwh) / true_mwh * 100)
    return worst


def turn_us() -> float:
    """Processor time of a turn of the service with sixteen ports metering, on this computer."""
    world = charging()
    spent_us = 0
    for _ in range(TURNS):
        world.turn(0)  # the world's own work is not the service's
        before = time.ticks_us()
        world.kind.turn(TURN_MS)
        spent_us += time.ticks_diff(time.ticks_us(), before)
    return spent_us / TURNS


def soak(sessions: int) -> "tuple[int, int]":
    """(sessions, bytes by which the heap grew after the first hundreds)."""
    world = World(PORTS, SETTINGS)
    for number in range(PORTS):
        world.plug(number, 200)
    done = before = 0
    while done < sessions:
        for number in range(PORTS):
            world.kind.act(c.TICKET_CHARGE_START, number, 0)
        world.wait(PORTS + ROUND_S, COARSE_MS)
        for number in range(PORTS):
            world.kind.act(c.TICKET_CHARGE_STOP, number, 0)
        world.wait(ROUND_S, COARSE_MS)
        assert len(world.ends()) == PORTS, world.ends()
        for kept in (world.journal.records, world.journal.events, world.journal.levels):
            kept.clear()
        world.true_mws = [0] * PORTS  # of hours it would be no small int, and take heap
        world.journal.forget()
        done += PORTS
        gc.collect()
        if done == 20 * PORTS:
            before = gc.mem_alloc()
    return done, gc.mem_alloc() - before


main(int(sys.argv[1]))
