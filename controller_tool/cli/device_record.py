"""`controller-tool device record`: the commissioning record, once more (host)."""

from __future__ import annotations

from pathlib import Path

import click

from controller_tool.cli import commissioning
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import t


@click.command(
    "record",
    cls=ToolCommand,
    help=t("The printable record of a controller's commissioning, made once more."),
)
@click.argument("name")
@commissioning.taps_option
@commissioning.record_option
@click.option("--no-pdf", is_flag=True, help=t("Make no PDF beside it"))
@way_options
@pass_app
def record(
    app: App, /, name: str, taps: int, sheet: Path | None, no_pdf: bool, via: str | None,
    port: str | None,
) -> None:  # fmt: skip
    """From what was noted then; with --taps the controller is called on."""
    from controller_tool.services import record as service  # noqa: PLC0415 - slow to import

    trials = None
    if taps:
        trials = service.try_cards(app.site, name, taps, app.note, way(via, port))
    written = service.write(app.site, name, sheet, pdf=not no_pdf)
    rows = [(t("record"), written.path), (t("SHA-256"), written.sha256)]
    if written.pdf:
        rows.append((t("PDF"), written.pdf))
    if trials is not None:
        rows.append((t("cards tried"), f"{len(trials.taps)}/{trials.wanted}"))
    app.show({**written.__dict__, "trials": trials}, pairs(rows))
    if trials is not None and not trials.ok:
        commissioning.complain_of_taps(app, name, trials)
        click.get_current_context().exit(1)
