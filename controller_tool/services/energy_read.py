"""Stored energy of chargers as power over time and as sums (host).

A slot tells each port's mean power since the slot before it. Where more than `_GAP_S` lie between
two, nobody charged, or the slots in between were overwritten: no power is shown there, but the
energy that a session's own account says went through meanwhile is counted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from controller_tool.registry.records import EnergySlot
from protocol import energy_slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from controller_tool.registry.models import Device
    from controller_tool.services.site import Site

_GAP_S = 90
_MINUTE_S = 60
_AT_ONCE = 1000
_KIND_AT = 11
_POWERS = struct.Struct(">" + "14xHx" * energy_slot.PORTS)  # of all entries, and nothing else


@dataclass(frozen=True)
class PortMinute:
    """One port in one slot. energy_mwh, seconds: of the session so far; ended: it ends here.

    resumed: it went on after an outage, and no whole minute of it was accounted since.
    """

    port: int
    key: bytes
    energy_mwh: int
    seconds: int
    power_w: int
    ended: bool
    by_ticket: bool
    resumed: bool


@dataclass(frozen=True)
class Minute:
    """All ports that had a session. time_s: when it was written.

    guessed: the clock was not known; it came after a slot of a known time.
    """

    era: int
    seq: int
    time_s: int
    guessed: bool
    ports: tuple[PortMinute, ...]


@dataclass(frozen=True)
class Step:
    """Mean power of some ports from one moment to another."""

    begin_s: int
    end_s: int
    power_w: int


@dataclass(frozen=True)
class PortSum:
    """What one port did. port: from 0; seconds: in which it had a session."""

    port: int
    energy_wh: float
    peak_w: int
    seconds: int


def newest_s(site: Site, device: Device) -> int | None:
    """When the newest stored slot was written; None while there is none."""
    query = select(func.max(EnergySlot.time_s)).where(EnergySlot.device_id == device.id)
    with site.registry.session() as session:
        return session.scalar(query) or None


def minutes(
    site: Site, device: Device, since_s: int | None = None, until_s: int | None = None
) -> list[Minute]:
    """Minutes in the order of time, from ``since_s`` on and before ``until_s``."""
    with site.registry.session() as session:
        found = [
            Minute(era, seq, time_s, guessed, _ports(slot))
            for era, seq, time_s, guessed, slot in _written(session, device, since_s, until_s)
        ]
    return sorted(found, key=lambda one: (one.time_s, one.era, one.seq))


def station_steps(
    site: Site, device: Device, since_s: int | None = None, until_s: int | None = None
) -> Iterator[Step]:
    """Mean power of all ports together, one after another: there may be years of them."""
    before_s = 0
    with site.registry.session() as session:
        for _, _, time_s, _, slot in _written(session, device, since_s, until_s):
            begin_s = _begin_s(before_s, time_s)
            before_s = time_s
            power_w = sum(_POWERS.unpack_from(slot, energy_slot.HEADER_BYTES))
            if power_w and begin_s < time_s:
                yield Step(begin_s, time_s, power_w)


def _written(
    session: Session, device: Device, since_s: int | None, until_s: int | None
) -> Iterator[tuple[int, int, int, bool, bytes]]:
    """(era, number, time, whether that is guessed, slot) of each minute, as they were written."""
    query = select(EnergySlot.era, EnergySlot.seq, EnergySlot.time_s, EnergySlot.slot).where(
        EnergySlot.device_id == device.id
    )
    if since_s is not None:
        query = query.where(or_(EnergySlot.time_s >= since_s, EnergySlot.time_s == 0))
    if until_s is not None:
        query = query.where(EnergySlot.time_s < until_s)
    ordered = query.order_by(EnergySlot.era, EnergySlot.seq).execution_options(yield_per=_AT_ONCE)
    before = (-1, 0, 0)
    for era, seq, told_s, slot in session.execute(ordered):
        follows = before[:2] == (era, seq - 1)
        time_s = told_s or (before[2] + _MINUTE_S if follows else 0)
        if not time_s or not energy_slot.is_whole(slot):
            continue
        before = (era, seq, time_s)
        if slot[_KIND_AT] == energy_slot.KIND_MINUTE and (until_s is None or time_s < until_s):
            yield era, seq, time_s, not told_s, slot


def _begin_s(before_s: int, time_s: int) -> int:
    """When the minute began that was written then, after one that was written before."""
    return before_s if time_s - before_s <= _GAP_S else time_s - _MINUTE_S


def _ports(slot: bytes) -> tuple[PortMinute, ...]:
    entries = struct.iter_unpack(energy_slot.ENTRY, slot[energy_slot.HEADER_BYTES :])
    return tuple(
        PortMinute(
            port, key, energy_mwh, seconds, power_w,
            ended=bool(flags & energy_slot.ENERGY_ENDED),
            by_ticket=bool(flags & energy_slot.ENERGY_BY_TICKET),
            resumed=bool(flags & energy_slot.ENERGY_RESUMED),
        )
        for port, (key, energy_mwh, seconds, power_w, flags) in enumerate(entries)
        if flags
    )  # fmt: skip


def steps(found: Sequence[Minute], port: int | None = None) -> list[Step]:
    """Power of one port, or of all together, without what is zero."""
    made: list[Step] = []
    before_s = 0
    for minute in found:
        begin_s = _begin_s(before_s, minute.time_s)
        before_s = minute.time_s
        power_w = sum(one.power_w for one in minute.ports if port is None or one.port == port)
        if power_w and begin_s < minute.time_s:
            made.append(Step(begin_s, minute.time_s, power_w))
    return made


def peak(made: Iterable[Step]) -> Step | None:
    """The step with the most power, the first of equal ones; None where nothing was drawn."""
    return max(made, key=lambda step: (step.power_w, -step.begin_s), default=None)


def sums(found: Sequence[Minute]) -> list[PortSum]:
    """What each port did, of those that did anything: energy by the sessions' own accounts.

    Of a session that runs at the first minute counts what was added since then.
    """
    made: dict[int, PortSum] = {}
    running: dict[int, PortMinute] = {}
    for minute in found:
        for one in minute.ports:
            before = running.get(one.port)
            added_mwh, added_s = one.energy_mwh, one.seconds
            if before is not None and _goes_on(before, one):
                added_mwh -= before.energy_mwh
                added_s -= before.seconds
            elif minute is found[0] and one.seconds > _GAP_S:
                added_mwh = added_s = 0
            so_far = made.get(one.port, PortSum(one.port, 0.0, 0, 0))
            made[one.port] = PortSum(
                one.port,
                so_far.energy_wh + added_mwh / 1000,
                max(so_far.peak_w, one.power_w),
                so_far.seconds + added_s,
            )
            running[one.port] = one
    return [replace(made[port], energy_wh=round(made[port].energy_wh, 3)) for port in sorted(made)]


def _goes_on(before: PortMinute, one: PortMinute) -> bool:
    """Whether an entry is of the same session as the one before it at that port."""
    return (
        not before.ended
        and one.key == before.key
        and one.seconds >= before.seconds
        and one.energy_mwh >= before.energy_mwh
    )
