"""`controller-tool demo`: the whole story on virtual controllers (host)."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from controller_tool.cli.common import App, ToolCommand, pass_app
from controller_tool.cli.narrator import Narrator
from controller_tool.keys.passphrase import VARIABLE
from controller_tool.messages import t
from controller_tool.services import demo as service

_PASSPHRASE = "demonstration only"  # noqa: S105 - protects invented people


class Teller:
    """Prints the story as it happens; says nothing with --json."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._chapters = 0

    def chapter(self, title: str) -> None:
        """A new part begins."""
        if not self._app.as_json:
            self._chapters += 1
            click.echo(f"\n{self._chapters}. {title}")

    def line(self, text: str) -> None:
        """Something happened."""
        if not self._app.as_json:
            click.echo(f"   {text}")

    def narrator(self, name: str) -> Narrator:
        """Tells of the provisioning of one controller."""
        return Narrator(self._app, f"   {name}", lambda *_: None)


def _absolute(_context: Any, _parameter: Any, folder: Path | None) -> Path | None:
    """The folder whole, as it is printed; an option that stands where it belongs is none."""
    if folder is None:
        return None
    if str(folder).startswith("-"):
        raise click.BadParameter(t("DIR is missing before {option}", option=str(folder)))
    return folder.absolute()


@click.command("demo", cls=ToolCommand, help=t("The whole story on three virtual controllers."))
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", callback=_absolute,
              help=t("Make the site in this folder and leave it running to play with"))  # fmt: skip
@click.option("--picture", type=click.Path(path_type=Path), metavar="FILE", callback=_absolute,
              help=t("Draw the fire at the charging station into this new PNG file"))  # fmt: skip
@pass_app
def demo(app: App, keep: Path | None, picture: Path | None) -> None:
    """Sets up a site, tells the story, cleans up; exit code 1 when something came out wrong."""
    folder = keep or Path(tempfile.mkdtemp(prefix="controller-demo-")) / "site"
    passphrase = os.environ.get(VARIABLE) or _PASSPHRASE
    teller = Teller(app)
    started = time.monotonic()
    kept = False
    house = service.set_up(folder, passphrase, teller, keep=keep is not None)
    try:
        setup_s = time.monotonic() - started
        report = service.tell(house, teller, picture or (keep and keep / service.PICTURE))
        report.figures.setup_s = setup_s
        kept = keep is not None
    finally:
        house.close(keep_running=kept)
        if keep is None:
            shutil.rmtree(folder.parent, ignore_errors=True)
    report = dataclasses.replace(report, site=str(keep) if keep else None)
    app.show(report, *_summary(report, passphrase))
    if not report.ok:
        click.get_current_context().exit(1)


def _summary(report: service.Report, passphrase: str) -> list[str]:
    figures = report.figures
    lines = [
        "",
        t("The story took {story:.1f} s, its set-up {setup:.1f} s.",
          story=figures.story_s, setup=figures.setup_s),
        t("Everything came out as it should.") if report.ok else t("SOMETHING CAME OUT WRONG."),
    ]  # fmt: skip
    if report.site:
        lines += [
            t("The virtual site runs on. Play with it:"),
            f"  export CONTROLLER_TOOL_SITE={shlex.quote(report.site)} {VARIABLE}='{passphrase}'",
            "  controller-tool sim swipe door-1 0099999999",
            "  controller-tool sim stop",
        ]
    return lines
