"""`controller-tool journal sessions`: what was charged, by whom, how much (host)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import journal_reading, moments
from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.messages import name_of, t
from controller_tool.services import (
    charge_sessions,
    journal_export,
    journal_read,
    ocpp_sessions,
    session_export,
)
from controller_tool.services.charge_sessions import Session, Wish
from controller_tool.services.journal_filter import Filter
from controller_tool.services.ocpp_tokens import V16, V201
from protocol.names import END_NAMES

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN_MAX = 5


@click.command("sessions", cls=ToolCommand, help=t("Charging sessions, from what was pulled."))
@click.argument("devices", nargs=-1)
@click.option("--who", metavar="WHO", help=t("A card's reference or number, or a holder's name"))
@click.option("--on", "points", multiple=True, metavar="N", type=click.IntRange(1, 255),
              help=t("Port, from 1; more than one may be given"))  # fmt: skip
@click.option("--since", metavar="TIME", help=t("From this local day or minute on"))
@click.option("--until", metavar="TIME", help=t("Up to this day, or before this minute"))
@click.option("--end", "ends", multiple=True, type=click.Choice(list(END_NAMES.values())),
              help=t("Only those that ended so; more than one may be given"))  # fmt: skip
@click.option("--state", "states", multiple=True, type=click.Choice(charge_sessions.STATES),
              help=t("Only those that are so"))  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help=t("A .csv, .ndjson or .xlsx file; with --ocpp a .json file"))  # fmt: skip
@click.option("--ocpp", "version", type=click.Choice([V16, V201]),
              help=t("As transactions of this OCPP"))  # fmt: skip
@click.option("--ticket-tag", metavar="TEXT",
              help=t("With --ocpp: the token of sessions that a ticket began"))  # fmt: skip
@click.option("--force", is_flag=True, help=t("Replace the file if it is there already"))
@pass_app
def sessions(
    app: App, /, output: Path | None, version: str | None, ticket_tag: str | None, force: bool,
    **asked: Any,
) -> None:  # fmt: skip
    """One line a session, by its beginning."""
    if ticket_tag is not None and version is None:
        raise click.UsageError(t("--ticket-tag goes with --ocpp"))
    journal_reading.indexed(app, Filter(devices=tuple(asked["devices"])))
    flaws = journal_read.Flaws()
    with app.progress() as progress:
        found = charge_sessions.sessions(app.site, _wish(app, **asked), progress, flaws)
    if version is not None:
        _transactions(
            app, ocpp_sessions.export(app.site, found, version, ticket_tag), output, force
        )
    elif output is not None:
        count = session_export.export(app.site, found, output, force)
        app.show({"file": output, "sessions": count},
                 t("{n} sessions written to {file}", n=count, file=output))  # fmt: skip
    else:
        app.show(found, *_shown(found))
    journal_reading.complain_of(flaws)


def _wish(app: App, **asked: Any) -> Wish:
    since_s, until_s = moments.span(journal_read.local_of(app.site), asked["since"], asked["until"])
    return Wish(
        devices=tuple(asked["devices"]),
        points=frozenset(number - 1 for number in asked["points"]),
        since_s=since_s,
        until_s=until_s,
        who=asked["who"],
        why=frozenset(asked["ends"]),
        states=frozenset(asked["states"]),
    )


def _shown(found: list[Session]) -> list[Any]:
    if not found:
        return [t("Nothing that is stored fits")]
    total = t("{n} sessions, {wh} Wh", n=len(found), wh=charge_sessions.energy_wh(found))
    return [_table(found), total]


def _table(found: list[Session]) -> Table:
    columns = [t("controller"), t("port"), t("card"), t("holder"), t("began"), t("ended"),
               t("min"), "Wh", t("end")]  # fmt: skip
    return table(columns, map(_row, found))


def _row(s: Session) -> tuple[object, ...]:
    began, ended = _time(s.began, s.began_clock), _time(s.ended, s.ended_clock)
    card = name_of("card", s.card) or (t("by ticket") if s.by == "ticket" else "")
    return (
        s.controller, journal_read.door_of(s.point), card, s.holder, began, ended,
        "-" if s.minutes is None else s.minutes, "-" if s.wh is None else s.wh,
        name_of("end", s.why) if s.state == charge_sessions.ENDED else name_of("session", s.state),
    )  # fmt: skip


def _time(text: str, clock: str) -> str:
    return (
        t("not before {time}", time=text) if text and clock == journal_read.UNSET else text or "-"
    )


def _transactions(app: App, made: ocpp_sessions.Exported, output: Path | None, force: bool) -> None:
    text = json.dumps(made.document, ensure_ascii=False, indent=2)
    if output is None:
        app.show(made, text)
    else:
        with journal_export.new_file(output, force) as file:
            file.write(text.encode() + b"\n")
        app.show(made, t("{n} sessions written to {file}", n=made.sessions, file=output))
    for why, count in made.left_out.items():
        what, next_step = ocpp_sessions.reasons()[why]
        app.complain(t("{n} sessions are not in it: {why}", n=count, why=what), next_step)
