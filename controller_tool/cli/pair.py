"""`controller-tool pair`: what one operator asked for and another one decides (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain, table
from controller_tool.messages import name_of, t
from controller_tool.rules.words import PAIR_STATES
from controller_tool.services import site_time
from controller_tool.services.desk import pair_acts as service

if TYPE_CHECKING:
    from controller_tool.services.desk.pair_acts import PairView

_number = click.argument("number", type=click.IntRange(1))


@click.group(cls=ToolGroup, help=t("What takes two operators: confirm or refuse it."))
def pair() -> None:
    """The group; its commands do the work."""


@pair.command("list", help=t("What was asked for, the newest first."))
@click.option("--state", type=click.Choice(PAIR_STATES), help=t("Only these"))
@pass_app
def list_(app: App, state: str | None) -> None:
    """One line a question."""
    found = service.list_acts(app.site, state)
    local = site_time.of(app.site)
    rows = [
        (v.id, name_of("pair", v.act), v.subject, v.document, v.asked_by, local.text(v.asked_at_s),
         name_of("pair_state", v.state), v.decided_by or "")
        for v in found
    ]  # fmt: skip
    columns = [t("number"), t("act"), t("subject"), t("paper"), t("asked by"), t("asked at"),
               t("state"), t("decided by")]  # fmt: skip
    app.show(found, table(columns, rows))


@pair.command("confirm", help=t("Let it happen, as the second operator, by your own secret."))
@_number
@pass_app
def confirm(app: App, number: int) -> None:
    """It is carried out in the same moment; `push` then tells the controllers."""
    view = service.decide(app.site, number, yes=True)
    app.show(
        {**plain(view), "ok": True},
        t("{act}: {subject}, done by {first} and {second}", act=name_of("pair", view.act),
          subject=view.subject, first=view.asked_by, second=view.decided_by),
        pairs(_result(view)),
        t("Now bring the controllers up to date: push"),
    )  # fmt: skip


@pair.command("refuse", help=t("Say no to it; who asked may take it back so."))
@_number
@pass_app
def refuse(app: App, number: int) -> None:
    """Nothing else is changed."""
    view = service.decide(app.site, number, yes=False)
    app.show({**plain(view), "ok": True},
             t("Number {n} is refused by {name}", n=number, name=view.decided_by))  # fmt: skip


def _result(view: PairView) -> list[tuple[str, Any]]:
    names = {
        "card": t("card"), "before": t("former card"), "devices": t("controllers"),
        "device": t("controller"), "kept_as": t("kept as"), "reissue": t("cards to issue anew"),
        "pending": t("cards not proven dead there"), "stay": t("stay"), "visitors": t("visits"),
        "cards": t("cards ended"), "back": t("card taken back"),
    }  # fmt: skip
    rows = view.result.items()
    return [(names[key], ", ".join(value) if isinstance(value, list) else value)
            for key, value in rows if value]  # fmt: skip
