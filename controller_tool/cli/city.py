"""`controller-tool export`: for the city's platform, residence systems, duty holders (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.city_lists import clips, duties, receipt, residents
from controller_tool.cli.common import App, ToolCommand, ToolGroup, pairs, pass_app, table
from controller_tool.messages import t
from controller_tool.rules import endpoint, refusal
from controller_tool.services.city import delivery, doc_no, http_post
from controller_tool.services.city import rejects as work_list
from controller_tool.services.city.kinds import KINDS
from controller_tool.services.city.rows_places import moment
from controller_tool.services.journal_read import local_of

if TYPE_CHECKING:
    from controller_tool.services.city.delivery import Delivered

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("export", cls=ToolGroup, help=t("Hand over what other systems need."))
def export() -> None:
    """A folder or file of its owner's alone, or an HTTPS endpoint."""


@export.command("hzaccess", cls=ToolCommand, help=t("Everything for the city's platform."))
@click.option("--output", type=click.Path(path_type=Path), metavar="FOLDER", help=t("A new folder"))
@click.option("--to", "address", metavar="URL", help=t("The platform's https address"))
@click.option("--full", is_flag=True, help=t("All records, not only what has changed since"))
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS),
              help=t("Only records of this kind; more than one may be given"))  # fmt: skip
@click.option("--target", default=delivery.FOLDER_TARGET, show_default=True, metavar="NAME",
              help=t("Whom the folder is for: each has its own marks"))  # fmt: skip
@click.option("--ca", type=_FILE, metavar="FILE",
              help=t("PEM of the one authority to believe, instead of the system's"))  # fmt: skip
@click.option("--force", is_flag=True, help=t("Replace the folder of an earlier export"))
@click.option("--dry-run", is_flag=True, help=t("Only count what would be handed over"))
@pass_app
def hzaccess(app: App, /, output: Path | None, address: str | None, **asked: Any) -> None:
    """Devices, houses, persons, bindings, access, alarms, charging, heartbeats; what changed."""
    if (output is None) == (address is None):
        raise click.UsageError(t("Give either --output FOLDER or --to URL"))
    wish = delivery.Wish(asked["full"], tuple(k for k in KINDS if k in asked["kinds"]) or KINDS)
    if address is not None:
        done = _send(app, address, wish, asked["ca"], asked["dry_run"])
    elif asked["dry_run"]:
        done = delivery.count(app.site, asked["target"], wish)
    else:
        assert output is not None  # noqa: S101 - looked at above
        done = delivery.to_folder(app.site, output, wish, asked["target"], asked["force"])
    total = sum(done.records.values())
    said = t("{n} records handed over", n=total)
    if asked["dry_run"]:
        said = t("{n} records would be handed over", n=total)
    app.show(done, table([t("kind of record"), t("how many")], done.records.items()), said)
    if not done.numbers_sealed and done.records.get("person"):
        app.note(t("Without ID numbers: the platform's key is not set (export recipient FILE)"))
    if done.rejected:
        app.complain(t("{n} records were refused", n=done.rejected),
                     t("See them with: export rejects list"))  # fmt: skip


def _send(app: App, address: str, wish: delivery.Wish, ca: Path | None, dry_run: bool) -> Delivered:
    found = endpoint.parse(address)
    if isinstance(found, refusal.Refusal):
        raise refusal.RuleRefused(found)
    if dry_run:
        return delivery.count(app.site, found.target, wish)
    poster = http_post.Poster(found, http_post.find_token(found.host), http_post.trusting(ca))
    with app.progress() as progress:
        return delivery.to_platform(app.site, poster, wish, progress)


@export.command("recipient", cls=ToolCommand, help=t("Whose key ID numbers are sealed for."))
@click.argument("file", type=_FILE, required=False)
@click.option("--none", is_flag=True, help=t("Nobody's: no ID number is handed over"))
@click.option("--dry-run", is_flag=True, help=t("Look at the key, and keep nothing"))
@pass_app
def recipient(app: App, /, file: Path | None, none: bool, dry_run: bool) -> None:
    """Without FILE it shows whose it is now."""
    if file is not None and none:
        raise click.UsageError(t("Give either FILE or --none"))
    if file is None and not none:
        found = doc_no.read(app.site)
    else:
        found = doc_no.choose(app.site, file, dry_run)
    kid = found.kid if found else None
    app.show({"recipient": kid}, pairs([(t("ID numbers are sealed for"), kid or t("nobody"))]))


@export.group("rejects", cls=ToolGroup, help=t("Records that were refused and wait for you."))
def rejects() -> None:
    """The work list of all targets."""


@rejects.command("list", cls=ToolCommand, help=t("What waits, the oldest first."))
@click.option("--all", "settled", is_flag=True, help=t("With what waits no more"))
@pass_app
def list_(app: App, /, settled: bool) -> None:
    """Exit code 0, whatever waits."""
    found = work_list.list_rejects(app.site, settled)
    local = local_of(app.site)
    rows = [(one.id, one.target, one.kind, one.event_id, one.reason,
             moment(one.at_s, local)[:16], moment(one.resolved_at_s, local)[:16])
            for one in found]  # fmt: skip
    columns = [t("no."), t("target"), t("record"), t("number"), t("reason"), t("at"), t("settled")]
    app.show(found, table(columns, rows) if rows else t("Nothing waits"))


@rejects.command("resolve", cls=ToolCommand, help=t("Take one off the list."))
@click.argument("number", type=int)
@click.option("--again", is_flag=True, help=t("The next export sends it anew"))
@click.option("--dry-run", is_flag=True, help=t("Only show what would be done"))
@pass_app
def resolve(app: App, /, number: int, again: bool, dry_run: bool) -> None:
    """Once it was mended, or nobody needs it."""
    done = work_list.resolve(app.site, number, again, dry_run)
    said = t("{event} is off the list", event=done.event_id)
    app.show(done, t("Dry run: {what}", what=said) if dry_run else said)


for _command in (residents, receipt, duties, clips):
    export.add_command(_command)
