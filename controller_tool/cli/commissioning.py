"""What `device flash`, `device provision` and `device record` share: options and record (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.channel.address import is_network
from controller_tool.cli.common import App, pairs, yes_no
from controller_tool.messages import name_of, t
from controller_tool.services import endings, record, taps
from controller_tool.services.boards import display_name
from controller_tool.services.provision import Provisioned, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table


def _network(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """The address, where it is one of a network."""
    if text is not None and not is_network(text):
        raise click.BadParameter(t("Not a network address: {text}", text=text))
    return text


_OPTIONS = (
    click.option("--tcp", metavar="ADDRESS", callback=_network,
                 help=t("Its network address later on, tcp://HOST:PORT")),
    click.option("--ssid", help=t("Wi-Fi to join")),
    click.option("--wifi-password", envvar="CONTROLLER_TOOL_WIFI_PASSWORD",
                 help=t("Its password")),
    click.option("--again", is_flag=True, help=t("The board replaces the controller of that name")),
    click.option("--no-list", is_flag=True, help=t("Send no first whitelist")),
)  # fmt: skip

taps_option = click.option(
    "--taps", type=click.IntRange(0, taps.TAPS_MAX), default=0, metavar="N",
    help=t("Hold so many cards to its readers at the end; what it decides goes on the record"),
)  # fmt: skip


def _page(_ctx: click.Context, _option: click.Parameter, value: Path | None) -> Path | None:
    """Before anything is done to a board: the record is written at the end."""
    if value is not None:
        endings.require(value, *record.ENDINGS)
    return value


record_option = click.option(
    "--record",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    callback=_page,
    help=t("Where the printable record goes; else into the site folder"),
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help=t("Only look, and say what would be done")
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked of a controller that is being made."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request(asked: dict[str, Any]) -> Request:
    """What the person asked for, of the options above and what else a `Request` has."""
    ssid, password = asked.pop("ssid"), asked.pop("wifi_password")
    wifi = (ssid, password or "") if ssid else None
    return Request(wifi=wifi, first_list=not asked.pop("no_list"), **asked)


def rows(done: Provisioned) -> list[tuple[str, object]]:
    """What the first call found, for `pairs`."""
    checks = ", ".join(
        f"{name_of('check', n)}: {yes_no(ok)}" for n, ok in sorted(done.self_test.items())
    )
    first = done.first_list
    found: list[tuple[str, object]] = [
        (t("clock"), t(done.clock)), (t("self-test"), checks),
        (t("first list"), t("none") if first is None else first.what),
    ]  # fmt: skip
    if done.trials is not None:
        found.append((t("cards tried"), f"{len(done.trials.taps)}/{done.trials.wanted}"))
    return found


def heading(done: Provisioned) -> list[tuple[str, object]]:
    """Which controller it is, for `pairs`."""
    return [
        (t("controller"), done.device), (t("id"), done.id), (t("kind"), name_of("kind", done.kind)),
        (t("board"), display_name(done.board)),
    ]  # fmt: skip


def show(
    app: App,
    data: Any,
    done: Provisioned,
    more: list[tuple[str, object]],
    sheet: Path | None,
    pdf: bool = True,
) -> None:
    """The result, and the sheet; exit code 1 where not all is well. more: rows of the command."""
    written = record.write(app.site, done.device, sheet, pdf)
    shown: Table = pairs([
        *heading(done), *more, *rows(done), (t("took"), t("{seconds:.1f} s", seconds=done.seconds)),
        (t("record"), written.path), *([(t("PDF"), written.pdf)] if written.pdf else []),
    ])  # fmt: skip
    app.show({**data, "record": written}, shown)
    if not done.ok:
        name = done.device
        if done.trials is not None and not done.trials.ok:
            complain_of_taps(app, name, done.trials)
        else:
            app.complain(
                t("Not all is well with {device}: the table says what", device=name),
                t("Mend it, then run `device selftest {device}`", device=name),
            )
        click.get_current_context().exit(1)


def complain_of_taps(app: App, name: str, trials: taps.Trials) -> None:
    """Fewer cards were held to the readers than were to be, or one was judged wrongly."""
    app.complain(
        t("{n} of {wanted} cards were tried", n=len(trials.taps), wanted=trials.wanted),
        t("Again, a minute for each: device record {device} --taps {wanted}",
          device=name, wanted=trials.wanted),
    )  # fmt: skip
