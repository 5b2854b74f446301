"""`controller-tool person`: people as the operator's role may see them, and deletion (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import App, ToolGroup, pairs, pass_app, plain
from controller_tool.cli.profile import dry_run_option
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.rules import words
from controller_tool.services import site_time
from controller_tool.services.desk import correct as corrections
from controller_tool.services.desk import people_view, retention
from controller_tool.services.desk import verify as checks

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.rules.refusal import Refusal
    from controller_tool.services.desk.people_view import PersonView


@click.group(cls=ToolGroup, help=t("People: shown by role, spot checks, deletion when it is due."))
def person() -> None:
    """The group; its commands do the work."""


@person.command("show", help=t("One person: WHO is a card, a stay, an ID number or a name."))
@click.argument("who")
@click.option("--reveal", "reason", metavar="REASON",
              help=t("Whole numbers; the look and its reason are written down"))  # fmt: skip
@pass_app
def show(app: App, who: str, reason: str | None) -> None:
    """Numbers are masked, and what keeps the data is told."""
    view = (
        people_view.show(app.site, who)
        if reason is None
        else people_view.reveal(app.site, who, reason)
    )
    kept = retention.keeps(app.site, view.id)
    data = {**plain(view), "kept_by": None if kept is None else kept.rule}
    app.show(data, _pairs(app, view, kept))


@person.command("erase-due", help=t("Delete the personal data of all whose time is over."))
@dry_run_option
@pass_app
def erase_due(app: App, dry_run: bool) -> None:
    """Not of those whom a stay, a card, a hold or a case keeps."""
    done = retention.erase_due(app.site, dry_run)
    line = t("{n} people deleted, {days} days after they left", n=len(done.erased), days=done.days)
    if done.cases:
        line = t("{what}, and what {n} cases told", what=line, n=len(done.cases))
    if done.houses:
        line = t("{what}, and the landlords of {n} closed houses", what=line, n=len(done.houses))
    rows = [(name_of("keeps", rule), count) for rule, count in sorted(done.kept.items())]
    app.show({**plain(done), "ok": True},
             t("{what}; nothing was changed", what=line) if dry_run else line,
             *([pairs([(t("kept by"), t("people")), *rows])] if rows else []))  # fmt: skip


@person.command("correct", help=t("Correct an entry: a slip of the pen; WHO as for show."))
@click.argument("who")
@click.option("--name", default="", metavar="NAME", help=t("The right name"))
@click.option("--id-number", default="", metavar="NUMBER",
              help=t("The right number of the document"))  # fmt: skip
@click.option("--phone", default="", metavar="NUMBER", help=t("The right phone"))
@click.option("--sex", type=click.Choice(words.SEXES), default=None,
              help=t("Of a passport's holder; an ID number says it itself"))  # fmt: skip
@click.option("--origin", default="", metavar="PLACE", help=t("Where the household is registered"))
@click.option("--employer", default="", metavar="NAME", help=t("Who they work for"))
@dry_run_option
@pass_app
def correct(app: App, /, who: str, dry_run: bool, **right: str | None) -> None:
    """The log says which fields, and not what they said."""
    wish = corrections.Wish(**{name: value or "" for name, value in right.items()})
    done = corrections.correct(app.site, who, wish, dry_run)
    line = t("Corrected: {fields}", fields=", ".join(name_of("field", one) for one in done.fields))
    kept = retention.keeps(app.site, done.person.id)
    app.show({**plain(done), "ok": True, "dry_run": dry_run}, _pairs(app, done.person, kept),
             t("{what}; nothing was changed", what=line) if dry_run else line)  # fmt: skip


@person.command("verify", help=t("Write down a spot check: the entry of a stay's person is right."))
@click.argument("stay")
@click.option("--right/--wrong", "right", default=None, help=t("What the check said"))
@dry_run_option
@pass_app
def verify(app: App, stay: str, right: bool | None, dry_run: bool) -> None:
    """STAY: its reference, or one of its cards."""
    if right is None:
        raise OperatorError(t("It is not said what the check found"), t("Add --right or --wrong"))
    found = checks.verify(app.site, stay, right, dry_run)
    said = (
        t("{stay}: checked with the person, right", stay=found.stay)
        if found.right
        else t(
            "{stay}: checked with the person, wrong; correct it: person correct {stay}",
            stay=found.stay,
        )
    )
    app.show({**vars(found), "dry_run": dry_run}, said)


def _pairs(app: App, view: PersonView, kept: Refusal | None) -> Table:
    rows = [
        (t("id"), view.id), (name_of("person", "name"), view.name),
        (t("document"), name_of("document", view.document)), (t("number"), view.number),
        (t("phone"), view.phone), (t("sex"), name_of("sex", view.sex) if view.sex else ""),
        (t("household"), view.origin), (t("employer"), view.employer),
        (t("kept by"), t("nothing: it is due") if kept is None else kept.what),
    ]  # fmt: skip
    if view.erased_at_s is not None:
        rows.append((t("deleted at"), site_time.of(app.site).text(view.erased_at_s)))
    return pairs(rows)
