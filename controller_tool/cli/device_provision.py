"""`controller-tool device provision`: files over the prompt of a board with MicroPython (host)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from controller_tool.cli import commissioning
from controller_tool.cli.common import App, ToolCommand, pass_app, plain
from controller_tool.cli.narrator import Narrator
from controller_tool.messages import t
from controller_tool.services import provision as service
from controller_tool.services.boards import display_name


@click.command(
    "provision",
    cls=ToolCommand,
    help=t(
        "A virtual board, or one that runs MicroPython already and cannot be flashed: copy the"
        " firmware over its prompt. A bare board takes `device flash`."
    ),
)
@click.argument("name")
@click.option("--port", required=True, metavar="ADDRESS", help=t("Serial port or sim://NAME"))
@click.option("--board", required=True, help=t("Kind of board, see: board list"))
@commissioning.options
@commissioning.taps_option
@commissioning.record_option
@commissioning.dry_run_option
@pass_app
def provision(app: App, /, dry_run: bool, sheet: Path | None, **asked: Any) -> None:
    """Asks the provisioning service and prints the commissioning record."""
    request = commissioning.request(asked)
    if dry_run:
        plan = service.plan(app.site, request)
        app.show(
            plan,
            t("{name}: {files} files, {size} bytes of firmware for {board}; nothing was changed",
              name=plan.name, files=plan.files, size=plan.firmware_bytes,
              board=display_name(plan.board)),
        )  # fmt: skip
        return
    with app.progress() as progress:
        done = service.provision(app.site, request, Narrator(app, request.name, progress))
    files = t("{new} written, {kept} kept", new=done.files_written, kept=done.files_kept)
    commissioning.show(app, plain(done), done, [(t("files"), files)], sheet, pdf=False)
