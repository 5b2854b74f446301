"""`controller-tool sim`: the world around a virtual charging station (host).

Its commands join the group of cli/sim.py. Ports count from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.messages import t
from controller_tool.sim import service

if TYPE_CHECKING:
    from collections.abc import Callable

METER_FAULTS = ("well", "silent", "stuck", "noise", "checksum", "backwards")

_port = click.option(
    "--port", type=click.IntRange(1, 16), default=1, show_default=True,
    help=t("Which port of it, from 1"),
)  # fmt: skip
_port_or_board = click.option(
    "--port", type=click.IntRange(1, 16), default=None,
    help=t("Which port of it, from 1; left out: the board itself"),
)  # fmt: skip


def act(app: App, name: str, verb: str, **arguments: Any) -> None:
    """Do one thing around a board."""
    value = service.find(app.folder / "sim", name).stimulate(verb, **arguments)
    app.show({"ok": True, "value": value}, t("{name}: done", name=name))


@click.command("plug", cls=ToolCommand, help=t("A vehicle at a charger's port."))
@click.argument("name")
@click.argument("what", type=click.Choice(["in", "out"]))
@click.option(
    "--watts", type=click.FloatRange(0, 20000), help=t("What it draws when it gets power")
)
@_port
@pass_app
def plug(app: App, name: str, what: str, watts: float | None, port: int) -> None:
    """The contact, where the port has one, and the load."""
    if what == "out":
        act(app, name, "unplug", port=port)
        return
    told = service.find(app.folder / "sim", name).stimulate("plug_in", port=port, watts=watts)
    lines = [t("{name}: done", name=name)]
    if not told:
        lines = [
            t("{name}: the load is at port {port}, which has no contact to tell the board of it",
              name=name, port=port),
            t("A card says its port by keys: controller-tool sim swipe {name} NUMBER+{port}",
              name=name, port=port),
        ]  # fmt: skip
    app.show({"ok": True, "value": told}, "\n".join(lines))


@click.command("draw", cls=ToolCommand, help=t("What is plugged in at a port draws so many watts."))
@click.argument("name")
@click.argument("watts", type=click.FloatRange(0, 20000))
@_port
@pass_app
def draw(app: App, name: str, watts: float, port: int) -> None:
    """While its relay and the contactor are closed."""
    act(app, name, "draw_watts", watts=watts, port=port)


@click.command(
    "heat", cls=ToolCommand, help=t("A temperature in degrees Celsius, at a port or on the board.")
)
@click.argument("name")
@click.argument("celsius", type=click.FloatRange(-40, 150))
@_port_or_board
@pass_app
def heat(app: App, name: str, celsius: float, port: int | None) -> None:
    """By its thermistor."""
    act(app, name, "set_temperature", celsius=celsius, port=port)


@click.command("button", cls=ToolCommand, help=t("Press a port's button."))
@click.argument("name")
@_port
@pass_app
def button(app: App, name: str, port: int) -> None:
    """It is let go again by itself."""
    act(app, name, "press_button", port=port)


@click.command(
    "key", cls=ToolCommand, help=t("Turn the key switch that lets a station's latches go.")
)
@click.argument("name")
@pass_app
def key(app: App, name: str) -> None:
    """And back, after a second."""
    act(app, name, "turn_key")


@click.command("relay", cls=ToolCommand, help=t("A port's relay welds, or is mended."))
@click.argument("name")
@click.argument("what", type=click.Choice(["weld", "mend"]))
@_port
@pass_app
def relay(app: App, name: str, what: str, port: int) -> None:
    """A welded one conducts though it is open; the contactor still cuts it off."""
    act(app, name, "weld" if what == "weld" else "unweld", port=port)


@click.command("meter", cls=ToolCommand, help=t("What is wrong with a port's meter."))
@click.argument("name")
@click.argument("fault", type=click.Choice(METER_FAULTS))
@_port
@pass_app
def meter(app: App, name: str, fault: str, port: int) -> None:
    """As far as its kind knows that fault."""
    act(app, name, "meter_fault", fault=fault, port=port)


@click.command(
    "skew", cls=ToolCommand, help=t("A port's meter tells so many percent too much, or too little.")
)
@click.argument("name")
@click.argument("percent", type=click.FloatRange(-50, 50))
@_port
@pass_app
def skew(app: App, name: str, percent: float, port: int) -> None:
    """What `device calibrate` is there for; a negative number goes behind --."""
    act(app, name, "meter_error", percent=percent, port=port)


@click.command(
    "load", cls=ToolCommand, help=t("What truly flows at each port, and what has flowed.")
)
@click.argument("name")
@pass_app
def load(app: App, name: str) -> None:
    """By the model, whatever the meters tell."""
    board = service.find(app.folder / "sim", name)
    watts, energy = board.stimulate("true_power"), board.stimulate("true_energy")
    found = [
        {"port": port, "watts": round(power, 1), "mwh": round(mwh, 1)}
        for port, (power, mwh) in enumerate(zip(watts, energy, strict=True), 1)
    ]
    columns = [t("port"), "W", "Wh"]
    rows = [(str(f["port"]), f"{f['watts']:.1f}", f"{f['mwh'] / 1000:.3f}") for f in found]
    app.show(found, table(columns, rows))


COMMANDS: tuple[click.Command, ...] = (plug, draw, heat, button, key, relay, meter, skew, load)


def join(group: click.Group, switch: Callable[[str, str, dict[str, str]], None]) -> None:
    """Put all of them into the group; switch: makes a command of words and their stimuli."""
    for command in COMMANDS:
        group.add_command(command)
    switch("leakage", t("The residual-current device."),
           {"trip": "trip_leakage", "restore": "restore_leakage"})  # fmt: skip
    switch("estop", t("The emergency stop."),
           {"press": "press_estop", "release": "release_estop"})  # fmt: skip
