"""`controller-tool site policy`: how long lists count, and which time is local (host)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from controller_tool import date_forms
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app
from controller_tool.cli.profile import dry_run_option, finish
from controller_tool.messages import t
from controller_tool.services import site_policy as service

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.services.site_policy import Policy


@click.command("policy", cls=ToolCommand, help=t("Show or set how long lists count."))
@click.option(
    "--refresh-by",
    "refresh_by_h",
    type=int,
    metavar="HOURS",
    help=t("A list is stale after so many hours"),
)
@click.option(
    "--stale",
    type=click.Choice(list(service.POLICIES)),
    help=t("What a stale list still opens: nothing, or all during the grace"),
)
@click.option(
    "--grace",
    "grace_h",
    type=int,
    metavar="HOURS",
    help=t("Powered hours that a stale list still counts"),
)
@click.option("--time-zone", metavar="NAME", help=t("Local time, such as Asia/Shanghai"))
@click.option(
    "--strict",
    is_flag=True,
    help=t("For houses under strict supervision: 12 hours, and 12 of grace"),
)
@dry_run_option
@pass_app
def policy(app: App, /, strict: bool, dry_run: bool, **asked: Any) -> None:
    """Without options, shows it; what --strict sets, other options override."""
    wish = service.Wish(**{name: value for name, value in asked.items() if value is not None})
    if strict:
        said = {k: v for k, v in dataclasses.asdict(wish).items() if v is not None}
        wish = dataclasses.replace(service.STRICT, **said)
    if asked["grace_h"] and asked["stale"] == "deny":
        raise click.UsageError(t("--stale deny leaves no --grace"))
    if wish == service.Wish():
        seen = service.show(app.site)
        app.show(seen, _pairs(seen))
        return
    made = service.change(app.site, wish, dry_run)
    finish(app, made, t("The policy of the site"), dry_run, _pairs(made))


def _pairs(seen: Policy) -> Table:
    grace = t("granted for {hours:g} powered hours more", hours=seen.grace_h)
    rows = [
        (t("a list is stale after"), t("{hours} h", hours=seen.refresh_by_h)),
        (t("cards then"), t("denied at once") if seen.stale == "deny" else grace),
        (t("time zone"), seen.time_zone),
    ]
    if seen.offsets_until is not None:
        rows.append((t("changes of the clock known until"), date_forms.shown(seen.offsets_until)))
    return pairs(rows)
