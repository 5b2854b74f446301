"""Stored energy of chargers as power over time and as sums (host).

A slot tells each port's mean power since the slot before it. Where more than `_GAP_S` lie between
two, nobody charged, or the slots in between were overwritten: no power is shown there, but the
energy that a session's own account says went through meanwhile is counted.

What is shown is a mean over `_MEAN_S` at least: when sessions begin and end, slots are written one
or two seconds apart, and power from whole seconds is then wrong by half. Such a short step becomes
one with its neighbour, and the energy of both stays. A peak is the highest of these means.
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
_MEAN_S = 30
_MERGED_MAX_S = 90  # longer ones take no further short step: many in a row are no one step
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
    power_w: float

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end_s - self.begin_s


@dataclass(frozen=True)
class PortSum:
    """What one port did. port: from 0; seconds: in which it had a session."""

    port: int
    energy_wh: float
    peak_w: int
    seconds: int


def newest_s(site: Site, device: Device) -> int | None:
    """When the newest stored slot was written, or by guess may have been; None while none tells."""
    mine = EnergySlot.device_id == device.id
    query = select(EnergySlot.time_s, EnergySlot.era, EnergySlot.seq).where(mine)
    with site.registry.session() as session:
        row = session.execute(query.order_by(EnergySlot.time_s.desc()).limit(1)).first()
        if row is None or not row.time_s:
            return None
        later = (EnergySlot.era == row.era, EnergySlot.seq > row.seq, EnergySlot.time_s == 0)
        guessed = session.scalar(select(func.count()).where(mine, *later)) or 0
    return int(row.time_s + guessed * _MINUTE_S)


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
    with site.registry.session() as session:
        yield from _steps(
            (time_s, sum(_POWERS.unpack_from(slot, energy_slot.HEADER_BYTES)))
            for _, _, time_s, _, slot in _written(session, device, since_s, until_s)
        )


def untimed(site: Site, device: Device) -> list[Minute]:
    """Minutes whose time nobody knows or can guess, in the order of their numbers; time_s is 0."""
    columns = (EnergySlot.era, EnergySlot.seq, EnergySlot.slot)
    mine = EnergySlot.device_id == device.id
    query = select(*columns).where(mine, EnergySlot.time_s == 0)
    made: list[Minute] = []
    before = (-1, 0)
    guessed = False
    with site.registry.session() as session:
        for era, seq, slot in session.execute(query.order_by(*columns[:2])).all():
            if before != (era, seq - 1):  # as `_written` guesses: from the very slot before
                place = (EnergySlot.era == era, EnergySlot.seq == seq - 1)
                guessed = bool(session.scalar(select(EnergySlot.time_s).where(mine, *place)))
            before = (era, seq)
            whole = energy_slot.is_whole(slot) and slot[_KIND_AT] == energy_slot.KIND_MINUTE
            if whole and not guessed:
                made.append(Minute(era, seq, 0, False, _ports(slot)))
    return made


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
    return list(
        _steps(
            (
                minute.time_s,
                sum(one.power_w for one in minute.ports if port is None or one.port == port),
            )
            for minute in found
        )
    )


def _steps(written: Iterable[tuple[int, int]]) -> Iterator[Step]:
    """Of (time, power since the one before) in their order: means over `_MEAN_S` at least."""
    held: Step | None = None  # long enough
    short: Step | None = None  # goes on from it, and is not
    for step in _raw(written):
        if held is None or step.begin_s != (short or held).end_s or step.seconds >= _MEAN_S:
            yield from _drawn(_with(held, short))
            held, short = step, None
        elif short is None and held.seconds + step.seconds <= _MERGED_MAX_S:
            held = _with(held, step)
        else:
            short = _with(short, step) or step
            if short.seconds >= _MEAN_S:
                yield from _drawn(held)
                held, short = short, None
    yield from _drawn(_with(held, short))


def _raw(written: Iterable[tuple[int, int]]) -> Iterator[Step]:
    before_s = 0
    for time_s, power_w in written:
        begin_s = _begin_s(before_s, time_s)
        before_s = time_s
        if begin_s < time_s:
            yield Step(begin_s, time_s, power_w)


def _with(one: Step | None, other: Step | None) -> Step | None:
    """Both as one step, the energy that of both."""
    if one is None or other is None:
        return one or other
    energy_ws = one.power_w * one.seconds + other.power_w * other.seconds
    return Step(one.begin_s, other.end_s, energy_ws / (one.seconds + other.seconds))


def _drawn(step: Step | None) -> Iterator[Step]:
    """It, unless nothing was drawn."""
    if step is not None and step.power_w:
        yield step


def peak(made: Iterable[Step]) -> Step | None:
    """The step with the most power, the first of equal ones; None where nothing was drawn."""
    return max(made, key=lambda step: (step.power_w, -step.begin_s), default=None)


def sums(found: Sequence[Minute]) -> list[PortSum]:
    """What each port did, of those that did anything: energy by the sessions' own accounts.

    Of a session that runs at the first minute counts what was added since then.
    """
    made: dict[int, PortSum] = {}
    for _, one, added_mwh, added_s in _added(found):
        so_far = made.get(one.port, PortSum(one.port, 0.0, 0, 0))
        made[one.port] = replace(
            so_far,
            energy_wh=so_far.energy_wh + added_mwh / 1000,
            seconds=so_far.seconds + added_s,
        )
    for port, one_sum in made.items():
        most = peak(steps(found, port))
        made[port] = replace(
            one_sum,
            energy_wh=round(one_sum.energy_wh, 3),
            peak_w=round(most.power_w) if most else 0,
        )
    return [made[port] for port in sorted(made)]


def energy_wh(found: Sequence[Minute], port: int | None = None, *, guessed: bool = False) -> float:
    """What went through one port, or all; guessed: only in minutes whose time is a guess."""
    return sum(
        added_mwh / 1000
        for minute, one, added_mwh, _ in _added(found)
        if port in (None, one.port) and (minute.guessed or not guessed)
    )


def _added(found: Sequence[Minute]) -> Iterator[tuple[Minute, PortMinute, int, int]]:
    """Each minute's entries, with the mWh and seconds that it adds to its session's account."""
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
            running[one.port] = one
            yield minute, one, added_mwh, added_s


def _goes_on(before: PortMinute, one: PortMinute) -> bool:
    """Whether an entry is of the same session as the one before it at that port."""
    return (
        not before.ended
        and one.key == before.key
        and one.seconds >= before.seconds
        and one.energy_mwh >= before.energy_mwh
    )
