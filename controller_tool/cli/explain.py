"""`controller-tool card explain`: why a card opens, or does not (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from controller_tool import date_forms
from controller_tool.cli import moments
from controller_tool.cli.common import App, ToolCommand, pairs, pass_app, table
from controller_tool.cli.profile import points_text, quota_text
from controller_tool.cli.ways import way, way_options
from controller_tool.errors import OperatorError
from controller_tool.messages import name_of, t
from controller_tool.services import boards, cards, site_time, windows
from controller_tool.services import explain as service

if TYPE_CHECKING:
    from rich.table import Table

    from controller_tool.services.explain import Explanation, Verdict
    from controller_tool.services.explain_hours import Hours
    from controller_tool.services.site_time import SiteTime


@click.command("explain", cls=ToolCommand,
               help=t("Why a card opens, or does not: the controllers' own rules."))  # fmt: skip
@click.argument("number")
@click.argument("device", required=False)
@click.option(
    "--point", type=click.IntRange(1, 255), default=1, help=t("Which door or port, from 1")
)
@click.option("--at", metavar="TIME", help=t("At another time than now"))
@click.option("--live", is_flag=True, help=t("Ask the controller which list and clock it has"))
@way_options
@pass_app
def explain(
    app: App,
    /,
    number: str,
    device: str | None,
    point: int,
    at: str | None,
    live: bool,
    **reached: str | None,
) -> None:
    """Every fact for one controller; one line each for several."""
    if live and (device is None or at is not None):
        raise click.UsageError(t("--live asks one DEVICE, about now"))
    local = site_time.of(app.site)
    if live and device is not None:
        found = [service.live(app.site, number, device, point - 1, way(**reached), app.note)]
    else:
        at_s = None if at is None else moments.minute(local, at) * 60
        found = service.explain(app.site, number, device, point - 1, at_s)
    holder = [_holder(found[0].card)] if found[0].card else []
    shown = _facts(local, found[0]) if len(found) == 1 else _table(found)
    app.show(found, *holder, shown, *_charging_asks_more(app, found))
    if device is not None:
        _mind_the_point(app, device, point)
    if found[0].card is None:
        credential = cards.read_credential(app.site, number)
        app.complain(t("No card {card} was ever issued here", card=credential.masked()),
                     t("See the cards with: card list"))  # fmt: skip
        click.get_current_context().exit(1)


def _charging_asks_more(app: App, found: list[Explanation]) -> list[str]:
    """A charger asks more than who may: the answer alone would promise too much."""
    piles = [e.device for e in found if app.site.device(e.device).kind == "charger"]
    if not piles:
        return []
    return [
        t("At a charger this is the card's right alone: limits of the day, free ports and latches"
          " are not looked at. How its ports are: device ports {device}", device=piles[0])
    ]  # fmt: skip


def _mind_the_point(app: App, device: str, point: int) -> None:
    """A profile may name doors that a controller does not have; the answer alone would mislead."""
    try:
        points = boards.show(app.site.device(device).board).points
    except OperatorError:  # a board that this copy of the tool has no folder of
        return
    if point > points:
        app.complain(
            t("{device} has no door or port {point}", device=device, point=point),
            t("It counts from 1 to {points}", points=points),
        )


def _holder(card: cards.CardStatus) -> Table:
    return pairs([
        (t("card"), card.ref), (t("number"), card.credential),
        (t("holder"), f"{card.holder} {card.room}".strip()), (t("state"), card.word),
    ])  # fmt: skip


def _table(found: list[Explanation]) -> Table:
    rows = [(e.device, e.version, _verdict(e.now), _verdict(e.after_push)) for e in found]
    return table([t("controller"), t("list"), t("decides now"), t("after the next push")], rows)


def _facts(local: SiteTime, e: Explanation) -> Table:
    """What decided, and all that it decided by."""
    when = t("{device}, door or port {point}, {time}",
             device=e.device, point=e.point + 1,
             time=date_forms.shown(local.text(e.time_s)))  # fmt: skip
    rows = [
        (t("asked"), when),
        (t("decides"), f"{_verdict(e.now)}: {_words()[e.now.reason]}"),
        (t("profile"), _profile(e)),
        (t("schedule"), _schedule(e)),
        (t("valid"), _dates(local, e)),
        (t("list"), _list(local, e)),
        (t("clock"), _clock(e)),
    ]
    if e.after_push != e.now:
        rows.append((t("after the next push"),
                     f"{_verdict(e.after_push)}: {_words()[e.after_push.reason]}"))  # fmt: skip
    return pairs((name, value) for name, value in rows if value)


def _verdict(verdict: Verdict) -> str:
    word = t("granted") if verdict.granted else t("denied")
    return f"{word} ({name_of('reason', verdict.reason)})"


def _profile(e: Explanation) -> str:
    if e.profile is None:
        return ""
    name = t("{name}: doors or ports {points}",
             name=e.profile.name, points=points_text(e.profile.points))  # fmt: skip
    kinds = ((e.emergency, t("emergency card")), (e.master, t("master card")))
    flags = [name_of("flag", flag) for flag in e.profile.flags]
    facts = [name, *(kind for is_one, kind in kinds if is_one), *flags, quota_text(e.profile)]
    return ", ".join(fact for fact in facts if fact)


def _schedule(e: Explanation) -> str:
    if e.profile is None:
        return ""
    if e.profile.schedule is None or e.hours is None:
        return t("always")
    line = f"{e.profile.schedule}: {_hours(e.hours)}"
    return f"{line}; {t('that day is a holiday')}" if e.hours.holiday else line


def _hours(hours: Hours) -> str:
    if hours.mask is None:
        return t("no window in a year")
    window = windows.text(hours.mask, local=True)
    edge = date_forms.shown(hours.edge or "")
    if not hours.inside:
        return t("outside; the next is {window}, from {edge}", window=window, edge=edge)
    if not edge:
        return t("inside {window}", window=window)
    return t("inside {window}, until {edge}", window=window, edge=edge)


def _dates(local: SiteTime, e: Explanation) -> str:
    if e.from_min is None or e.until_min is None:
        return ""
    begin, end = moments.told(local, e.from_min), moments.last(local, e.until_min)
    return t("from {begin} until {end}", begin=begin, end=end)


def _list(local: SiteTime, e: Explanation) -> str:
    if e.refresh_by_s is None:
        return t("none in force")
    proof = (
        t("held now, as the controller says")
        if e.live
        else t("receipt of {time}", time=date_forms.shown(local.text(e.receipted_at_s or 0)))
    )
    until = date_forms.shown(local.text(e.refresh_by_s))
    age = {
        "fresh": t("fresh until {time}", time=until),
        "grace": t("stale since {time}, at least {hours} h {minutes} min of grace left",
                   time=until, hours=e.grace_left_min // 60, minutes=e.grace_left_min % 60),
        "stale": t("stale since {time}, no grace is certain to be left", time=until),
    }[e.freshness or "stale"]  # fmt: skip
    if e.freshness != "fresh" and e.clock == "unset":
        age = t("stale while the clock is lost, at least {hours} h {minutes} min of grace left",
                hours=e.grace_left_min // 60, minutes=e.grace_left_min % 60)  # fmt: skip
    return f"{t('version {version}', version=e.version)}, {proof}; {age}"


def _clock(e: Explanation) -> str:
    name = name_of("clock", e.clock)
    if e.live:
        return t("{quality}, as the controller says; no lockdown assumed", quality=name)
    return t("{quality} and no lockdown, both assumed; --live asks the controller", quality=name)


def _words() -> dict[str, Any]:
    """What each reason means, for those who do not know the journal's names."""
    return {
        "card": t("it is listed, valid, and for this door and hour"),
        "emergency_card": t("an emergency card opens always"),
        "unknown_card": t("the controller's list does not have it"),
        "revoked": t("it was handed in or lost"),
        "not_yet_valid": t("its first day has not come"),
        "expired": t("its last day is over"),
        "not_for_this_point": t("its profile does not name this door or port"),
        "outside_schedule": t("the hours of its profile do not cover this time"),
        "list_stale": t("the list is too old and the grace is used up: push"),
        "clock_unset": t("the controller has lost the time: device time"),
        "no_list": t("no list is proven to lie there: push"),
        "profile_unknown": t("its profile is not in the list: push"),
        "lockdown": t("the controller is locked down"),
        "fire_latched": t("a fire is latched"),
        "duress": t("it opens, and alarms silently"),
        "first_card": t("it opens, and the normally open hours begin with it"),
        "passback_soft": t("it opens, though it was on this side already"),
        "escort_missing": t("it opens within some seconds after a card of an escort"),
        "pin_missing": t("it opens together with a PIN: explain CARD+DIGITS"),
        "pin_wrong": t("the controller's list does not have this PIN"),
        "normally_closed": t("the door is normally closed, and its profile may not open it then"),
        "first_card_missing": t("the first card of these hours has not come"),
        "interlock": t("another door of the controller is open"),
        "anti_passback": t("it was on this side already"),
        "locked_out": t("too many wrong attempts: the door waits"),
    }
