"""`controller-tool audit`: who did what, who looked at whom, is the log whole (host)."""

from __future__ import annotations

import json
from typing import Any

import click

from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain, table
from controller_tool.messages import t
from controller_tool.services import audit_query as service
from controller_tool.services import site_time

_NAMED = 10


@click.group(cls=ToolGroup, help=t("Who did what, and who looked at whom."))
def audit() -> None:
    """The group; its commands do the work."""


@audit.command("show", help=t("The newest entries of the operators' log, filtered."))
@click.option("--by", "operator", metavar="NAME", help=t("Only what this operator did"))
@click.option("--act", metavar="ACT",
              help=t("Only this act, such as person.view, or a kind: person."))  # fmt: skip
@click.option("--person", metavar="WHO",
              help=t("Only about a person: card, stay, ID number or name"))  # fmt: skip
@click.option("--about", metavar="TEXT", help=t("Only where the details hold this"))
@click.option("--since", metavar="DATE", help=t("First day, or minute"))
@click.option("--until", metavar="DATE", help=t("Last day, or first minute after"))
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True,
              help=t("At most so many"))  # fmt: skip
@pass_app
def show(app: App, /, since: str | None, until: str | None, **asked: Any) -> None:
    """One line an act."""
    local = site_time.of(app.site)
    begin_s, end_s = moments.span(local, since, until)
    found = service.search(app.site, service.Wish(since_s=begin_s, until_s=end_s, **asked))
    rows = [
        (e.id, local.text(e.at_s), e.operator, e.act, json.dumps(e.details, ensure_ascii=False))
        for e in found.entries
    ]
    columns = [t("number"), t("time"), t("operator"), t("act"), t("details")]
    app.show(found, table(columns, rows),
             t("{n} of {total} entries", n=len(found.entries), total=found.total))  # fmt: skip
    if found.acts:
        app.note(t("Acts that the log has: {names}", names=", ".join(found.acts)))


@audit.command("verify", help=t("Prove that no entry was changed, taken out or cut off."))
@pass_app
def verify(app: App) -> None:
    """Exit code 1 when the log is not whole."""
    verdict = service.verify(app.site)
    line = t("The operators' log is whole")
    if verdict.first_broken is not None:
        line = t("The operators' log is broken from entry {n} on", n=verdict.first_broken)
    elif verdict.unknown_head:
        line = t("The operators' log was cut or made anew: a signed list knows an end of it that is"
                 " not there")  # fmt: skip
    elif verdict.texts_gone:
        named = ", ".join(map(str, verdict.texts_gone[:_NAMED]))
        line = t("Words beside the operators' log were deleted or changed: {n} entries ({numbers})",
                 n=len(verdict.texts_gone), numbers=named)  # fmt: skip
    rows = [(t("entries"), verdict.entries), (t("hash of the last"), verdict.head.hex())]
    app.show({**plain(verdict), "ok": verdict.whole}, line, pairs(rows))
    if not verdict.whole:
        click.get_current_context().exit(1)
