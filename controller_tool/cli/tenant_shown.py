"""How `controller-tool tenant` shows what was done and what is proven (host)."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli import doors_live, moments
from controller_tool.cli.common import App, pairs, plain, table
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import site_time
from controller_tool.services.desk import slip as slips
from controller_tool.services.desk.front_desk import How

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from controller_tool.services.desk.check_in import Stay
    from controller_tool.services.desk.front_desk import Done, Tapped

slip_option = click.option(
    "--slip", type=click.Path(path_type=Path), metavar="FILE|DIR",
    help=t("Write a slip to print"),
)  # fmt: skip
bed_option = click.option("--bed", default="", help=t("Bed, as it is marked in the room"))
no_push_option = click.option(
    "--no-push", is_flag=True, help=t("Only write it down; the next push tells the controllers")
)


@contextmanager
def how(app: App, asked: dict[str, Any]) -> Iterator[How]:
    """What the options ask for; receipts are shown while they come in."""
    with doors_live.shown(app) as doors:
        yield How(asked["dry_run"], not asked["no_push"], doors)


def finish(app: App, done: Done, slip: Path | None = None, tapped: Tapped | None = None) -> None:
    """The stay and what is proven; exit code 1 where a receipt is missing that was asked for."""
    said = "; ".join(done.proof.words())
    failed = [result for result in done.proof.results if not result.ok]
    lines: list[Any] = [pairs(facts(app, done.stay))]
    if done.visitors:
        lines.append(t("Visits that ended with it: {stays}", stays=", ".join(done.visitors)))
    if done.dry_run:
        lines.append(t("{what}; nothing was changed", what=t("This can be done so")))
    else:
        lines += [cards_table(done.stay)] if done.stay.cards else []
        lines.append(said)
    path = None if slip is None or done.dry_run else _write(app, done, slip)
    unwritten = slip is not None and not done.dry_run and path is None
    if path is not None:
        lines.append(t("slip: {path}", path=path))
    if tapped is not None:
        lines.append(tapped.words())
    elif done.hint():
        lines.append(done.hint())
    data = {
        **plain(done), "ok": done.ok and (tapped is None or tapped.ok), "words": done.proof.words(),
        "deregistered": done.proof.deregistered and not done.dry_run, "slip": path, "tap": tapped,
    }  # fmt: skip
    app.show(data, *lines)
    app.complain_of(failed)
    if unwritten or not data["ok"]:
        click.get_current_context().exit(1)


def _write(app: App, done: Done, slip: Path) -> Path | None:
    """The slip's path; where it cannot be written, why: what is proven is shown all the same."""
    try:
        return slips.write(slips.of_proof(app.site, done.proof), done.stay.ref, slip)
    except OperatorError as error:
        app.note(f"{error.what}\n  {error.next_step}")
        return None


def facts(app: App, stay: Stay) -> list[tuple[str, str | None]]:
    """A stay in pairs of name and value."""
    local = site_time.of(app.site)
    ended = None if stay.ended_at_s is None else moments.told(local, stay.ended_at_s // 60)
    return [
        (t("stay"), f"{stay.ref} ({name_of('stay', stay.kind)})"),
        (name_of("person", "name"), stay.name),
        (t("house"), f"{stay.house} {stay.address}"),
        (t("room"), stay.room),
        *([(t("bed"), stay.bed)] if stay.bed else []),
        (t("from"), moments.told(local, stay.from_min)),
        (t("until"), moments.last(local, stay.until_min)),
        *([(t("left"), f"{ended} ({name_of('end', stay.end_reason or '')})")] if ended else []),
    ]


def cards_table(stay: Stay) -> Table:
    """Its cards, each with what is proven of it."""
    columns = [t("card"), t("number"), t("state"), t("no proof from")]
    rows = [(c.ref, c.credential, c.word, ", ".join(c.pending) or "-") for c in stay.cards]
    return table(columns, rows)
