"""`controller-tool device flash`: from a bare board to a commissioned controller (host)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, yes_no
from controller_tool.cli.narrator import Narrator
from controller_tool.messages import name_of, t


@click.command(
    "flash",
    cls=ToolCommand,
    help=t("From a bare board to a working controller: MicroPython, firmware and identity."),
)
@click.argument("name")
@click.option("--port", required=True, metavar="ADDRESS", help=t("Serial port or sim://NAME"))
@click.option("--board", required=True, help=t("Kind of board, see: board list"))
@click.option(
    "--image", required=True, type=click.Path(path_type=Path), help=t("MicroPython's .bin file")
)
@click.option("--trust-image", is_flag=True, help=t("Take an image that board.toml does not name"))
@click.option("--baud", type=int, default=460800, show_default=True, help=t("Speed of the cable"))
@click.option("--tcp", metavar="ADDRESS", help=t("Its network address later on, tcp://HOST:PORT"))
@click.option("--ssid", help=t("Wi-Fi to join"))
@click.option("--wifi-password", envvar="CONTROLLER_TOOL_WIFI_PASSWORD", help=t("Its password"))
@click.option("--again", is_flag=True, help=t("The board replaces the controller of that name"))
@click.option("--no-list", is_flag=True, help=t("Send no first whitelist"))
@pass_app
def flash(
    app: App, /, image: Path, trust_image: bool, baud: int, no_list: bool, **asked: Any
) -> None:
    """Erases what is on the board."""
    from controller_tool.services import commission as service  # noqa: PLC0415 - slow to import
    from controller_tool.services.provision import Request  # noqa: PLC0415

    ssid, password = asked.pop("ssid"), asked.pop("wifi_password")
    wifi = (ssid, password or "") if ssid else None
    request = Request(wifi=wifi, first_list=not no_list, **asked)
    read = service.read_image(image, request.board, trust_image)
    with app.progress() as progress:
        narrator = Narrator(app, request.name, progress)
        record = service.commission(app.site, request, read, narrator, baud)
    app.show(record, _record(record))
    if not record.ok:
        click.get_current_context().exit(1)


def _record(record: Any) -> Any:
    flashed, provisioned = record.flashed, record.provisioned
    checks = ", ".join(
        f"{name_of('check', n)}: {yes_no(ok)}" for n, ok in sorted(provisioned.self_test.items())
    )
    first = provisioned.first_list
    return pairs([
        (t("controller"), provisioned.device), (t("id"), provisioned.id),
        (t("kind"), name_of("kind", provisioned.kind)), (t("board"), flashed.board),
        (t("chip"), flashed.chip), (t("serial number"), flashed.mac),
        (t("flash"), t("{size} MB, {written} bytes written",
                       size=flashed.flash_bytes >> 20, written=flashed.written_bytes)),
        (t("image"), flashed.image_sha256),
        (t("clock"), t(provisioned.clock)), (t("self-test"), checks),
        (t("first list"), t("none") if first is None else first.what),
        (t("took"), t("{seconds:.1f} s", seconds=provisioned.seconds)),
    ])  # fmt: skip
