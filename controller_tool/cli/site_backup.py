"""`controller-tool site backup|restore`: a site folder as one file, and back (host)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller_tool.cli.common import OPERATOR_VARIABLE, App, ToolCommand, pairs, pass_app
from controller_tool.clock import local_text
from controller_tool.date_forms import shown
from controller_tool.keys import passphrase as passphrases
from controller_tool.messages import name_of, t

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.services.backup import Made
    from controller_tool.services.backup_read import Proven

_BACKUP = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "backup", cls=ToolCommand,
    help=t("Write this folder into one sealed file; others may go on working."),
    epilog=t("A folder in place of FILE gets a dated file, and --keep removes the oldest of them."
             " The passphrase of the site folder opens it: without it a backup is worth nothing."),
)  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N",
    help=t("How many dated backups of this site stay in the folder"),
)  # fmt: skip
@click.option("--verify", is_flag=True, help=t("Write nothing: prove that FILE is whole"))
@click.option("--dry-run", is_flag=True, help=t("Only say what would be done"))
@pass_app
def backup(app: App, file: Path, keep: int | None, verify: bool, dry_run: bool) -> None:
    """Asks for the passphrase of the folder, or with --verify of the file."""
    from controller_tool.services import backup as service  # noqa: PLC0415 - slow to import
    from controller_tool.services import backup_read  # noqa: PLC0415

    if verify:
        if keep is not None or dry_run:
            raise click.UsageError(t("--verify goes with neither --keep nor --dry-run"))
        proven = backup_read.verify(file, passphrases.find(file))
        app.show(proven, _told(proven), t("The backup is whole"))
        return
    made = service.make(app.site, file, keep, dry_run)
    app.show(made, _made(made))
    if not made.logged and not dry_run:
        app.complain(
            t("The backup is good, but the operators' log could not take it"),
            t("Make room on the disk of the site folder"),
        )


@click.command(
    "restore", cls=ToolCommand, help=t("Make a new site folder of a backup."),
    epilog=t("Use the lost folder no more, should it turn up: two that push are forks of each"
             " other. Everything counts as pending until its controller was heard: push."),
)  # fmt: skip
@click.argument("file", type=_BACKUP)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--registry", default="", metavar="URL",
    help=t("Keep the registry in this empty PostgreSQL database, not in a file of the folder"),
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help=t("Only prove the backup and the place"))
@pass_app
def restore(app: App, file: Path, folder: Path, registry: str, dry_run: bool) -> None:
    """Asks for the passphrase that the folder had."""
    from controller_tool.services import backup_read  # noqa: PLC0415 - slow to import

    operator = app.operator or os.environ.get(OPERATOR_VARIABLE)
    passphrase = passphrases.find(file)
    done = backup_read.restore(
        file, folder, passphrase, operator, registry=registry, dry_run=dry_run
    )
    if dry_run:
        app.show(done, _told(done.backup), t("Nothing was restored: this was a dry run"))
        return
    app.show(
        done,
        _told(done.backup),
        pairs([
            (t("folder"), done.folder), (t("controllers"), done.controllers),
            (t("cards issued"), done.cards_issued),
        ]),
        t("This folder knows nothing since {date}. Next: push; a controller that it names as"
          " holding another list wants device compare, then push --accept-fork",
          date=shown(local_text(done.backup.made_at_s))),
    )  # fmt: skip


def _told(proven: Proven) -> Table:
    return pairs([
        (t("backup"), proven.file), (t("site"), proven.site), (t("id"), proven.id),
        (t("role"), name_of("role", proven.role)), (t("epoch"), proven.epoch),
        (t("made at"), shown(local_text(proven.made_at_s))), (t("files"), proven.files),
        (t("bytes"), proven.bytes),
    ])  # fmt: skip


def _made(made: Made) -> Table:
    rows: list[tuple[str, object]] = [
        (t("backup"), made.file), (t("site"), made.site),
        (t("made at"), shown(local_text(made.made_at_s))),
    ]  # fmt: skip
    if not made.dry_run:
        rows += [(t("files"), made.files), (t("bytes"), made.bytes)]
    if made.left_out:
        rows.append((t("left out, no plain files"), ", ".join(made.left_out)))
    if made.removed:
        rows.append((t("older ones removed"), ", ".join(made.removed)))
    return pairs(rows)
