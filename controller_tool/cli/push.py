"""`controller-tool push`: bring controllers' whitelists up to date (host)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolCommand, pass_app, table
from controller_tool.cli.ways import way_options, way_to_some
from controller_tool.messages import t
from controller_tool.services import push as service

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.cards import CardStatus

_SHOWN_MAX = 20  # cards that are named; the first push after a fork may leave hundreds unproven


@click.command(
    "push", cls=ToolCommand, help=t("Send each controller its newest list and take its receipt.")
)
@click.argument("devices", nargs=-1)
@click.option(
    "--force", is_flag=True, help=t("Sign and send a new full list even if nothing changed")
)
@click.option(
    "--repair", is_flag=True, help=t("Compare first; send a full list where something differs")
)
@click.option(
    "--accept-fork",
    is_flag=True,
    help=t("Replace a list that another registry has signed; what was ended there ends here"),
)
@click.option("--watch", is_flag=True, help=t("Go on until stopped: changes at once, and retries"))
@way_options
@pass_app
def push(
    app: App,
    /,
    devices: tuple[str, ...],
    watch: bool,
    via: str | None,
    port: str | None,
    **order: bool,
) -> None:
    """One line a controller; exit code 1 when any of them has no receipt."""
    way = way_to_some(app, devices, via, port)
    if watch:
        if any(order.values()):
            raise click.UsageError(t("--watch goes with no other order"))
        from controller_tool.services.watching import watch as keep_on  # noqa: PLC0415 - rare

        keep_on(app.site, list(devices), _news(app), way)
        return
    with app.progress() as progress:
        results = service.push(app.site, list(devices), progress, way, app.note, **order)
    _show(app, results)
    if not all(r.ok for r in results):
        click.get_current_context().exit(1)


def _news(app: App) -> Callable[[list[service.PushResult]], None]:
    """A watch shows its first round and what was sent or failed, not each quiet minute."""
    rounds = itertools.count()

    def tell(results: list[service.PushResult]) -> None:
        quiet = all(r.ok and not r.kind for r in results)
        if next(rounds) == 0 or app.as_json or not quiet:
            _show(app, results)

    return tell


def _show(app: App, results: list[service.PushResult]) -> None:
    rows = [(r.device, r.version, r.count, r.what, f"{r.seconds:.2f} s") for r in results if r.ok]
    columns = [t("controller"), t("version"), t("cards"), t("result"), t("took")]
    waiting = _unproven(app)
    data: dict[str, Any] = {
        "ok": all(r.ok for r in results),
        "results": results,
        "unproven": [
            {"card": s.ref, "holder": s.holder, "dead_on": s.proven, "of": s.of,
             "missing": s.pending}
            for s in waiting
        ],
    }  # fmt: skip
    lines = [_line(status) for status in waiting[:_SHOWN_MAX]]
    if len(waiting) > _SHOWN_MAX:
        lines.append(t("and {n} cards more: card list", n=len(waiting) - _SHOWN_MAX))
    app.show(data, *([table(columns, rows)] if rows else []), *lines)
    app.complain_of(r for r in results if not r.ok)


def _unproven(app: App) -> list[CardStatus]:
    from controller_tool.services import cards  # noqa: PLC0415 - as slow as the site itself
    from controller_tool.services.site import CARD_ROLES  # noqa: PLC0415

    return cards.unproven(app.site) if app.site.role in CARD_ROLES else []


def _line(status: CardStatus) -> str:
    return t(
        "{card}: dead on {n}/{m}, no proof from {names}",
        card=f"{status.ref} {status.holder}".rstrip(),
        n=status.proven,
        m=status.of,
        names=", ".join(status.pending),
    )
