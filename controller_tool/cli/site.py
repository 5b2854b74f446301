"""`controller-tool site`: the site folder, its keys and the folders of the roles (host)."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import click

from controller_tool import date_forms
from controller_tool.cli import site_backup, site_firmware, site_trust
from controller_tool.cli.common import (
    OPERATOR_VARIABLE,
    App,
    ToolGroup,
    pairs,
    pass_app,
    table,
    yes_no,
)
from controller_tool.cli.policy import policy
from controller_tool.cli.retention import retention
from controller_tool.clock import local_text
from controller_tool.keys import passphrase as passphrases
from controller_tool.messages import name_of, t
from controller_tool.services import export as export_service
from controller_tool.services import site_init
from controller_tool.services.site_view import SiteView, view


@click.group(cls=ToolGroup, help=t("The site folder: keys, roles, exports."))
def site() -> None:
    """The group; its commands do the work."""


site.add_command(policy)
site.add_command(retention)


@site.command("init", help=t("Make the office folder of a new site, with all its keys."))
@click.argument("name")
@click.option("--root-keys", type=int, default=1, show_default=True, help=t("How many root keys"))
@click.option(
    "--root-threshold", type=int, default=1, show_default=True, help=t("How many of them must sign")
)
@click.option(
    "--audit-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help=t("Public key of the auditor, who keeps the private one"),
)
@click.option("--keyring", is_flag=True, help=t("Keep the passphrase in the system keyring"))
@click.option(
    "--registry",
    default="",
    metavar="URL",
    help=t("Keep the registry in this empty PostgreSQL database, not in a file of the folder"),
)
@pass_app
def init(
    app: App,
    name: str,
    root_keys: int,
    root_threshold: int,
    audit_key: Path | None,
    keyring: bool,
    registry: str,
) -> None:
    """Asks for a new passphrase, then makes keys, authorities and registry."""
    operator = app.operator or os.environ.get(OPERATOR_VARIABLE) or getpass.getuser()
    wish = site_init.Wish(name, operator, root_keys, root_threshold, audit_key, keyring, registry)
    made = site_init.init(app.folder, wish, passphrases.choose(app.folder))
    try:
        _show(app, view(made))
    finally:
        made.close()


@site.command("show", help=t("Which site this is, and what this folder can do."))
@pass_app
def show(app: App) -> None:
    """Asks for no passphrase."""
    _show(app, view(app.site))


@site.command("export", help=t("Make a folder with one role's keys and nothing more."))
@click.option("--role", required=True, type=click.Choice(list(export_service.ROLES)))
@click.option(
    "--hand-over", is_flag=True, help=t("Auditor: remove the audit key's private half from here")
)
@click.argument("folder", type=click.Path(path_type=Path))
@pass_app
def export(app: App, role: str, folder: Path, hand_over: bool) -> None:
    """Asks for the new folder's own passphrase."""
    passphrase = passphrases.choose(folder, passphrases.EXPORT_VARIABLE)
    made = export_service.export(app.site, role, folder, passphrase, hand_over)
    app.show(
        made,
        pairs([
            (t("role"), name_of("role", made.role)), (t("folder"), made.folder),
            (t("peer id"), made.peer_id),
            (t("private keys"), ", ".join(made.keys)),
            (t("controllers"), ", ".join(made.devices) or "-"),
        ]),
        *[t("Handed over: the private half of the {key} key is in {folder} alone now. Keep a copy"
            " of that folder: without it nobody can check the auditor's tags",
            key=t(key), folder=made.folder) for key in made.handed_over],
    )  # fmt: skip


for command in (
    site_trust.rotate, site_trust.sign_trust, site_trust.revoke, site_trust.new_epoch,
    site_firmware.firmware, site_firmware.firmware_endorse,
    site_backup.backup, site_backup.restore,
):  # fmt: skip
    site.add_command(command)


def _moment(time_s: int | None) -> str:
    return t("none") if time_s is None else date_forms.shown(local_text(time_s))


def _show(app: App, seen: SiteView) -> None:
    peers = [
        (p.id, name_of("role", p.role), p.label, date_forms.in_column(local_text(p.issued_at_s)),
         t("revoked") if p.revoked else t("this folder's own") if p.own else "")
        for p in seen.peers
    ]  # fmt: skip
    columns = [t("peer id"), t("role"), t("name"), t("since"), ""]
    older = [name for name, count in seen.trusted_keys.items() if count > 1]
    app.show(
        seen,
        pairs([
            (t("site"), seen.name), (t("id"), seen.id), (t("role"), name_of("role", seen.role)),
            (t("operator"), seen.operator), (t("epoch"), seen.epoch),
            (t("trust version"), seen.trust_version),
            (t("root keys needed"), seen.root),
            (t("old keys still trusted"),
             ", ".join(name_of("key", name) for name in older) or t("none")),
            (t("acts as"), ", ".join(name_of("role", peer) for peer in seen.acts_as)),
            (t("private keys"), ", ".join(seen.keys)),
            (t("controllers"), t("{n}, {enrolled} enrolled",
                                 n=seen.controllers, enrolled=seen.enrolled)),
            (t("cards issued"), seen.cards_issued),
            (t("operators' log whole"), yes_no(seen.audit_ok)),
            *([(t("registry"), seen.registry)] if seen.registry else []),
            (t("last backup"), _moment(seen.last_backup_s)),
            *([(t("restored from a backup of"), _moment(seen.restored_from_s))]
              if seen.restored_from_s is not None else []),
        ]),
        *([table(columns, peers)] if peers else []),
    )  # fmt: skip
