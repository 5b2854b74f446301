"""`controller-tool sim`: virtual controllers and the world around them (host)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from controller_tool import date_forms
from controller_tool.cli import sim_station
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, table, yes_no
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import site_file
from controller_tool.services.boards import display_name
from controller_tool.sim import service
from controller_tool.sim import swipe as cards


@click.group(cls=ToolGroup, help=t("Virtual controllers and the world around them."))
def sim() -> None:
    """The group; its commands do the work."""


@sim.command("start", help=t("Make a virtual board, or start the one of that name again."))
@click.argument("name")
@click.option("--board", help=t("Kind of board; a new one is a virtual-door"))
@click.option("--charge", is_flag=True, help=t("Flash, TLS and cable take an ESP32's time"))
@pass_app
def start(app: App, name: str, board: str | None, charge: bool) -> None:
    """Tells how to reach it."""
    site_file.read(app.folder)  # else the new folder would stand in the way of `site init`
    made = service.start(_root(app), name, board, charge=charge)
    shown = _summary(made)
    labels = (t("name"), t("board"), t("runs"), t("cable"), t("network"))
    values = [yes_no(v) if isinstance(v, bool) else v for v in shown.values()]
    app.show(shown, pairs(zip(labels, values, strict=True)))


@sim.command("stop", help=t("Stop virtual boards; without a name, all of the site."))
@click.argument("names", nargs=-1)
@pass_app
def stop(app: App, names: tuple[str, ...]) -> None:
    """Their flash stays as it is."""
    running = [b.name for b in service.list_boards(_root(app)) if b.running]
    stopped = list(names) or running
    for name in stopped:
        service.stop(_root(app), name)
    app.show({"stopped": stopped}, t("Stopped: {names}", names=", ".join(stopped) or "-"))


@sim.command("list", help=t("The site's virtual boards."))
@pass_app
def list_(app: App) -> None:
    """One line a board."""
    found = [_summary(board) for board in service.list_boards(_root(app))]
    columns = [t("name"), t("board"), t("runs"), t("cable"), t("network")]
    rows = [
        (b["name"], b["board"], yes_no(b["running"]), b["serial_port"], b["tcp_address"])
        for b in found
    ]
    app.show(found, table(columns, rows))


@sim.command("show", help=t("What a virtual board has counted: flash, resets, relays, cable."))
@click.argument("name")
@pass_app
def show(app: App, name: str) -> None:
    """Counters by subject."""
    counters = service.find(_root(app), name).counters()
    app.show(counters, pairs(list(counters.items())))


@sim.command("swipe", help=t("Hold a card to a reader and watch the relays."))
@click.argument("name")
@click.argument("credential")
@click.option("--reader", type=click.IntRange(1, 255), default=1, show_default=True,
              help=t("Which reader of it, from 1"))  # fmt: skip
@pass_app
def swipe(app: App, name: str, credential: str, reader: int) -> None:
    """CREDENTIAL as on the card, or as TYPE:HEX; behind a + what is typed: a PIN, a charger's port.

    Why it decided so, its journal tells.
    """
    board = service.find(_root(app), name)
    seen = cards.swipe(board, cards.held(board, credential), reader - 1)
    app.show(seen, _seen(name, seen))


def _seen(name: str, seen: cards.Swipe) -> str:
    if seen.relay is None:
        return t("{name}: no relay moved", name=name)
    to = t("on") if seen.on else t("off")
    if seen.after_ms is None:
        return t("{name}: relay {relay} {to}", name=name, relay=seen.relay, to=to)
    return t("{name}: relay {relay} {to}, {ms:.1f} ms after the card was read",
             name=name, relay=seen.relay, to=to, ms=seen.after_ms)  # fmt: skip


_door = click.option(
    "--door", type=click.IntRange(1, 4), default=1, show_default=True,
    help=t("Which door of it, from 1"),
)  # fmt: skip


@sim.command("rex", help=t("Press the request-to-exit button."))
@click.argument("name")
@click.option("--ms", default=300, show_default=True, help=t("For how long"))
@_door
@pass_app
def rex(app: App, name: str, ms: int, door: int) -> None:
    """It is let go again by itself."""
    _act(app, name, "press_rex", ms=ms, door=door)


def _switch(command: str, text: str, verbs: dict[str, str]) -> None:
    """A command that does one of a few things; `verbs` maps its words to stimuli."""

    @sim.command(command, help=text)
    @click.argument("name")
    @click.argument("what", type=click.Choice(list(verbs)))
    @pass_app
    def act(app: App, name: str, what: str) -> None:
        _act(app, name, verbs[what])


@sim.command("door", help=t("Open or close the door's leaf."))
@click.argument("name")
@click.argument("what", type=click.Choice(["open", "close"]))
@_door
@pass_app
def leaf(app: App, name: str, what: str, door: int) -> None:
    """Of one of its doors."""
    _act(app, name, f"{what}_door", door=door)


_switch(
    "smoke",
    t("Smoke or fire, by the input that the board has."),
    {"raise": "raise_smoke", "clear": "clear_smoke"},
)
_switch("tamper", t("The enclosure."), {"open": "open_tamper", "close": "close_tamper"})
sim_station.join(sim, _switch)
_switch(
    "power",
    t("The board's supply: cut it, let it sag, lose the mains while a battery goes on."),
    {
        "cut": "cut_power",
        "restore": "restore_power",
        "sag": "sag_supply",
        "steady": "steady_supply",
        "mains-off": "lose_mains",
        "mains-on": "restore_mains",
    },
)


@sim.command("clock", help=t("Set the board's own clock to an ISO 8601 time (UTC)."))
@click.argument("name")
@click.argument("when")
@pass_app
def clock(app: App, name: str, when: str) -> None:
    """As a coin cell that ran down, or somebody at the prompt, would leave it."""
    try:
        moment = datetime.fromisoformat(date_forms.iso(when))
    except ValueError as error:
        raise OperatorError(
            t("Not a time: {when}", when=when), t("Write it as in 2026-01-31T08:00:00")
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    _act(app, name, "set_clock", unix_s=moment.timestamp())


def _root(app: App) -> Any:
    return app.folder / "sim"


def _summary(board: service.Board) -> dict[str, Any]:
    running = board.running
    return {
        "name": board.name,
        "board": display_name(board.options.board),
        "running": running,
        "serial_port": board.serial_port if running else None,
        "tcp_address": board.tcp_address,
    }


def _act(app: App, name: str, verb: str, **arguments: Any) -> None:
    sim_station.act(app, name, verb, **arguments)
