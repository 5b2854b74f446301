"""`card explain` word for word: the decision, the rule, and what it was judged by (host)."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from controller_tool import cli, clock, credentials, messages
from controller_tool.cli import common
from controller_tool.client import DeviceTime
from controller_tool.keys import passphrase
from controller_tool.registry.records import ListVersion
from controller_tool.services import (
    card_grants,
    cards,
    explain,
    explain_rules,
    holidays,
    people,
    profiles,
    schedules,
)
from protocol.codes import CLOCK_SYNCED, CLOCK_UNSET, REASON_LOCKDOWN
from protocol.constants import EPOCH_2020_UNIX_S, FLAG_EMERGENCY, TIME_END_MIN
from tests.unit.registry_support import PASSPHRASE, Board

pytestmark = pytest.mark.usefixtures("door")

CARD = "0012345678"
NIGHT = "0012345679"
FIRE = "0012345680"
NOW_S = clock.parse_local("2030-06-05T12:00")  # a Wednesday


def minute(text: str) -> int:
    return clock.parse_local(text) // 60


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """The host's clock stands at NOW_S."""
    stopped = SimpleNamespace(time=lambda: NOW_S + EPOCH_2020_UNIX_S)
    monkeypatch.setattr(clock, "time", stopped)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    monkeypatch.delenv(common.OPERATOR_VARIABLE, raising=False)
    yield
    messages.set_language(None)


@pytest.fixture
def door(site) -> Board:
    """A door whose list holds a resident, a night worker of door 1, and an emergency card."""
    board = Board(site, "door-1")
    schedules.add(site, "night", ["Mon-Fri 22:00-06:00", "holiday 10:00-12:00"])
    profiles.add(site, "worker", profiles.Wish(points="1", schedule="night"))
    issue(site, CARD, "张伟")
    issue(site, NIGHT, "李娜", profile_id=2)
    issue(site, FIRE, "值班", flags=FLAG_EMERGENCY, until_min=TIME_END_MIN)
    board.update()
    return board


def issue(site, number: str, name: str, **terms) -> None:
    fields = {"from_min": minute("2030-06-01"), "until_min": minute("2030-07-01"), **terms}
    holder = people.Holder(name, room="A-101")
    cards.issue(site, credentials.parse(number), cards.Terms(**fields), holder)


@pytest.fixture
def said(site, capsys):
    """The lines of an explanation, each without blanks at its end."""

    def said_(*words: str) -> list[str]:
        cli.run(["card", "explain", *words, "--site", str(site.path)])
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return said_


@contextmanager
def answering(monkeypatch, board: Board, **state):
    """The controller answers `get_state` and `get_time`: in step with its list, unless told."""
    newest = board.site.device("door-1").list_version_receipted
    with board.site.registry.session() as session:
        held = session.get_one(ListVersion, (board.new.device.id, newest))
    told = {
        "epoch": 1, "version": held.version, "digest": held.result_digest,
        "clock_quality": CLOCK_SYNCED, "time_s": NOW_S, **state,
    }  # fmt: skip
    client = SimpleNamespace(
        state=lambda: SimpleNamespace(**told),
        time=lambda: DeviceTime(told["time_s"], 0, told["clock_quality"], held.signed_at_s),
    )

    @contextmanager
    def dial(*_, **__):
        yield client

    with monkeypatch.context() as patched:
        patched.setattr(explain, "dial", dial)
        yield


ASSUMED = "clock synced and no lockdown, both assumed; --live asks the controller"
FRESH = "list version 1, receipt of 2030-06-05 12:00; fresh until 2030-06-08 12:00"
RESIDENT = [
    "profile resident: doors or ports all", "schedule always",
    "valid from 2030-06-01 00:00 until 2030-06-30",
]  # fmt: skip
USED_UP = (
    "list version 1, receipt of 2030-06-05 12:00;"
    " stale since 2030-06-08 12:00, no grace is certain to be left"
)
LOST = (
    "list version 1, held now, as the controller says;"
    " stale while the clock is lost, at least 72 h 0 min of grace left"
)
OUTSIDE = "denied (outside_schedule): the hours of its profile do not cover this time"
TOO_OLD = "denied (list_stale): the list is too old and the grace is used up: push"
WORKER = "profile worker: doors or ports 1"
VALID = "valid from 2030-06-01 00:00 until 2030-06-30"


def test_valid(said) -> None:
    assert said(CARD, "door-1") == [
        "card K000001",
        "number em4100:…614e",
        "holder 张伟 A-101",
        "state issued",
        "asked door-1, door or port 1, 2030-06-05 12:00",
        "decides granted (card): it is listed, valid, and for this door and hour",
        *RESIDENT,
        FRESH,
        ASSUMED,
    ]


def test_valid_in_chinese(said) -> None:
    assert said(CARD, "door-1", "--lang", "zh")[4:] == [
        "所问 door-1，门或端口 1，2030年6月5日 12:00",
        "判定 放行 (卡有效): 在名单中、有效，且允许此门此时",
        "权限组 resident：门或端口 全部",
        "时段 始终",
        "有效期 自 2030年6月1日 00:00 至 2030年6月30日",
        "名单版本 版本 1, 回执 2030年6月5日 12:00; 有效至 2030年6月8日 12:00",
        "时钟 已同步、未封锁，均为假定；用 --live 询问控制器",
    ]


def test_revoked(said, site, door) -> None:
    cards.collect(site, CARD)
    assert said(CARD)[5:] == [
        "decides granted (card): it is listed, valid, and for this door and hour",
        *RESIDENT,
        FRESH,
        ASSUMED,
        "after the next push denied (revoked): it was handed in or lost",
    ]
    door.update()
    assert said(CARD)[5] == "decides denied (revoked): it was handed in or lost"
    assert said(CARD)[-1] == ASSUMED, "a push would change nothing"


@pytest.mark.parametrize(
    ("at", "decides"),
    [
        ("2030-05-31T23:59", "denied (not_yet_valid): its first day has not come"),
        ("2030-06-01", "granted (card): it is listed, valid, and for this door and hour"),
        ("2030-06-30T23:59", TOO_OLD),
    ],
)  # fmt: skip
def test_the_first_and_the_last_minute(said, at, decides) -> None:
    assert said(CARD, "door-1", "--at", at)[5] == f"decides {decides}"


def test_expired(said, site, door) -> None:
    issue(site, "0012345681", "过客", until_min=minute("2030-06-05T18:00"))
    door.update()
    assert said("0012345681", "--at", "2030-06-05T17:59")[5].startswith("decides granted")
    assert said("0012345681", "--at", "2030-06-05T18:00")[5:] == [
        "decides denied (expired): its last day is over",
        *RESIDENT[:2],
        "valid from 2030-06-01 00:00 until 2030-06-05 18:00",
        FRESH.replace("version 1", "version 2"),
        ASSUMED,
    ]


def test_outside_of_a_schedule_across_midnight(said) -> None:
    assert said(NIGHT)[5:10] == [
        f"decides {OUTSIDE}",
        WORKER,
        "schedule night: outside; the next is Mon-Fri 22:00-06:00, from 2030-06-05 22:00",
        VALID,
        FRESH,
    ]
    inside = said(NIGHT, "--at", "2030-06-06T05:59")
    assert inside[5] == "decides granted (card): it is listed, valid, and for this door and hour"
    assert inside[7] == "schedule night: inside Mon-Fri 22:00-06:00, until 2030-06-06 06:00"
    assert said(NIGHT, "--at", "2030-06-06T06:00")[5].startswith(
        "decides denied (outside_schedule)"
    )
    chinese = said(NIGHT, "--lang", "zh")
    outside = "时段 night: 不在时段内；下一个是 周一至周五 22:00-06:00，自 "
    assert chinese[7] == f"{outside}2030年6月5日 22:00"


def test_on_a_holiday(said, site, door) -> None:
    holidays.add(site, ["2030-06-06"], "端午")
    door.update()
    at_eleven = said(NIGHT, "--at", "2030-06-06T11:00")
    assert at_eleven[5].startswith("decides granted")
    assert at_eleven[7] == (
        "schedule night: inside holiday 10:00-12:00, until 2030-06-06 12:00; that day is a holiday"
    )
    evening = said(NIGHT, "--at", "2030-06-06T23:00")
    assert evening[5].startswith("decides denied (outside_schedule)"), "Thursday does not count"
    assert evening[7] == (
        "schedule night: outside; the next is Mon-Fri 22:00-06:00, from 2030-06-07 22:00;"
        " that day is a holiday"
    )


def test_a_wrong_door(said) -> None:
    wrong = said(NIGHT, "--point", "2", "--at", "2030-06-05T23:00")
    assert wrong[4] == "asked door-1, door or port 2, 2030-06-05 23:00"
    assert wrong[5] == (
        "decides denied (not_for_this_point): its profile does not name this door or port"
    )
    assert wrong[6] == WORKER


def test_a_door_that_the_controller_does_not_have_is_named(site, capsys) -> None:
    for point, told in (
        ("1", ""),
        ("9", "door-1 has no door or port 9\n  It counts from 1 to 1\n"),
    ):
        assert cli.run(
            ["card", "explain", CARD, "door-1", "--point", point, "--site", str(site.path)]
        ) == 0  # fmt: skip
        assert capsys.readouterr().err == told


def test_stale_with_grace_and_without(said) -> None:
    in_grace = said(CARD, "--at", "2030-06-09T12:00")
    assert in_grace[5].startswith("decides granted (card)")
    assert in_grace[9] == (
        "list version 1, receipt of 2030-06-05 12:00;"
        " stale since 2030-06-08 12:00, at least 48 h 0 min of grace left"
    )
    assert said(CARD, "--at", "2030-06-11T12:00")[5:] == [
        f"decides {TOO_OLD}",
        *RESIDENT,
        USED_UP,
        ASSUMED,
        "after the next push granted (card): it is listed, valid, and for this door and hour",
    ]


def test_an_emergency_card(said) -> None:
    assert said(FIRE, "--at", "2030-08-01")[5:10] == [
        "decides granted (emergency_card): an emergency card opens always",
        "profile resident: doors or ports all, emergency card",
        "schedule always",
        "valid from 2030-06-01 00:00 until no end",
        USED_UP,
    ]


def test_an_unknown_card(said) -> None:
    assert said("0099999999") == [
        "asked door-1, door or port 1, 2030-06-05 12:00",
        "decides denied (unknown_card): the controller's list does not have it",
        FRESH,
        ASSUMED,
    ]


def test_no_list(said, site) -> None:
    Board(site, "door-2")
    card_grants.grant_all(site, "door-2")
    assert said(CARD, "door-2")[5:] == [
        "decides denied (no_list): no list is proven to lie there: push",
        *RESIDENT,
        "list none in force",
        ASSUMED,
        "after the next push granted (card): it is listed, valid, and for this door and hour",
    ]


LIVE = "clock synced, as the controller says; no lockdown assumed"


def test_live_in_step(said, door, monkeypatch) -> None:
    with answering(monkeypatch, door):
        assert said(CARD, "door-1", "--live")[5:] == [
            "decides granted (card): it is listed, valid, and for this door and hour",
            *RESIDENT,
            "list version 1, held now, as the controller says; fresh until 2030-06-08 12:00",
            LIVE,
        ]


def test_live_with_a_lost_clock(said, door, monkeypatch) -> None:
    with answering(monkeypatch, door, clock_quality=CLOCK_UNSET, time_s=77):
        lost = said(NIGHT, "door-1", "--live")
        assert lost[5:] == [
            "decides denied (clock_unset): the controller has lost the time: device time",
            WORKER,
            "schedule night: outside; the next is Mon-Fri 22:00-06:00, from 2030-06-05 22:00",
            VALID,
            LOST,
            "clock unset, as the controller says; no lockdown assumed",
            "after the next push " + OUTSIDE,
        ]
        assert said(CARD, "door-1", "--live")[5].startswith("decides granted (card)")
        assert said(FIRE, "door-1", "--live")[5].startswith("decides granted (emergency_card)")


def test_live_with_a_lost_clock_and_no_grace_nobody_but_emergency_comes_in(
    said, door, monkeypatch
) -> None:
    later = SimpleNamespace(time=lambda: NOW_S + EPOCH_2020_UNIX_S + 80 * 3600)
    monkeypatch.setattr(clock, "time", later)
    with answering(monkeypatch, door, clock_quality=CLOCK_UNSET, time_s=77):
        assert said(CARD, "door-1", "--live")[5] == (
            "decides denied (clock_unset): the controller has lost the time: device time"
        )
        assert said(FIRE, "door-1", "--live")[5].startswith("decides granted")


def test_live_goes_by_the_controllers_own_time(said, door, monkeypatch) -> None:
    with answering(monkeypatch, door, time_s=clock.parse_local("2030-06-05T22:30")):
        shown = said(NIGHT, "door-1", "--live")
    assert shown[4] == "asked door-1, door or port 1, 2030-06-05 22:30"
    assert shown[5].startswith("decides granted (card)")


def test_live_makes_no_guess_about_a_foreign_list(site, door, monkeypatch, capsys) -> None:
    with answering(monkeypatch, door, version=9, digest=bytes(32)):
        words = ["card", "explain", CARD, "door-1", "--live", "--site", str(site.path)]
        assert cli.run(words) == 1
    assert capsys.readouterr().err.startswith("door-1 holds a list that this registry did not sign")


def test_live_needs_a_controller_and_means_now(site, capsys) -> None:
    for words in ([CARD, "--live"], [CARD, "door-1", "--live", "--at", "2030-06-06"]):
        assert cli.run(["card", "explain", *words, "--site", str(site.path)]) == 2
        assert "--live asks one DEVICE" in capsys.readouterr().err


def test_in_json_names_stay_the_same_in_every_language(site, capsys) -> None:
    seen = []
    for language in ("en", "zh"):
        words = ["card", "explain", NIGHT, "--json", "--lang", language, "--site", str(site.path)]
        assert cli.run(words) == 0
        [told] = json.loads(capsys.readouterr().out)
        seen.append({key: told[key] for key in ("now", "profile", "hours", "clock", "freshness")})
    assert seen[0] == seen[1]
    assert seen[0]["now"] == {"granted": False, "reason": "outside_schedule"}
    assert seen[0]["hours"]["window"] == "Mon-Fri 22:00-06:00"


def test_negative_control_another_decision_is_another_explanation(said, monkeypatch) -> None:
    before = said(CARD)[5]
    monkeypatch.setattr(explain_rules, "decide", lambda *_: (False, REASON_LOCKDOWN))
    assert said(CARD)[5] != before, "what is shown comes from the decision code"


def reason(site, text: str, device: str = "door-1") -> str:
    return explain.explain(site, text, device)[0].after_push.reason


def test_flags_of_a_profile_are_explained_by_the_firmwares_own_code(site) -> None:
    for number, flag in enumerate(("needs-pin", "needs-escort", "duress", "first-card")):
        profiles.add(site, flag, profiles.Wish(flags=(flag,)))
        issue(site, f"000000000{number}", "王伟", profile_id=3 + number)
    issue(site, "0000000000+4711", "王伟", profile_id=3)
    reasons = [reason(site, f"000000000{number}") for number in range(4)]
    assert reasons == ["pin_missing", "escort_missing", "duress", "card"]
    assert reason(site, "0000000000+4711") == "card"
    assert reason(site, "0000000000+4712") == "pin_wrong"
    assert reason(site, "pin:4711") == "pin_wrong"


def test_at_a_charger_flags_of_a_profile_say_nothing(site) -> None:
    Board(site, "pile-1", board="virtual_charger")
    profiles.add(site, "needs-pin", profiles.Wish(flags=("needs-pin",)))
    issue(site, "0000000009", "王伟", profile_id=3)
    assert [reason(site, "0000000009", name) for name in ("pile-1", "door-1")] == [
        "card", "pin_missing",
    ]  # fmt: skip


def test_limits_of_charging_are_told_at_a_charger_alone(site, said) -> None:
    Board(site, "pile-1", board="virtual_charger").update()
    limits = profiles.Wish(quota_wh=500, quota_min=90, day_wh=1200, day_min=240)
    profiles.add(site, "visitor", limits)
    issue(site, "0000000009", "王伟", profile_id=3)
    pile, door = (said("0000000009", name) for name in ("pile-1", "door-1"))
    told = "500 Wh, 90 min; 1200 Wh, 240 min a day"
    assert f"profile visitor: doors or ports all, {told}" in pile
    assert "profile visitor: doors or ports all" in door


def test_at_a_charger_it_is_said_what_is_not_looked_at(site, said) -> None:
    Board(site, "pile-1", board="virtual_charger").update()
    issue(site, "0000000009", "王伟")
    more = "limits of the day, free ports and latches are not looked at"
    assert more in " ".join(said("0000000009", "pile-1"))
    assert more in " ".join(said("0000000009"))
    assert more not in " ".join(said("0000000009", "door-1"))
    assert "未查看每日额度、空闲端口和锁定" in " ".join(
        said("0000000009", "pile-1", "--lang", "zh")
    )
    assert more not in " ".join(said("0000000009", "pile-1", "--json", "--lang", "en"))


def test_a_person_reads_what_a_flag_asks(site, said) -> None:
    profiles.change(site, "resident", profiles.Wish(flags=("needs-pin", "escort")))
    lines = said(CARD, "door-1")
    assert "profile resident: doors or ports all" in lines, "the list in force knows no flag yet"
    assert (
        "after the next push denied (pin_missing): it opens together with a PIN:"
        " explain CARD+DIGITS" in lines
    )
