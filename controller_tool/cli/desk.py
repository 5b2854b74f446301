"""`controller-tool desk`: what is open at the front desk (host)."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, plain, table
from controller_tool.cli.tenant_look import lines
from controller_tool.cli.ways import way, way_options
from controller_tool.messages import name_of, t
from controller_tool.services import site_time
from controller_tool.services.desk import pending as service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from controller_tool.services.desk.pending import Pending, Unproven
    from controller_tool.services.push import PushResult

_SHOWN_MAX = 20


@click.group(cls=ToolGroup, help=t("What is open at the front desk."))
def desk() -> None:
    """The group; its commands do the work."""


@desk.command("pending", help=t("All that is not proven or not done: cards, stays, second words."))
@click.option("--watch", is_flag=True, help=t("Keep on pushing until stopped, and show it anew"))
@way_options
@pass_app
def pending(app: App, /, watch: bool, via: str | None, port: str | None) -> None:
    """Exit code 0 whatever is open: it was asked for, and told."""
    if not watch:
        _show(app, service.look(app.site))
        return
    from controller_tool.services.watching import watch as keep_on  # noqa: PLC0415 - rare

    with ExitStack() as stack:
        keep_on(app.site, None, _redraw(app, stack), way(via, port))


def _show(app: App, found: Pending) -> None:
    app.show({**plain(found), "proven": found.proven}, *_parts(app, found))


def _redraw(app: App, stack: ExitStack) -> Callable[[list[PushResult]], None]:
    """At a terminal one picture that changes; elsewhere a new one whenever something changed."""
    if app.as_json or not sys.stdout.isatty():
        last: list[Any] = []

        def tell(_results: list[PushResult]) -> None:
            found = service.look(app.site)
            if [found] != last:
                last[:] = [found]
                _show(app, found)

        return tell
    from rich.console import Group  # noqa: PLC0415 - slow to import
    from rich.live import Live  # noqa: PLC0415

    live = stack.enter_context(Live(console=app.console(), auto_refresh=False))

    def draw(_results: list[PushResult]) -> None:
        live.update(Group(*_parts(app, service.look(app.site))), refresh=True)

    return draw


def _parts(app: App, found: Pending) -> list[Any]:
    parts: list[Any] = []
    for title, some in (
        (t("Ended, and not yet proven dead"), found.ended),
        (t("Out, and not yet on every door"), found.unlisted),
    ):
        if some:
            parts += [t("{title}: {n}", title=title, n=len(some)), _unproven(app, some)]
    for title, stays in (
        (t("Over, and not checked out"), found.over),
        (t("Ends within {n} days", n=service.ENDING_DAYS), found.ending),
    ):
        if stays:
            parts += [t("{title}: {n}", title=title, n=len(stays))]
            parts.append(lines(app, stays[:_SHOWN_MAX]))
    if found.pairs:
        parts += [
            t("{title}: {n}", title=t("Waits for a second operator"), n=len(found.pairs)),
            _pairs(app, found),
        ]
    return parts or [t("Nothing is open: all is proven")]


def _unproven(app: App, some: Sequence[Unproven]) -> Table:
    columns = [t("card"), t("holder"), t("since"), t("proven"), t("no proof from"),
               t("last heard")]  # fmt: skip
    rows = []
    for one in some[:_SHOWN_MAX]:
        for at, owing in enumerate(one.owing):
            first = (one.card, f"{one.holder} {one.room}".strip(), _time(app, one.since_s),
                     f"{one.n}/{one.m}")  # fmt: skip
            heard = t("never") if owing.heard_s is None else _time(app, owing.heard_s)
            rows.append((*(first if at == 0 else ("",) * 4), owing.device, heard))
    if len(some) > _SHOWN_MAX:
        rows.append((t("and {n} more", n=len(some) - _SHOWN_MAX), *("",) * 5))
    return table(columns, rows)


def _pairs(app: App, found: Pending) -> Table:
    columns = [t("number"), t("act"), t("about"), t("asked by"), t("since")]
    rows = [
        (one.id, name_of("pair", one.act), one.subject, one.asked_by, _time(app, one.asked_at_s))
        for one in found.pairs
    ]
    return table(columns, rows)


def _time(app: App, time_s: int) -> str:
    return site_time.of(app.site).text(time_s)
