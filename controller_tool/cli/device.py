"""`controller-tool device`: provision controllers and ask them (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool import date_forms
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain, table, yes_no
from controller_tool.cli.device_charge import charge
from controller_tool.cli.device_config import config
from controller_tool.cli.device_energy import energy
from controller_tool.cli.device_flash import flash
from controller_tool.cli.device_ports import calibrate, ports
from controller_tool.cli.device_provision import provision
from controller_tool.cli.device_reader import reader
from controller_tool.cli.device_record import record
from controller_tool.cli.device_replace import replace
from controller_tool.cli.device_retire import retire
from controller_tool.cli.device_service import service as service_group
from controller_tool.cli.device_update import update
from controller_tool.cli.pair_asking import lost
from controller_tool.cli.ways import way, way_options
from controller_tool.clock import local_text
from controller_tool.messages import name_of, t
from controller_tool.services import clock_step, devices_ops
from controller_tool.services.boards import display_name
from controller_tool.services.devices import overview
from protocol.codes import DOOR_MODE_SHIFT, MODE_SCHEDULE, TICKET_UNLOCK
from protocol.constants import MODE_MINUTES_MAX
from protocol.names import DOOR_STATE_NAMES, MODE_NAMES, PAIRING_NAMES
from protocol.version import text_of

if TYPE_CHECKING:
    from controller_tool.services.compare import Comparison
    from controller_tool.services.devices import Overview


@click.group(cls=ToolGroup, help=t("Provision controllers and ask them."))
def device() -> None:
    """The group; its commands do the work."""


@device.command("list", help=t("All controllers of the site."))
@pass_app
def list_(app: App) -> None:
    """One line a controller, from the registry alone."""
    found = overview(app.site)
    rows = [
        (d.name, name_of("kind", d.kind), display_name(d.board),
         name_of("ending", d.ended_how) if d.ended_how else yes_no(d.enrolled_at_s is not None),
         f"{d.list_version_receipted}/{d.list_version_sent}",
         _trust(d),
         date_forms.in_column(local_text(d.last_heard_s)) if d.last_heard_s else "",
         d.tcp_address or d.serial_address)
        for d in found
    ]  # fmt: skip
    columns = [t("name"), t("kind"), t("board"), t("enrolled"), t("list (receipt/sent)"),
               t("trust"), t("last heard"), t("address")]  # fmt: skip
    app.show(found, table(columns, rows))


@device.command("info", help=t("What a controller says of itself."))
@click.argument("name")
@way_options
@pass_app
def info(app: App, name: str, via: str | None, port: str | None) -> None:
    """Identity, firmware, counters, health."""
    said = devices_ops.info(app.site, name, way(via, port), app.note)
    shown = {key: value for key, value in said.items() if key != "clock_offset_s"}
    if "clock" in said:
        shown["clock"] = clock_step.state(said["clock"], said["clock_offset_s"], name)
    app.show(said, pairs((name_of("info", k), _readable(k, v)) for k, v in sorted(shown.items())))


@device.command("time", help=t("Compare a controller's clock with this computer's and set it."))
@click.argument("name")
@click.option("--check", is_flag=True, help=t("Only compare"))
@way_options
@pass_app
def time_(app: App, name: str, check: bool, via: str | None, port: str | None) -> None:
    """The offset, and what was done about it."""
    report = devices_ops.clock(app.site, name, way(via, port), app.note, change=not check)
    app.show(report, t("{device}: {offset} s off ({before}); {how}, now {quality}",
                       device=name, offset=report.offset_s, before=t(report.quality_before),
                       how=t(report.how), quality=t(report.quality)))  # fmt: skip


@device.command("selftest", help=t("Have a controller test itself."))
@click.argument("name")
@way_options
@pass_app
def selftest(app: App, name: str, via: str | None, port: str | None) -> None:
    """Each check; exit code 1 when one failed."""
    checks = devices_ops.self_test(app.site, name, way(via, port), app.note)
    rows = [
        (name_of("check", check), t("passed") if ok else t("FAILED"))
        for check, ok in sorted(checks.items())
    ]
    app.show(checks, pairs(rows))
    if not all(checks.values()):
        click.get_current_context().exit(1)


_door = click.option(
    "--door", type=click.IntRange(1, 255), default=1, show_default=True,
    help=t("Which door of it, from 1"),
)  # fmt: skip


@device.command("unlock", help=t("Unlock a door once, by a signed ticket."))
@click.argument("name")
@_door
@way_options
@pass_app
def unlock(app: App, name: str, door: int, via: str | None, port: str | None) -> None:
    """Once, for the door's own unlock duration."""
    devices_ops.ticket(app.site, name, TICKET_UNLOCK, door - 1, way=way(via, port), notice=app.note)
    which = name if door == 1 else t("{device}, door {door}", device=name, door=door)
    app.show({"ok": True, "device": name, "door": door}, t("{device} is unlocked", device=which))


@device.command("mode", help=t("Set a door's mode, by a signed ticket."))
@click.argument("name")
@click.argument("mode", type=click.Choice(list(MODE_NAMES.values())))
@_door
@click.option("--minutes", type=click.IntRange(1, MODE_MINUTES_MAX),
              help=t("For so long; default: until further notice"))  # fmt: skip
@way_options
@pass_app
def mode(
    app: App, name: str, mode: str, door: int, minutes: int | None, via: str | None,
    port: str | None,
) -> None:  # fmt: skip
    """It counts before the door's hours and setting; `schedule` ends it."""
    if minutes and mode == MODE_NAMES[MODE_SCHEDULE]:
        raise click.UsageError(t("schedule ends what was commanded, and takes no --minutes"))
    devices_ops.door_mode(
        app.site, name, mode, door - 1, minutes or 0, way=way(via, port), notice=app.note
    )
    line = t("{device}, door {door}: {mode}", device=name, door=door, mode=name_of("mode", mode))
    if mode == MODE_NAMES[MODE_SCHEDULE]:
        line += t(", as its hours and settings say")
    elif minutes:
        line += t(", for {minutes} min", minutes=minutes)
    else:
        which = name if door == 1 else f"{name} --door {door}"
        line += t(", until further notice; end it with: device mode {device} schedule",
                  device=which)  # fmt: skip
    app.show({"ok": True, "device": name, "door": door, "mode": mode, "minutes": minutes}, line)


@device.command("compare", help=t("Compare what a controller stores with what it should."))
@click.argument("name")
@way_options
@pass_app
def compare(app: App, name: str, via: str | None, port: str | None) -> None:
    """One line a card that differs; exit code 1 when any does."""
    from controller_tool.services import compare as comparing  # noqa: PLC0415 - slow to import

    found = comparing.compare(app.site, name, way(via, port), app.note)
    rows = [
        (d.card or t("unknown to this registry"), f"{d.holder} {d.room}".strip(), d.key.hex(),
         name_of("record", d.there), name_of("record", d.here),
         ", ".join(name_of("record", field) for field in d.fields))
        for d in found.differences
    ]  # fmt: skip
    columns = [t("card"), t("holder"), t("key"), t("on the controller"), t("in the registry"),
               t("differs in")]  # fmt: skip
    same = found.intact and not found.differences
    shown = [table(columns, rows)] if rows else []
    app.show({**plain(found), "same": same}, _compared(found), *shown)
    if not same:
        click.get_current_context().exit(1)


def _compared(found: Comparison) -> str:
    """One line: what was compared with what, and how it came out."""
    against = (
        t("what was signed for it")
        if found.against == "signed"
        else t("what this registry would sign now")
    )
    line = t("{device}: version {version} compared with {against}: {n} cards differ",
             device=found.device, version=found.version, against=against,
             n=len(found.differences))  # fmt: skip
    if found.standing == "fork":
        line += t("; this registry did not sign it: push --accept-fork replaces it")
    elif not found.intact:
        line += t("; what is stored is not what it reports: push --repair")
    return line


device.add_command(calibrate)
device.add_command(charge)
device.add_command(config)
device.add_command(energy)
device.add_command(flash)
device.add_command(lost)
device.add_command(ports)
device.add_command(provision)
device.add_command(record)
device.add_command(reader)
device.add_command(replace)
device.add_command(retire)
device.add_command(service_group)
device.add_command(update)


def _trust(d: Overview) -> str:
    """Version of the trust object, when it is known, and whether a push would bring a newer one."""
    if d.trust_version is None:
        return "-"
    return (
        t("{version}, behind", version=d.trust_version) if d.trust_behind else f"{d.trust_version}"
    )


def _readable(key: str, value: object) -> object:
    if isinstance(value, bool):
        return yes_no(value)
    if key == "version" and isinstance(value, int):
        return text_of(value)
    if isinstance(value, str):
        return name_of(key, value) if key == "kind" else value
    if key == "doors" and isinstance(value, bytes):
        return _of_doors(value)
    if isinstance(value, bytes):
        return _of_readers(key, value) if key.startswith("reader_") else value.hex()
    return value


def _of_doors(value: bytes) -> str:
    """How each door is, in words."""
    said = []
    for one in value:
        words = [names[bool(one & bit)] for bit, names in DOOR_STATE_NAMES.items()]
        mode = MODE_NAMES.get(one >> DOOR_MODE_SHIFT, "?")
        states = [name_of("door", word) for word in words if word]
        said.append(", ".join([name_of("mode", mode), *states]))
    return "; ".join(f"{number}: {words}" for number, words in enumerate(said, 1)) or "-"


def _of_readers(key: str, value: bytes) -> str:
    """What is told of each reader, one byte each, in words."""
    from controller_tool.services import readers  # noqa: PLC0415 - slow to import

    said = (
        name_of("pairing", PAIRING_NAMES.get(one, "?")) or "-"
        if key == "reader_pairing"
        else ", ".join(name_of("reader", each) for each in readers.troubles(one)) or t("well")
        for one in value
    )
    return "; ".join(f"{number}: {words}" for number, words in enumerate(said, 1))
