"""`controller-tool card`: issue, collect, explain cards, import rosters (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool import clock
from controller_tool.cli import moments
from controller_tool.cli.card_ocpp import export_ocpp, import_ocpp
from controller_tool.cli.card_same import same
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain, table
from controller_tool.cli.explain import explain
from controller_tool.cli.pair_asking import found
from controller_tool.cli.profile import dry_run_option
from controller_tool.cli.refusals import columns_help, refuse, tell_left_out
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t
from controller_tool.registry.models import STATE_ISSUED
from controller_tool.services import (
    card_change,
    card_enroll,
    card_grants,
    card_terms,
    people,
    roster,
    roster_file,
    site_time,
)
from controller_tool.services import cards as service
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER, TIME_END_MIN

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.credentials import Credential
    from controller_tool.services.cards import CardStatus

_STATES = ("issued", "collected", "lost", "replaced")
_MINUTE_S = 60
ID_NUMBER_VARIABLE = "CONTROLLER_TOOL_ID_NUMBER"  # arguments are seen by every user
_no_push = click.option(
    "--no-push", is_flag=True, help=t("Only mark it; the next push tells the controllers")
)
_push_now = click.option("--push", "push_now", is_flag=True, help=t("Push at once"))


@click.group(cls=ToolGroup, help=t("Issue, collect and explain cards."))
def card() -> None:
    """The group; its commands do the work."""


card.add_command(explain)
card.add_command(same)
card.add_command(found)
card.add_command(export_ocpp)
card.add_command(import_ocpp)

_IMPORT = t("Import a roster (CSV): all rows or none.")
_IMPORT_HELP = columns_help(
    _IMPORT,
    roster_file.COLUMNS.values(),
    t("Dates as 2026-03-31, 2026/3/31 or 2026年3月31日, the last day counts. Cards as"
      " ten digits, 188,24910 in quotes, or TYPE:HEX. A sample is"
      " controller_tool/data/roster.csv."),
    t("Columns, in any order; phone and note may be missing:"),
)  # fmt: skip


@card.command("import", help=_IMPORT_HELP, short_help=_IMPORT)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", "devices", multiple=True, help=t("Controllers; default: all"))
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@pass_app
def import_(app: App, file: Path, devices: tuple[str, ...], dry_run: bool) -> None:
    """Every wrong field is shown; then nothing was imported."""
    try:
        done = roster.import_roster(app.site, file, devices or None, dry_run)
    except roster.RosterRefused as refused:
        refuse(app, file.name, refused)
        return
    line = t("{rows} rows: {people} new people, {cards} new cards, {same} there already",
             rows=done.rows, people=done.new_people, cards=done.new_cards,
             same=done.unchanged)  # fmt: skip
    if done.over:
        line += t("; {n} leases are over already", n=done.over)
    app.show(done, t("{what}; nothing was changed", what=line) if dry_run else line)
    tell_left_out(app, done.left_out)


def _issue_options(command: Any) -> Any:
    """What a card needs to be issued, besides its number and controllers."""
    for option in (
        dry_run_option,
        _push_now,
        click.option("--master", is_flag=True, help=t("Cleaner or landlord: each use is flagged")),
        click.option("--emergency", is_flag=True, help=t("Opens always, even with a stale list")),
        click.option("--profile", metavar="NAME",
                     help=t("Which doors and when, see: profile list")),
        click.option("--until", "end", metavar="DATE", help=t("Last day, or first minute after")),
        click.option("--from", "begin", metavar="DATE",
                     help=t("First day, or minute; default: now")),
        click.option("--room", default="", help=t("Room")),
        click.option(
            "--id-number", default="", envvar=ID_NUMBER_VARIABLE,
            help=t("ID number of the holder; {variable} hides it from other users of this machine",
                   variable=ID_NUMBER_VARIABLE),
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@card.command("issue", help=t("Issue one card; NUMBER as printed on it, or TYPE:HEX."))
@click.argument("number")
@click.option("--name", required=True, help=t("Who gets it"))
@click.option("--device", "devices", multiple=True, help=t("Controllers; default: all"))
@_issue_options
@pass_app
def issue(app: App, /, number: str, **asked: Any) -> None:
    """The card works where `push` shows a receipt."""
    terms = _terms(app, asked)
    _issue(app, service.read_credential(app.site, number), terms, asked)


@card.command("enroll", help=t("Hold a card to a reader: show it, and issue it with --name."))
@click.option("--device", required=True, help=t("Controller whose reader it is"))
@click.option("--reader", type=click.IntRange(1, 255),
              help=t("Which reader, from 1; default: any"))  # fmt: skip
@click.option("--minutes", type=click.IntRange(1, card_enroll.MINUTES_MAX), default=2,
              show_default=True, help=t("How long it waits"))  # fmt: skip
@click.option("--name", help=t("Who gets it; without, it is only shown"))
@click.option("--on", "devices", multiple=True, help=t("Controllers it opens; default: all"))
@_issue_options
@way_options
@pass_app
def enroll(
    app: App,
    /,
    device: str,
    reader: int | None,
    minutes: int,
    via: str | None,
    port: str | None,
    **asked: Any,
) -> None:
    """The controller opens nothing for it, and keeps nothing of it."""
    terms = _terms(app, asked) if asked["name"] else None
    wanted = card_enroll.ANY_READER if reader is None else reader - 1
    seen = card_enroll.wait(app.site, device, minutes, wanted, way(via, port), app.note)
    line = t("{device}, reader {reader}: {card}", device=device, reader=seen.reader + 1,
             card=seen.credential)  # fmt: skip
    if terms is None:
        app.show({**plain(seen), "number": str(seen.credential)}, line)
        return
    app.note(line)
    _issue(app, seen.credential, terms, asked)


def _terms(app: App, asked: dict[str, Any]) -> service.Terms:
    begin, end = asked["begin"], asked["end"]
    if end is None and not asked["emergency"]:
        raise click.UsageError(t("Give --until: only an emergency card has no end"))
    local = site_time.of(app.site)
    return service.Terms(
        clock.now_s() // _MINUTE_S if begin is None else moments.minute(local, begin),
        TIME_END_MIN if end is None else moments.minute(local, end, last_day=True),
        asked["devices"] or None,
        FLAG_EMERGENCY * asked["emergency"] | FLAG_MASTER * asked["master"],
        card_terms.profile_id(app.site, asked["profile"]),
    )


def _issue(app: App, credential: Credential, terms: service.Terms, asked: dict[str, Any]) -> None:
    holder = people.Holder(asked["name"], asked["id_number"], asked["room"])
    status = service.issue(app.site, credential, terms, holder, asked["dry_run"])
    if asked["dry_run"]:
        line = t("Card {card} can be issued so", card=status.credential)
        app.show({**_data(status), "ok": True, "dry_run": True},
                 _pairs(app, status), t("{what}; nothing was changed", what=line))  # fmt: skip
        return
    _finish(app, status, list(status.devices) if asked["push_now"] else [])


@card.command("change", help=t("Other dates or another profile: a new grant for the same card."))
@click.argument("number")
@click.option("--profile", metavar="NAME", help=t("Which doors and when, see: profile list"))
@click.option("--from", "begin", metavar="DATE", help=t("First day, or minute"))
@click.option("--until", "end", metavar="DATE", help=t("Last day, or first minute after"))
@_push_now
@dry_run_option
@pass_app
def change(
    app: App,
    /,
    number: str,
    profile: str | None,
    begin: str | None,
    end: str | None,
    push_now: bool,
    dry_run: bool,
) -> None:
    """The former grant ends; the new one has a reference of its own."""
    local = site_time.of(app.site)
    wish = card_change.Wish(
        profile,
        None if begin is None else moments.minute(local, begin),
        None if end is None else moments.minute(local, end, last_day=True),
    )
    if wish == card_change.Wish():
        raise click.UsageError(t("Say what to change"))
    done = card_change.change(app.site, number, wish, dry_run)
    line = t("Card {before} goes on as {after}, profile {profile}, until {until}",
             before=done.before.ref, after=done.after.ref, profile=done.profile,
             until=moments.last(local, done.after.until_min))  # fmt: skip
    if dry_run:
        app.show({"ok": True, **plain(done)}, t("{what}; nothing was changed", what=line))
        return
    app.note(line)
    _finish(app, done.after, list(done.after.devices) if push_now else [])


@card.command("collect", help=t("A card was handed in: kill it everywhere and prove it."))
@click.argument("number")
@_no_push
@pass_app
def collect(app: App, number: str, no_push: bool) -> None:
    """Marks it first, then pushes; the answer is `deregistered` or `pending n/m`."""
    _end(app, service.collect(app.site, number), no_push)


@card.command("lost", help=t("A card was lost: kill it everywhere and prove it."))
@click.argument("number")
@_no_push
@pass_app
def lost(app: App, number: str, no_push: bool) -> None:
    """As `collect`, and remembered as lost."""
    _end(app, service.lost(app.site, number), no_push)


@card.command("grant", help=t("Put all issued cards on a controller that came later."))
@click.argument("device")
@dry_run_option
@pass_app
def grant(app: App, device: str, dry_run: bool) -> None:
    """They count there after the next push."""
    new = card_grants.grant_all(app.site, device, dry_run)
    line = t("{n} cards more on {device}", n=new, device=device)
    app.show({"device": device, "new": new, "dry_run": dry_run},
             t("{what}; nothing was changed", what=line) if dry_run else line)  # fmt: skip


@card.command("list", help=t("Cards, and what is proven about those that ended."))
@click.option("--state", type=click.Choice(_STATES), help=t("Only these"))
@click.option("--room", help=t("Only of this room"))
@pass_app
def list_(app: App, state: str | None, room: str | None) -> None:
    """One line a card."""
    found = service.list_cards(app.site, state, room)
    local = site_time.of(app.site)
    rows = [
        (
            s.ref,
            s.holder,
            s.room,
            s.credential,
            moments.text(local, s.from_min),
            moments.last_text(local, s.until_min),
            s.word,
        )
        for s in found
    ]
    columns = [t("card"), t("holder"), t("room"), t("number"), t("from"), t("until"), t("state")]
    app.show([_data(status) for status in found], table(columns, rows))


def _end(app: App, status: CardStatus, no_push: bool) -> None:
    _finish(app, status, [] if no_push else list(status.pending), end=not no_push)


def _finish(app: App, status: CardStatus, names: list[str], end: bool = False) -> None:
    """Push to those of the controllers that are in service, then show what is proven.

    Exit code 1 where a push failed, or a card that was to ``end`` is not proven dead everywhere.
    """
    from controller_tool.services import push  # noqa: PLC0415 - only here a wire is needed

    enrolled = {device.name for device in app.site.devices(enrolled=True)}
    chosen = [name for name in names if name in enrolled]
    results: list[push.PushResult] = []
    if chosen:
        with app.progress() as progress:
            results = push.push(app.site, chosen, progress, notice=app.note)
        status = service.card_status(app.site, status.ref)
    failed = [result for result in results if not result.ok]
    rows = [(f"{result.device}:", result.what) for result in results if result.ok]
    receipts = [pairs(rows)] if rows else []
    data = {**_data(status), "ok": not failed, "failed": failed, "results": results}
    app.show(data, _pairs(app, status), *receipts)
    app.complain_of(failed)
    if failed or (end and not status.deregistered):
        click.get_current_context().exit(1)


def _data(status: CardStatus) -> dict[str, Any]:
    shown: dict[str, Any] = plain(status)
    return {**shown, "word": status.word, "deregistered": status.deregistered}


def _pairs(app: App, status: CardStatus) -> Table:
    local = site_time.of(app.site)
    dead = ", ".join(name for name in status.sent_to if name not in status.pending)
    ended = status.state != STATE_ISSUED
    proof = t("proven {n} of {m}", n=status.proven, m=status.of) + (f": {dead}" if dead else "")
    if not status.of:
        proof = t("no controller ever had it")
    return pairs([
        (t("card"), status.ref), (t("number"), status.credential),
        (t("holder"), f"{status.holder} {status.room}".strip()),
        (t("from"), moments.told(local, status.from_min)),
        (t("until"), moments.last(local, status.until_min)),
        (t("controllers"), ", ".join(status.devices)),
        (t("state"), f"{status.word}; {proof}" if ended else status.word),
        (t("no proof from"), ", ".join(status.pending) or "-"),
    ])  # fmt: skip
