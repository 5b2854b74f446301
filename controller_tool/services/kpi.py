"""Key figures of chargers: energy, sessions, peak power, faults, by day or longer (host).

- energy, minutes and sessions are those of the journal, which is evidence and complete: a session
  counts for the period and port in which it ended
- what was recorded while the clock was not set belongs to no day: it is a row of its own, NO_CLOCK,
  unless all of all times is asked for
- the peak is the highest mean (services.energy_read) from the account of energy, so of what was
  pulled of that
- faults are journal records by their kind; ends of sessions by their code
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from controller_tool.services import energy_read, journal_read
from controller_tool.services.energy_pull import CHARGER, charger
from controller_tool.services.journal_export import csv_writer, new_file
from controller_tool.services.journal_filter import Filter
from protocol import codes as c
from protocol.names import EVENT_NAMES, LINE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.registry.models import Device
    from controller_tool.services.energy_read import Step
    from controller_tool.services.journal_index import Progress
    from controller_tool.services.journal_read import Entry, Flaws
    from controller_tool.services.site import Site

DAY, WEEK, MONTH, ALL = PERIODS = ("day", "week", "month", "all")
NO_CLOCK = "clock_not_set"  # a period, also in files
_QUARTER_S = 900
_ENDED = EVENT_NAMES[c.EVENT_CHARGE_ENDED]
FAULTS = frozenset(
    EVENT_NAMES[event]
    for event in (
        c.EVENT_TAMPER, c.EVENT_FIRE, c.EVENT_RELAY_FAULT, c.EVENT_FIRMWARE_FAULT,
        c.EVENT_READER_LOST, c.EVENT_INPUT_FAULT, c.EVENT_MAINS_LOST, c.EVENT_SUPPLY_LOW,
        c.EVENT_TEMPERATURE_WARNING, c.EVENT_OVER_TEMPERATURE, c.EVENT_LEAKAGE,
        c.EVENT_EMERGENCY_STOP, c.EVENT_RELAY_WELD, c.EVENT_METER_LOST, c.EVENT_OVER_POWER,
        c.EVENT_CONTACTOR_TRIPPED, c.EVENT_STATION_LIMIT, c.EVENT_OUTPUT_LOST, c.EVENT_ENERGY_LOST,
    )
)  # fmt: skip
_INPUT_FAULT, _MENDED = EVENT_NAMES[c.EVENT_INPUT_FAULT], LINE_NAMES[c.LINE_OK]


@dataclass
class PortFigures:
    """One port in one period; port: from 1."""

    port: int
    sessions: int = 0
    energy_wh: int = 0
    minutes: int = 0


@dataclass
class Figures:
    """One charger in one period: 2026-05-04, 2026-W19, 2026-05, all or NO_CLOCK.

    peak_w: None where nothing of the account of energy is stored; peak_time: local.
    """

    period: str
    controller: str
    sessions: int = 0
    energy_wh: int = 0
    minutes: int = 0
    peak_w: int | None = None
    peak_time: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    ports: dict[int, PortFigures] = field(default_factory=dict)


def figures(
    site: Site,
    names: tuple[str, ...] = (),
    by: str = DAY,
    since_s: int | None = None,
    until_s: int | None = None,
    progress: Progress | None = None,
    flaws: Flaws | None = None,
) -> list[Figures]:
    """By period, then controller; of the named chargers or of all. OperatorError for a door."""
    chosen = [charger(site, name) for name in dict.fromkeys(names)]
    chosen = chosen or [device for device in site.devices() if device.kind == CHARGER]
    if not chosen:
        return []
    made: dict[tuple[str, str], Figures] = {}
    wanted = Filter(
        devices=tuple(device.name for device in chosen),
        events=FAULTS | {_ENDED},
        since_s=since_s,
        until_s=until_s,
    )
    for entry in journal_read.walk(site, wanted, progress, flaws):
        apart = entry.clock == journal_read.UNSET and (by, since_s, until_s) != (ALL, None, None)
        period = NO_CLOCK if apart else period_of(entry.time, by)
        _count(_of(made, period, entry.controller), entry)
    for device in chosen:
        _peaks(site, device, made, by, since_s, until_s)
    return [made[key] for key in sorted(made)]


def period_of(local_time: str, by: str) -> str:
    """The period in which a local moment lies, 2026-05-04… as it is written in files."""
    if by == ALL:
        return ALL
    if by == WEEK:
        year, week, _ = date.fromisoformat(local_time[:10]).isocalendar()
        return f"{year:04d}-W{week:02d}"
    return local_time[:7] if by == MONTH else local_time[:10]


def totals(found: list[Figures]) -> list[Figures]:
    """The same of all periods together, one a controller; peak_time says when."""
    made: dict[tuple[str, str], Figures] = {}
    for one in found:
        whole = _of(made, ALL, one.controller)
        whole.sessions += one.sessions
        whole.energy_wh += one.energy_wh
        whole.minutes += one.minutes
        whole.faults += one.faults
        whole.ends += one.ends
        _raise_peak(whole, one.peak_w, one.peak_time)
        for number, port in one.ports.items():
            mine = whole.ports.setdefault(number, PortFigures(number))
            mine.sessions += port.sessions
            mine.energy_wh += port.energy_wh
            mine.minutes += port.minutes
    return [made[key] for key in sorted(made)]


def as_csv(found: list[Figures], path: Path, force: bool = False) -> int:
    """A row a period and controller, and one for each of its ports; how many. OperatorError."""
    kinds = sorted({kind for one in found for kind in one.faults})
    ends = sorted({end for one in found for end in one.ends})
    header = ["period", "controller", "port", "sessions", "energy_wh", "minutes", "peak_w",
              "peak_time"]  # fmt: skip
    header += [*(f"fault_{kind}" for kind in kinds), *(f"end_{end}" for end in ends)]
    rows: list[list[object]] = []
    for one in found:
        peak = "" if one.peak_w is None else one.peak_w
        rows.append(
            [one.period, one.controller, "", one.sessions, one.energy_wh, one.minutes, peak,
             one.peak_time, *(one.faults[kind] for kind in kinds), *(one.ends[end] for end in ends)]
        )  # fmt: skip
        rows += [
            [one.period, one.controller, number, port.sessions, port.energy_wh, port.minutes]
            for number, port in sorted(one.ports.items())
        ]
    with new_file(path, force) as file:
        writer, stream = csv_writer(file)
        writer.writerow(header)
        writer.writerows(row + [""] * (len(header) - len(row)) for row in rows)
        stream.detach()
    return len(rows)


def _of(made: dict[tuple[str, str], Figures], period: str, controller: str) -> Figures:
    return made.setdefault((period, controller), Figures(period, controller))


def _count(whole: Figures, entry: Entry) -> None:
    if entry.event != _ENDED:
        if (entry.event, entry.reason) != (_INPUT_FAULT, _MENDED):
            whole.faults[entry.event] += 1
        return
    minutes, energy_wh = entry.extra >> 16, entry.extra & 0xFFFF
    port = whole.ports.setdefault(entry.point + 1, PortFigures(entry.point + 1))
    for counted in (whole, port):
        counted.sessions += 1
        counted.energy_wh += energy_wh
        counted.minutes += minutes
    whole.ends[entry.reason] += 1


def _peaks(
    site: Site,
    device: Device,
    made: dict[tuple[str, str], Figures],
    by: str,
    since_s: int | None,
    until_s: int | None,
) -> None:
    local = journal_read.local_of(site)
    highest: dict[str, Step] = {}
    periods: dict[int, str] = {}  # by quarters of an hour: no day begins within one
    for step in energy_read.station_steps(site, device, since_s, until_s):
        quarter = step.begin_s // _QUARTER_S
        if quarter not in periods:
            periods[quarter] = period_of(local.text(step.begin_s), by)
        period = periods[quarter]
        if period not in highest or step.power_w > highest[period].power_w:
            highest[period] = step
    for period, step in highest.items():
        _raise_peak(_of(made, period, device.name), round(step.power_w), local.text(step.begin_s))


def _raise_peak(whole: Figures, peak_w: int | None, time: str) -> None:
    if peak_w is not None and (whole.peak_w is None or peak_w > whole.peak_w):
        whole.peak_w, whole.peak_time = peak_w, time
