"""How houses, who lives in them and their hazards are shown to people (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller_tool import date_forms
from controller_tool.cli import moments
from controller_tool.cli.common import App, pairs, table, yes_no
from controller_tool.messages import name_of, t

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller_tool.rules.key_areas import Reason
    from controller_tool.services.desk.house_lines import HouseLine
    from controller_tool.services.desk.house_view import DoorLine, HazardLine, HouseView, Staying
    from controller_tool.services.site_time import SiteTime


def done(app: App, result: object, line: str, dry_run: bool, *shown: Any) -> None:
    """The end of every change of the desk's registry."""
    end = t("{what}; nothing was changed", what=line) if dry_run else line
    app.show({"ok": True, "dry_run": dry_run, "result": result}, *shown, end)


def houses(found: Sequence[HouseLine], local: SiteTime) -> Any:
    """One line a house."""
    rows = [
        (one.ref, one.address, name_of("type5", one.type5), name_of("class4", one.class4),
         name_of("house", one.state), f"{one.rooms}/{one.beds}",
         f"{one.people}/{'-' if one.people_surveyed is None else one.people_surveyed}",
         due(one, local), _hazards(one),
         name_of("door_gap", one.door_gap) if one.door_gap else "", reasons(one.key))
        for one in found
    ]  # fmt: skip
    columns = [
        t("house"), t("address"), t("type"), t("class"), t("state"), t("rooms/beds"), t("people"),
        t("next inspection"), t("hazards"), t("smart door"), t("key area"),
    ]  # fmt: skip
    return table(columns, rows)


def house(seen: HouseView, local: SiteTime) -> list[Any]:
    """One house in full."""
    one = seen.line
    parts: list[Any] = [pairs(_facts(seen, local))]
    if seen.rooms:
        rows = [(room.number, room.beds, room.taken) for room in seen.rooms]
        parts.append(table([t("room"), t("beds"), t("stay there")], rows))
    if seen.doors:
        parts.append(doors(seen.doors, local))
    if seen.staying:
        parts.append(staying(seen.staying, local))
    if seen.hazards:
        parts.append(hazards(seen.hazards, local))
    if seen.visits:
        rows_of_visits = [
            (local.text(visit.at_s), name_of("inspection", visit.kind), passed(visit.passed),
             ", ".join(visit.found) or "-", visit.operator, visit.note)
            for visit in seen.visits
        ]  # fmt: skip
        columns = [t("time"), t("inspection"), t("result"), t("hazards"), t("operator"), t("note")]
        parts.append(table(columns, rows_of_visits))
    if one.class4 != seen.class_follows:
        parts.append(follows(one.ref, seen.class_follows))
    return parts


def follows(ref: str, class4: str) -> str:
    """The class that a house should be given now."""
    return t(
        "Class that follows: {class4}; give it with: house classify {house} {word} --reason TEXT",
        class4=name_of("class4", class4), house=ref, word=class4,
    )  # fmt: skip


def doors(found: Iterable[DoorLine], local: SiteTime) -> Any:
    """Doors and ports of a house."""
    rows = [
        (one.device, one.door, name_of("use", one.use), one.room or "", one.camera or "",
         yes_no(one.enrolled), "-" if one.heard_at_s is None else local.text(one.heard_at_s))
        for one in found
    ]  # fmt: skip
    columns = [
        t("controller"), t("door"), t("serves as"), t("room"), t("camera"), t("enrolled"),
        t("last heard"),
    ]  # fmt: skip
    return table(columns, rows)


def staying(found: Iterable[Staying], local: SiteTime) -> Any:
    """Who stays in a house, and the cards they hold."""
    rows = [
        (one.stay, one.room, one.name, name_of("stay", one.kind),
         moments.last_text(local, one.until_min), ", ".join(one.cards) or "-")
        for one in found
    ]  # fmt: skip
    columns = [
        t("stay"), t("room"), name_of("person", "name"), t("kind"), t("until"), t("live cards"),
    ]  # fmt: skip
    return table(columns, rows)


def left_over(found: Sequence[Staying], local: SiteTime) -> list[Any]:
    """Who still lives in a house that issues nothing any more, and what is to be done."""
    if not found:
        return []
    cards = sum(len(one.cards) for one in found)
    line = t(
        "{n} still stay there, with {cards} live cards: nothing ends by itself. End each stay:"
        " tenant check-out; who does not go is evicted by order. Nobody is locked in",
        n=len(found), cards=cards,
    )  # fmt: skip
    return [staying(found, local), line]


def hazards(found: Iterable[HazardLine], local: SiteTime) -> Any:
    """Hazards, one a line."""
    rows = [
        (one.ref, one.house, name_of("hazard", one.grade), one.what, _due(one, local))
        for one in found
    ]
    return table([t("hazard"), t("house"), t("grade"), t("what"), t("due")], rows)


def reasons(found: Iterable[Reason]) -> str:
    """Why something is a key area."""
    return ", ".join(
        f"{name_of('key_area', one.word)} ({one.note or one.count})"
        if one.note or one.count is not None
        else name_of("key_area", one.word)
        for one in found
    )


def told_due(one: HouseLine, local: SiteTime) -> str:
    """The day of the next inspection, in a sentence."""
    return date_forms.shown(due(one, local)) if one.inspect_due_s else due(one, local)


def due(one: HouseLine, local: SiteTime) -> str:
    """The day of the next inspection, in a column."""
    if one.inspect_due_s is None:
        return "-"
    return local.text(one.inspect_due_s)[:10] if one.inspect_due_s else t("never inspected")


def passed(value: bool) -> str:
    """What an inspection said."""
    return t("passed") if value else t("not passed")


def _hazards(one: HouseLine) -> str:
    if one.overdue:
        return t("{n}, {overdue} overdue", n=one.hazards, overdue=one.overdue)
    return str(one.hazards)


def _due(one: HazardLine, local: SiteTime) -> str:
    if one.mended_at_s is not None:
        return t("mended {day}", day=local.text(one.mended_at_s)[:10])
    day = local.text(one.due_s)[:10]
    return t("{day}, overdue", day=day) if one.overdue else day


def _facts(seen: HouseView, local: SiteTime) -> list[tuple[str, object]]:
    one = seen.line
    counted = t("not counted yet")
    if seen.surveyed_at_s is not None:
        counted = t("{rooms} rooms, {beds} beds, {people} people on {day}",
                    rooms=seen.rooms_surveyed, beds=seen.beds_surveyed, people=one.people_surveyed,
                    day=date_forms.shown(local.text(seen.surveyed_at_s)[:10]))  # fmt: skip
    return [
        (t("house"), one.ref),
        (t("address"), f"{one.address} ({one.address_code})"),
        (t("grid"), one.grid),
        (t("type"), name_of("type5", one.type5)),
        (t("class"), name_of("class4", one.class4)),
        (t("state"), name_of("house", one.state)),
        (t("landlord"), seen.landlord or "-"),
        (t("phone, document kept"), f"{yes_no(seen.has_phone)}, {yes_no(seen.has_document)}"),
        (t("declared"), t("{rooms} rooms, {beds} beds", rooms=seen.rooms_declared,
                          beds=seen.beds_declared)),
        (t("counted on foot"), counted),
        (t("people"), one.people),
        (t("next inspection"), told_due(one, local)),
        (t("smart door"), _smart_door(one)),
        (t("key area"), reasons(one.key) or "-"),
        (t("open cases"), ", ".join(seen.cases) or "-"),
    ]  # fmt: skip


def _smart_door(one: HouseLine) -> str:
    if one.door_gap:
        return name_of("door_gap", one.door_gap)
    return t("installed") if one.must_have_door else t("not required")
