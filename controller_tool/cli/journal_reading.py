"""`controller-tool journal show | unknown | export | reindex`: reads what was pulled (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import (
    hzaccess,
    journal_export,
    journal_filter,
    journal_index,
    journal_read,
    journal_rows,
    journal_unknown,
)
from controller_tool.services.journal_filter import Filter
from protocol.constants import RING_ACCESS, RING_ALARM
from protocol.names import EVENT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.table import Table

    from controller_tool.services.journal_read import Entry
    from controller_tool.services.site import Site

_NO_DOOR = "-"
_RINGS = {"access": RING_ACCESS, "alarm": RING_ALARM, "both": None}
_FORMATS = (hzaccess.FORMAT,)
_ENDS = frozenset(journal_filter.event_name(event) for event in journal_filter.END_EVENTS)
_NAMED = 5  # damaged rows, one by one


class _Point(click.IntRange):
    """A door as people count them, from 1; the command gets it as records have it."""

    def __init__(self) -> None:
        super().__init__(1, journal_read.CONTROLLER)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """From 0, or the controller's own."""
        if value == _NO_DOOR:
            return journal_read.CONTROLLER
        return int(super().convert(value, param, ctx)) - 1


def register(group: click.Group) -> None:
    """Add the commands of this file to `journal`."""
    for command in (show, unknown, export, reindex):
        group.add_command(command)


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose records; the command gets a function that makes the Filter."""
    options = [
        click.argument("devices", nargs=-1),
        click.option("--who", metavar="WHO",
                     help=t("A card's reference or number, a holder's name, or unknown")),
        click.option("--door", "--point", "points", multiple=True, metavar="N", type=_Point(),
                     help=t("Door, port or reader, from 1; - for the controller itself")),
        click.option("--since", metavar="TIME", help=t("From this local day or minute on")),
        click.option("--until", metavar="TIME", help=t("Up to this day, or before this minute")),
        click.option("--event", "events", multiple=True, metavar="EVENT",
                     help=t("Such as door_opened; more than one may be given")),
        click.option("--result", type=click.Choice(list(journal_filter.RESULTS)),
                     help=t("What was decided")),
        click.option("--reason", "reasons", multiple=True, metavar="REASON",
                     help=t("Such as revoked; more than one may be given")),
        click.option("--ring", type=click.Choice(list(_RINGS)), default="both", show_default=True),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _filter(site: Site, **given: Any) -> Filter:
    local = journal_read.local_of(site)
    since, until = moments.span(local, given["since"], given["until"])
    return Filter(
        devices=tuple(given["devices"]),
        ring=_RINGS[given["ring"]],
        points=frozenset(given["points"]),
        events=_named(given["events"], EVENT_NAMES.values(), "event"),
        result=given["result"],
        reasons=_named(given["reasons"], journal_filter.reason_names(), "reason"),
        since_s=since,
        until_s=until,
        who=given["who"],
    )


def indexed(app: App, wanted: Filter) -> Filter:
    """What a folder got otherwise than by pulling is indexed once, which can take a minute."""
    require_pulled(app, wanted.devices)
    with app.progress() as progress:
        journal_index.ensure(app.site, wanted.chosen(app.site), progress=progress)
    return wanted


def require_pulled(app: App, names: Sequence[str]) -> None:
    """OperatorError before the first pull of these controllers, or of all."""
    ids = [device.id for device in Filter(devices=tuple(names)).chosen(app.site)]
    with app.site.registry.session() as session:
        if not journal_rows.pulled(session, ids):
            raise OperatorError(t("Nothing pulled yet"), t("Run: controller-tool journal pull"))


def _named(given: Iterable[str], names: Iterable[str], group: str) -> frozenset[str]:
    """Names as files have them, of words as the screen shows them in either language."""
    by_word = {word: name for name in names for word in (name, name_of(group, name))}
    found = set()
    for word in given:
        if word not in by_word and not word.isdigit():
            raise OperatorError(
                t("The journal has no {group} {word}", group=t(group), word=word),
                t("Names: {names}", names=", ".join(sorted(set(by_word.values())))),
            )
        found.add(by_word.get(word, word))
    return frozenset(found)


@click.command("show", cls=ToolCommand, help=t("What is stored of these controllers, or of all."))
@filters
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help=t("How many"))
@click.option("--before", metavar="CONTROLLER/RING/NUMBER",
              help=t("Only what comes before this record"))  # fmt: skip
@pass_app
def show(app: App, /, last: int, before: str | None, **given: Any) -> None:
    """The newest records, the oldest of them first."""
    wanted = indexed(app, _filter(app.site, **given))
    page = journal_read.page(app.site, wanted, last, before)
    shown: list[Any] = [_table(page.entries)]
    if page.older is not None:
        shown.append(t("There is more: add --before {place}", place=page.older))
    if not page.entries:
        shown = [t("Nothing that is stored fits")]
    app.show(page.entries, *shown)
    complain_of(page.flaws)


def complain_of(flaws: journal_read.Flaws) -> None:
    """On standard error with --json too: the result has no place for what is not in it."""
    said = [t("registry row {place} is damaged", place=p) for p in flaws.damaged[:_NAMED]]
    if len(flaws.damaged) > _NAMED:
        said.append(t("{n} more rows are damaged", n=len(flaws.damaged) - _NAMED))
    if said:
        said.append("  " + t("All others are told. See what it means with: journal verify"))
    if flaws.misfits:
        said += [
            t("{n} records are not what the index of the journal says, or gone", n=flaws.misfits),
            "  " + t("Run: journal verify; then: journal reindex"),
        ]
    for line in said:
        click.echo(line, err=True)


def _table(entries: Sequence[Entry]) -> Table:
    """Details have a column where any of them has any."""
    columns, rows = _columns(), [_row(entry) for entry in entries]
    if any(entry.details for entry in entries):
        columns.append(t("details"))
        rows = [(*row, entry.details) for row, entry in zip(rows, entries, strict=True)]
    return table(columns, rows)


def _columns() -> list[str]:
    return [
        t("controller"), t("ring"), t("number"), t("time"), t("clock"), t("event"), t("reason"),
        t("point"), t("card"), t("holder"), t("flag"),
    ]  # fmt: skip


def _row(e: Entry) -> Sequence[object]:
    return (
        e.controller, t(e.ring), e.seq, _time(e), t(e.clock), name_of("event", e.event),
        reason_word(e.event, e.reason), _point(e.point), name_of("card", e.card), e.holder,
        name_of("flag", e.flag),
    )  # fmt: skip


def reason_word(event: str, reason: str) -> str:
    """A reason for people; a session's end is named otherwise than a card's."""
    group = "end" if event in _ENDS else "reason"
    parts = reason.split(journal_filter.JOIN)
    return ", ".join(name_of(group, part) for part in parts)


def _time(e: Entry) -> str:
    return t("not before {time}", time=e.time) if e.clock == journal_read.UNSET else e.time


def _point(point: int) -> object:
    door = journal_read.door_of(point)
    return _NO_DOOR if door is None else door


@click.command("unknown", cls=ToolCommand, help=t("Credentials that nobody was issued."))
@click.argument("devices", nargs=-1)
@pass_app
def unknown(app: App, devices: tuple[str, ...]) -> None:
    """By controller and keyed hash, the most recent first; then what was only counted."""
    indexed(app, Filter(devices=devices))
    report = journal_unknown.report(app.site, devices)
    credentials = table(
        [t("controller"), t("credential"), t("tries"), t("first"), t("last"), t("point"),
         t("issued since as"), t("holder")],
        [(u.controller, u.pseudonym, u.tries, u.first, u.last, _point(u.point), u.card, u.holder)
         for u in report.credentials],
    )  # fmt: skip
    counted = table(
        [t("controller"), t("recorded"), t("only counted")],
        [(c.controller, c.recorded, c.folded) for c in report.counted],
    )
    shown: list[Any] = [credentials] if report.credentials else []
    if not report.counted:
        shown.append(t("No unknown card was tried, as far as is stored here"))
    else:
        shown.append(counted)
    app.show(report, *shown)
    if report.counted and not report.told_apart:
        app.complain(
            t("This {role} folder cannot tell which cards they were: that takes the tool's journal"
              " keys, which only the office's and the desk's folders hold",
              role=name_of("role", app.site.role)),
            t("Ask the office or the desk for: controller-tool journal unknown"),
        )  # fmt: skip


@click.command("export", cls=ToolCommand, help=t("Write what is stored to a file or folder."))
@filters
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="PATH",
              help=t("A .csv, .ndjson or .xlsx file; with --format a new folder"))  # fmt: skip
@click.option("--format", "form", type=click.Choice(_FORMATS),
              help=t("For the city's platform, with a signed manifest"))  # fmt: skip
@click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
@pass_app
def export(app: App, /, output: Path, form: str | None, force: bool, **given: Any) -> None:
    """With the 48 bytes of each record, so that it can be checked elsewhere."""
    wanted = indexed(app, _filter(app.site, **given))
    flaws = journal_read.Flaws()
    if form is not None:
        with app.progress() as progress:
            done = hzaccess.export(app.site, wanted, output, force, progress, flaws)
        app.show(done, t("{access} access and {alarm} alarm records written to {file}",
                         access=done.access, alarm=done.alarm, file=output))  # fmt: skip
    else:
        with app.progress() as progress:
            count = journal_export.export(app.site, wanted, output, force, progress, flaws)
        app.show({"file": output, "records": count},
                 t("{n} records written to {file}", n=count, file=output),
                 *([] if count else [t("Nothing that is stored fits")]))  # fmt: skip
    complain_of(flaws)


@click.command("reindex", cls=ToolCommand, help=t("Make the index of the journals anew."))
@pass_app
def reindex(app: App) -> None:
    """It is no evidence, only where to look; the records stay as they are."""
    with app.progress() as progress:
        count = journal_index.rebuild(app.site, progress)
    app.show({"records": count}, t("{n} records are in the index", n=count))
