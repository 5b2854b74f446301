"""`controller-tool profile`: which doors, when, how long, how much (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from controller_tool.cli.common import App, ToolGroup, pass_app, table
from controller_tool.messages import name_of, t
from controller_tool.services import profiles as service
from protocol.names import PROFILE_FLAG_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.services.explain import ProfileFacts
    from controller_tool.services.profiles import ProfileView

_Command = TypeVar("_Command", bound="Callable[..., Any]")
dry_run_option = click.option("--dry-run", is_flag=True, help=t("Check everything, change nothing"))


@click.group(cls=ToolGroup, help=t("Profiles: which doors or ports, when, for how long."))
def profile() -> None:
    """The group; its commands do the work."""


def _fields(command: _Command) -> _Command:
    """The options that say what a profile allows."""
    for option in (
        click.option("--flag", "flags", metavar="NAME", multiple=True, default=None,
                     help=t("What else holds at doors, again for more: {flags}; none: nothing",
                            flags=", ".join(PROFILE_FLAG_NAMES.values()))),
        click.option("--day-min", type=int, help=t("Minutes of charging a day; 0: no limit")),
        click.option("--day-wh", type=int, help=t("Watt hours of charging a day; 0: no limit")),
        click.option("--quota-min", type=int, help=t("Minutes of one session; 0: no limit")),
        click.option("--quota-wh", type=int, help=t("Watt hours of one session; 0: no limit")),
        click.option("--unlock", "unlock_s", type=float, metavar="SECONDS",
                     help=t("How long the door is unlocked; 0: the door's own time")),
        click.option("--schedule", metavar="NAME", help=t("When; always: at any time")),
        click.option("--points", metavar="1,2", help=t("Doors or ports, from 1; all: every one")),
    ):  # fmt: skip
        command = option(command)
    return command


@profile.command("list", help=t("All profiles."))
@pass_app
def list_(app: App) -> None:
    """One line a profile."""
    found = service.list_profiles(app.site)
    app.show(found, _table(found))


@profile.command("add", help=t("A new profile."))
@click.argument("name")
@_fields
@dry_run_option
@pass_app
def add(app: App, /, name: str, dry_run: bool, **asked: Any) -> None:
    """All doors at any time, unless options say otherwise."""
    _done(app, service.add(app.site, name, _wish(**asked), dry_run), dry_run)


@profile.command("change", help=t("Change a profile, for all cards that go by it."))
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help=t("A new name"))
@_fields
@dry_run_option
@pass_app
def change(app: App, /, name: str, new_name: str | None, dry_run: bool, **asked: Any) -> None:
    """Only what options say."""
    wish = _wish(name=new_name, **asked)
    if wish == service.Wish():
        raise click.UsageError(t("Say what to change"))
    _done(app, service.change(app.site, name, wish, dry_run), dry_run)


@profile.command("remove", help=t("Remove a profile that no card goes by."))
@click.argument("name")
@dry_run_option
@pass_app
def remove(app: App, name: str, dry_run: bool) -> None:
    """Refused while cards name it."""
    gone = service.remove(app.site, name, dry_run)
    finish(app, gone, t("Profile {name} is removed", name=gone.name), dry_run)


def finish(app: App, result: object, line: str, dry_run: bool, *shown: Any) -> None:
    """The end of every change of the rules: what came of it, and when it counts."""
    end = (
        t("{what}; nothing was changed", what=line)
        if dry_run
        else t("{what}; it counts at each controller after the next push", what=line)
    )
    app.show({"ok": True, "dry_run": dry_run, "result": result}, *shown, end)


def points_text(points: tuple[int, ...] | None) -> str:
    """Doors or ports for people."""
    return t("all") if points is None else ",".join(map(str, points))


def _wish(flags: tuple[str, ...], **asked: Any) -> service.Wish:
    return service.Wish(flags=flags or None, **asked)


def flags_text(flags: tuple[str, ...]) -> str:
    """Flags for people."""
    return ", ".join(name_of("flag", flag) for flag in flags)


def quota_text(limits: ProfileView | ProfileFacts) -> str:
    """Limits of charging for people; empty where there is none."""
    session = _amounts(limits.quota_wh, limits.quota_min)
    day = _amounts(limits.day_wh, limits.day_min)
    return "; ".join(part for part in (session, day and t("{amount} a day", amount=day)) if part)


def _amounts(wh: int, minutes: int) -> str:
    return ", ".join(
        text for n, text in ((wh, t("{n} Wh", n=wh)), (minutes, t("{n} min", n=minutes))) if n
    )


def _done(app: App, made: ProfileView, dry_run: bool) -> None:
    line = t("Profile {name}, number {id}, {n} cards", name=made.name, id=made.id, n=made.cards)
    finish(app, made, line, dry_run, _table([made]))


def _table(found: list[ProfileView]) -> Any:
    rows = [
        (p.id, p.name, points_text(p.points), p.schedule or t("always"),
         f"{p.unlock_s:g} s" if p.unlock_s else t("the door's own"),
         quota_text(p) or "-", flags_text(p.flags) or "-", p.cards)
        for p in found
    ]  # fmt: skip
    columns = [t("id"), t("name"), t("doors or ports"), t("schedule"), t("unlocked for"),
               t("charging limits"), t("flags"), t("cards")]  # fmt: skip
    return table(columns, rows)
