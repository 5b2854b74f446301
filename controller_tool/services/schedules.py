"""Schedules: weekly windows in local time under a name, kept by the desk (host)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.registry.models import Profile, Schedule
from controller_tool.services import audit, device_config, mode_hours, rules_room, windows
from controller_tool.services.profiles import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from controller_tool.services.site import Site
    from controller_tool.services.windows import Window


@dataclass(frozen=True)
class ScheduleView:
    """windows: as services/windows.py reads and writes them; masks: the same as numbers.

    on_holidays: whether anybody comes in by it on a holiday; profiles: those that name it.
    """

    id: int
    name: str
    windows: tuple[str, ...]
    masks: tuple[Window, ...]
    on_holidays: bool
    profiles: tuple[str, ...]


def list_schedules(site: Site) -> list[ScheduleView]:
    """All, by number."""
    site.require_cards()
    with site.registry.session() as session:
        return [_view(session, r) for r in session.scalars(select(Schedule).order_by(Schedule.id))]


def add(site: Site, name: str, texts: Sequence[str], dry_run: bool = False) -> ScheduleView:
    """A new schedule; OperatorError names every wrong window, or says that it no longer fits."""
    hours = windows.read(texts)
    with rules_room.changing(site, dry_run) as session:
        if name.strip().lower() in ALWAYS:
            raise OperatorError(t("{name} is there already", name=name), t("Take another name"))
        row = Schedule(
            id=rules_room.free_id(session, Schedule),
            name=rules_room.require_name(session, Schedule, name),
            windows=json.dumps(hours),
        )
        session.add(row)
        session.flush()
        made = _view(session, row)
        audit.append(session, site.operator, "schedule.add", **_facts(made))
    return made


def change(site: Site, name: str, texts: Sequence[str], dry_run: bool = False) -> ScheduleView:
    """Give it other windows, all of them anew; it counts after the next push."""
    hours = windows.read(texts)
    with rules_room.changing(site, dry_run) as session:
        row = _find(session, name)
        before = _view(session, row).windows
        row.windows = json.dumps(hours)
        session.flush()
        made = _view(session, row)
        audit.append(session, site.operator, "schedule.change", before=list(before), **_facts(made))
    return made


def remove(site: Site, name: str, dry_run: bool = False) -> ScheduleView:
    """Remove a schedule that no profile and no door names; OperatorError while one does."""
    device_config.unlock(site)
    with rules_room.changing(site, dry_run) as session:
        row = _find(session, name)
        gone = _view(session, row)
        if gone.profiles:
            raise OperatorError(
                t("Profiles go by schedule {name}: {profiles}",
                  name=row.name, profiles=", ".join(gone.profiles)),
                t("Give them another one first: profile change NAME --schedule always"),
            )  # fmt: skip
        doors = _doors_by(site, row.id)
        if doors:
            raise OperatorError(
                t("Doors have another mode by schedule {name}: {devices}",
                  name=row.name, devices=", ".join(doors)),
                t("Take it from them first: device config set DEVICE mode_schedule="),
            )  # fmt: skip
        session.delete(row)
        audit.append(session, site.operator, "schedule.remove", **_facts(gone))
    return gone


def _doors_by(site: Site, number: int) -> list[str]:
    """Names of the controllers whose doors have another mode by the schedule of that number."""
    signed = ((device.name, device_config.newest(site, device)) for device in site.devices())
    return [name for name, one in signed if one and number in mode_hours.numbers(one.settings)]


def _find(session: Session, name: str) -> Schedule:
    found = session.scalar(select(Schedule).where(Schedule.name == name.strip()))
    if found is None:
        raise OperatorError(
            t("There is no schedule {name}", name=name), t("See them with: schedule list")
        )
    return found


def _view(session: Session, row: Schedule) -> ScheduleView:
    masks = tuple((mask, begin, end) for mask, begin, end in json.loads(row.windows))
    users = select(Profile.name).where(Profile.schedule_id == row.id).order_by(Profile.name)
    return ScheduleView(
        id=row.id,
        name=row.name,
        windows=tuple(windows.text(window) for window in masks),
        masks=masks,
        on_holidays=windows.names_holidays(masks),
        profiles=tuple(session.scalars(users)),
    )


def _facts(seen: ScheduleView) -> dict[str, object]:
    return {"id": seen.id, "name": seen.name, "windows": list(seen.windows)}
