"""Commands that ask for what takes two operators: found cards, lost devices, evictions (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, plain
from controller_tool.cli.profile import dry_run_option
from controller_tool.messages import name_of, t

if TYPE_CHECKING:
    from controller_tool.services.desk.pair_acts import PairView

_document = click.option(
    "--document", required=True, metavar="NUMBER", help=t("Number of the paper that it rests on")
)


@click.command("found", cls=ToolCommand, help=t("A lost card was found: ask for it to go on."))
@click.argument("number")
@_document
@dry_run_option
@pass_app
def found(app: App, number: str, document: str, dry_run: bool) -> None:
    """A second operator confirms it; then it goes on under a new reference."""
    from controller_tool.services.desk import card_found  # noqa: PLC0415 - seldom used

    show_asked(app, card_found.ask(app.site, number, document, dry_run), dry_run)


@click.command("lost", cls=ToolCommand, help=t("A controller is gone for good: ask for the books"
                                               " to say so."))  # fmt: skip
@click.argument("name")
@_document
@dry_run_option
@pass_app
def lost(app: App, name: str, document: str, dry_run: bool) -> None:
    """A second operator confirms it; then it leaves the m of every card."""
    from controller_tool.services.desk import device_loss  # noqa: PLC0415 - seldom used

    view = device_loss.ask(app.site, name, document, dry_run)
    app.note(t("Cards not proven dead on {device}: {n}", device=name, n=view.facts["pending"]))
    show_asked(app, view, dry_run)


@click.command("evict", cls=ToolCommand, help=t("Somebody is put out: ask for the stay to end."))
@click.argument("stay")
@_document
@dry_run_option
@pass_app
def evict(app: App, stay: str, document: str, dry_run: bool) -> None:
    """A second operator confirms it; then its cards end first."""
    from controller_tool.services.desk import eviction  # noqa: PLC0415 - seldom used

    show_asked(app, eviction.ask(app.site, stay, document, dry_run), dry_run)


def show_asked(app: App, view: PairView, dry_run: bool) -> None:
    """What was asked for, and who goes on."""
    what = f"{name_of('pair', view.act)}: {view.subject}"
    if dry_run:
        app.show({**plain(view), "ok": True, "dry_run": True},
                 t("{what}; nothing was changed", what=what))  # fmt: skip
        return
    app.show(
        {**plain(view), "ok": True},
        t("{what}. Another operator confirms it within 24 h: pair confirm {n}",
          what=what, n=view.id),
    )  # fmt: skip
