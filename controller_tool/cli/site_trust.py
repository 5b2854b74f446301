"""`controller-tool site rotate|revoke|new-epoch|sign-trust`: which keys and peers count (host)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, yes_no
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import trust_change, trust_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from controller_tool.services.site import Site
    from controller_tool.services.trust_change import Outcome
    from controller_tool.services.trust_plan import Plan

_FILE = click.Path(dir_okay=False, path_type=Path)
_dry_run = click.option("--dry-run", is_flag=True, help=t("Only say what would be done"))
_yes = click.option("--yes", is_flag=True, help=t("Do it without asking"))
_draft = click.option(
    "--draft", type=_FILE, metavar="FILE", help=t("Write a draft that other root keys sign")
)

_ROTATE = t("Replace the keys of a role: whitelist, ticket, checkpoint, firmware or root.")


def _rotate_help() -> str:
    return "\n\n".join((
        _ROTATE,
        t("A new key signs from now on, the old one stays trusted until --retire; push after each"
          " of the two. Export the folders of the role again before you retire its old key: the"
          " old one in them is then worth nothing. A stolen key: do both at once."),
        t("New root keys replace the old ones at once. Root keys on several machines: write a"
          " draft with --draft FILE, carry it to each with site sign-trust FILE, bring it back and"
          " take it in with --apply FILE. --apply takes the office's newer trust object into an"
          " exported folder, too."),
    ))  # fmt: skip


@click.command("rotate", cls=ToolCommand, help=_rotate_help(), short_help=_ROTATE)
@click.argument("role", required=False, type=click.Choice(sorted(trust_plan.ROLES)))
@click.option("--retire", is_flag=True, help=t("Trust only the key that signs now"))
@click.option("--keys", type=int, default=1, show_default=True, help=t("How many root keys"))
@click.option(
    "--threshold", type=int, default=1, show_default=True, help=t("How many of them must sign")
)
@click.option("--force", is_flag=True, help=t("Even if a controller must be provisioned anew"))
@_draft
@click.option(
    "--apply", "apply_", type=_FILE, metavar="FILE", help=t("Put a signed draft into force here")
)
@_dry_run
@_yes
@pass_app
def rotate(
    app: App, /, role: str | None, apply_: Path | None, dry_run: bool, yes: bool, **asked: Any
) -> None:
    """Plans, shows, asks, carries out."""
    if (role is None) == (apply_ is None):
        raise click.UsageError(t("Give a role, or --apply FILE"))
    site = app.site
    if apply_ is not None:
        file = apply_
        _settle(
            app, trust_change.look(site, file), lambda: trust_change.apply_file(site, file),
            dry_run, yes,
        )  # fmt: skip
    else:
        draft = asked.pop("draft")
        _carry_out(app, _rotation(site, str(role), **asked), draft, dry_run, yes)


def _rotation(site: Site, role: str, retire: bool, keys: int, threshold: int, force: bool) -> Plan:
    if role != "root":
        return trust_plan.retire(site, role) if retire else trust_plan.rotate(site, role, force)
    if retire:
        raise click.UsageError(t("Old root keys end at once: there is nothing to retire"))
    return trust_plan.rotate_root(site, keys, threshold)


@click.command("sign-trust", cls=ToolCommand, help=t("Sign a draft with this folder's root key."))
@click.argument("file", type=_FILE)
@_dry_run
@_yes
@pass_app
def sign_trust(app: App, file: Path, dry_run: bool, yes: bool) -> None:
    """Shows what would be signed before it asks."""
    site = app.site
    _settle(
        app, trust_change.look(site, file), lambda: trust_change.sign_file(site, file),
        dry_run, yes,
    )  # fmt: skip


_REVOKE = t("Shut a peer out of every controller; PEER is its id, label or role.")


@click.command(
    "revoke", cls=ToolCommand, short_help=_REVOKE,
    help=_REVOKE + "\n\n" + t(
        "For a folder that was lost or stolen. Push afterwards: a controller shuts it out once it"
        " knows. Replace the keys that lay in the folder, too: site rotate."
    ),
)  # fmt: skip
@click.argument("peer")
@_draft
@_dry_run
@_yes
@pass_app
def revoke(app: App, peer: str, draft: Path | None, dry_run: bool, yes: bool) -> None:
    """For good: a peer that comes back gets a new folder."""
    _carry_out(app, trust_plan.revoke(app.site, peer), draft, dry_run, yes)


_EPOCH = t("Have every controller forget how far list numbers and dates had come.")


@click.command(
    "new-epoch", cls=ToolCommand, short_help=_EPOCH,
    help=_EPOCH + "\n\n" + t(
        "Only for a registry that is lost, or list numbers that somebody has driven up: lists of"
        " the old epoch are refused from then on, whoever signed them, and a card that only the"
        " lost registry had ended opens again where this one grants it. The list in force stays"
        " until the next push. Exported folders need the new trust object: export them again."
    ),
)  # fmt: skip
@click.option("--name", help=t("Name of the site, instead of typing it"))
@_draft
@_dry_run
@_yes
@pass_app
def new_epoch(app: App, name: str | None, draft: Path | None, dry_run: bool, yes: bool) -> None:
    """Asks twice: for the name of the site, and whether to go on."""
    plan = trust_plan.new_epoch(app.site)
    if not dry_run:
        typed = name or click.prompt(t("Type the name of the site"), err=True)
        if typed != app.site.name:
            raise OperatorError(t("That is not the name of this site"), t("Nothing was changed"))
    _carry_out(app, plan, draft, dry_run, yes)


def _carry_out(app: App, plan: Plan, draft: Path | None, dry_run: bool, yes: bool) -> None:
    site = app.site
    _settle(
        app, trust_change.outcome(site, plan), lambda: trust_change.carry_out(site, plan, draft),
        dry_run, yes,
    )  # fmt: skip


def _settle(app: App, would: Outcome, do: Callable[[], Outcome], dry_run: bool, yes: bool) -> None:
    """Show what would be done; do it unless it is a dry run or the person says no."""
    if dry_run:
        app.show(would, _table(would), t("{what}; nothing was changed", what=t("Dry run")))
        return
    if not yes:
        app.console(stderr=True).print(_table(would))
        click.confirm(t("Go on?"), abort=True, err=True)
    done = do()
    app.show(done, _table(done), _next_step(done))


def _next_step(done: Outcome) -> str:
    if done.in_force:
        return t("Trust object {version} is in force here; tell the controllers with: push",
                 version=done.version)  # fmt: skip
    if done.missing_old or done.missing_new:
        return t("Carry {file} to the other root keys: site sign-trust FILE", file=done.draft)
    return t("Signed by enough root keys; put it into force with: site rotate --apply {file}",
             file=done.draft)  # fmt: skip


def _table(done: Outcome) -> Table:
    keys = [
        *((t("new key"), role, kid) for role, kids in done.new_keys.items() for kid in kids),
        *((t("key that ends"), role, kid) for role, kids in done.old_keys.items() for kid in kids),
    ]
    return pairs([
        (t("trust version"), done.version), (t("epoch"), done.epoch),
        *((what, f"{name_of('key', role)} {kid}") for what, role, kid in keys),
        *((t("revoked"), peer) for peer in done.revoked),
        (t("signatures wanting"), f"{done.missing_old}, {done.missing_new}"),
        (t("in force"), yes_no(done.in_force)),
    ])  # fmt: skip
