"""The energy of one charger over some time: sums, peak, curve; as a picture and as CSV (host)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.services import energy_read, journal_read, load_curve
from controller_tool.services.energy_pull import charger
from controller_tool.services.journal_export import csv_writer, new_file

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.energy_read import Minute, Step
    from controller_tool.services.site import Site
    from controller_tool.services.site_time import SiteTime

_DAY_S = 86400
_COLUMNS = (
    "time", "port", "power_w", "session_wh", "session_min", "ended", "by_ticket", "resumed",
)  # fmt: skip


@dataclass(frozen=True)
class PortReport:
    """One port. port: from 1; peak_w: the highest mean (services.energy_read)."""

    port: int
    energy_wh: float
    peak_w: int
    minutes: int


@dataclass(frozen=True)
class Moment:
    """Mean power of a minute or so. time: when it began, local."""

    time: str
    seconds: int
    power_w: int


@dataclass(frozen=True)
class EnergyReport:
    """What is stored of a charger between two moments, local times.

    peak_time: when the minute with the most power began, empty where nothing was drawn; port: the
    one that is shown, None for all together. guessed_wh: of the energy, what has a guessed time,
    for the clock was not set.
    """

    device: str
    port: int | None
    since: str
    until: str
    energy_wh: float
    peak_w: int
    peak_time: str
    ports: list[PortReport]
    curve: list[Moment]
    steps: list[Step] = field(repr=False)
    minutes: list[Minute] = field(repr=False)
    since_s: int = 0
    until_s: int = 0
    guessed_wh: float = 0


def untimed_wh(site: Site, name: str, port: int | None = None) -> float:
    """Energy that is stored and in no report, for nobody knows when it was; port: from 1."""
    found = energy_read.untimed(site, charger(site, name))
    return round(energy_read.energy_wh(found, None if port is None else port - 1), 3)


def report(
    site: Site,
    name: str,
    port: int | None = None,
    since_s: int | None = None,
    until_s: int | None = None,
) -> EnergyReport | None:
    """What is stored of these times, else of the last day that is stored; None for nothing at all.

    port: from 1.
    """
    device = charger(site, name)
    newest_s = energy_read.newest_s(site, device)
    if newest_s is None:
        return None
    end_s = until_s if until_s is not None else max(newest_s + 1, (since_s or 0) + 1)
    begin_s = since_s if since_s is not None else end_s - _DAY_S
    found = energy_read.minutes(site, device, begin_s, end_s)
    chosen = None if port is None else port - 1
    steps = energy_read.steps(found, chosen)
    sums = [one for one in energy_read.sums(found) if chosen in (None, one.port)]
    local = journal_read.local_of(site)
    most = energy_read.peak(steps)
    return EnergyReport(
        device=name,
        port=port,
        since=local.text(begin_s),
        until=local.text(end_s),
        energy_wh=round(sum(one.energy_wh for one in sums), 3),
        peak_w=round(most.power_w) if most else 0,
        peak_time=local.text(most.begin_s) if most else "",
        ports=[
            PortReport(one.port + 1, one.energy_wh, one.peak_w, round(one.seconds / 60))
            for one in sums
        ],
        curve=[
            Moment(local.text(step.begin_s), step.seconds, round(step.power_w)) for step in steps
        ],
        steps=steps,
        minutes=found,
        since_s=begin_s,
        until_s=end_s,
        guessed_wh=round(energy_read.energy_wh(found, chosen, guessed=True), 3),
    )


def picture(site: Site, made: EnergyReport, path: Path, force: bool = False) -> None:
    """The load curve as a PNG: the station, and each port that did anything; OperatorError."""
    word = load_curve.word
    if made.port is None:
        curves = [load_curve.of_steps(word("all ports"), made.steps, filled=True)]
        curves += [
            load_curve.of_steps(
                word("port {n}", n=one.port), energy_read.steps(made.minutes, one.port - 1)
            )
            for one in made.ports
        ]
    else:
        name = word("port {n}", n=made.port)
        curves = [load_curve.of_steps(name, made.steps, filled=True)]
    title = word("{device}, {since} to {until}",
                 device=made.device, since=made.since, until=made.until)  # fmt: skip
    local = journal_read.local_of(site)
    load_curve.save(path, curves, force=force, title=title, offset_min=local.offset_min)


def as_csv(site: Site, made: EnergyReport, path: Path, force: bool = False) -> int:
    """One row a port and minute, English and numbers, for programs; how many. OperatorError."""
    local = journal_read.local_of(site)
    rows = list(_rows(made, local))
    with new_file(path, force) as file:
        writer, stream = csv_writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
        stream.detach()
    return len(rows)


def _rows(made: EnergyReport, local: SiteTime) -> list[tuple[object, ...]]:
    return [
        (local.text(minute.time_s), one.port + 1, one.power_w, one.energy_mwh / 1000,
         round(one.seconds / 60, 1), int(one.ended), int(one.by_ticket), int(one.resumed))
        for minute in made.minutes
        for one in minute.ports
        if made.port in (None, one.port + 1)
    ]  # fmt: skip
