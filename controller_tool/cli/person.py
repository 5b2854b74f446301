"""`controller-tool person`: what the desk knows of people, compared with them (host)."""

from __future__ import annotations

import click

from controller_tool.cli.common import App, ToolGroup, pass_app
from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services.desk import verify as service


@click.group(cls=ToolGroup, help=t("What the desk knows of people, compared with them."))
def person() -> None:
    """The group; its commands do the work."""


@person.command("verify", help=t("Write down a spot check: the entry of a stay's person is right."))
@click.argument("stay")
@click.option("--right/--wrong", "right", default=None, help=t("What the check said"))
@click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))
@pass_app
def verify(app: App, stay: str, right: bool | None, dry_run: bool) -> None:
    """STAY: its reference, or one of its cards."""
    if right is None:
        raise OperatorError(t("It is not said what the check found"), t("Add --right or --wrong"))
    found = service.verify(app.site, stay, right, dry_run)
    said = (
        t("{stay}: checked with the person, right", stay=found.stay)
        if found.right
        else t("{stay}: checked with the person, wrong; correct the entry", stay=found.stay)
    )
    app.show({**vars(found), "dry_run": dry_run}, said)
