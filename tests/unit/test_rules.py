"""Profiles, schedules, holidays, policy: what the desk may write, what lists then say (host)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from controller_tool import clock, credentials
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Setting
from controller_tool.registry.records import AuditEntry
from controller_tool.services import (
    card_change,
    cards,
    holidays,
    journal_read,
    profiles,
    rules_room,
    schedules,
    site_policy,
    site_time,
    windows,
)
from controller_tool.services.journal_filter import Filter
from protocol import cards as layout
from protocol import cose, manifest
from protocol.calendar import local_minute
from protocol.constants import FLAG_EMERGENCY, FLAG_MASTER, RING_ACCESS
from tests.unit.test_journal import pull

CARD = "0012345678"
NOW_MIN = clock.now_s() // 60


def issue(site, number: str = CARD, **terms) -> cards.CardStatus:
    fields = {"from_min": NOW_MIN - 10, "until_min": NOW_MIN + 1440, **terms}
    return cards.issue(site, credentials.parse(number), cards.Terms(**fields), None)


def signed_rules(board) -> manifest.Manifest:
    return manifest.parse(bytes(cose.open_envelope(board.update().envelope).payload))


def acts(site) -> list[str]:
    with site.registry.session() as session:
        return [entry.act for entry in session.query(AuditEntry)]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Mon-Fri 06:00-22:00", (0x1F, 360, 1320)),
        ("Sat,Sun 08:00-02:00", (0x60, 480, 120)),
        ("daily 00:00-24:00", (0xFF, 0, 1440)),
        ("holiday 09:00-18:00", (0x80, 540, 1080)),
        ("Mon-Fri,holiday 6:00-00:00", (0x9F, 360, 1440)),
        ("Fri-Mon 20:00-06:00", (0x71, 1200, 360)),
        ("周一至周五 06:00-22:00", (0x1F, 360, 1320)),
        ("周一至周五06：00至22：00", (0x1F, 360, 1320)),
        ("周末 08:00-02:00", (0x60, 480, 120)),
        ("每天 00:00－24:00", (0xFF, 0, 1440)),
        ("节假日 09:00～18:00", (0x80, 540, 1080)),
        ("星期天、礼拜三 09:00-10:00", (0x44, 540, 600)),
        ("工作日 9:00—17:30", (0x1F, 540, 1050)),
    ],
)
def test_windows_as_people_write_them(text, window) -> None:
    assert windows.read([text]) == [window]
    assert windows.read([windows.text(window)]) == [window], "what is shown can be written"


def test_daily_leaves_holidays_to_who_gives_them_hours() -> None:
    both = windows.read(["daily 06:00-22:00", "holiday 09:00-18:00"])
    assert [windows.text(window) for window in both] == [
        "Mon-Sun 06:00-22:00", "holiday 09:00-18:00",
    ]  # fmt: skip
    assert windows.read([windows.text(window) for window in both]) == both


def test_a_shell_may_part_days_from_hours() -> None:
    assert windows.read(["Mon-Fri", "06:00-22:00", "Sat", "08:00-12:00"]) == [
        (0x1F, 360, 1320), (0x20, 480, 720),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "Mon", "06:00-22:00", "Mun 06:00-22:00", "Mon 24:00-06:00", "Mon 06:00-24:01",
     "Mon 06:60-07:00", "Mon 08:00-08:00", "Mon 00:00-00:00x", "周八 06:00-22:00", "- 06:00-22:00"],
)  # fmt: skip
def test_what_is_no_window_is_refused(text) -> None:
    with pytest.raises(OperatorError):
        windows.read([text])


def test_every_wrong_window_is_named(site) -> None:
    with pytest.raises(OperatorError) as refused:
        schedules.add(site, "work", ["Mun 06:00-22:00", "Mon 06:00-22:00", "Tue 25:00-26:00"])
    assert refused.value.what == (
        "2 wrong windows: Mun 06:00-22:00 (no such day: mun); Tue 25:00-26:00 (no such hour: 25:00)"
    )
    assert schedules.list_schedules(site) == []


def test_a_profile_and_its_schedule_reach_the_list(site, board) -> None:
    schedules.add(site, "work", ["Mon-Fri 06:00-22:00", "holiday 09:00-12:00"])
    wish = profiles.Wish(
        points="1,3-4", schedule="work", unlock_s=7.5, quota_wh=500, quota_min=90,
        day_wh=900, day_min=120,
    )  # fmt: skip
    made = profiles.add(site, "cleaner", wish)
    assert (made.id, made.points, made.schedule, made.cards) == (2, (1, 3, 4), "work", 0)
    m = signed_rules(board)
    assert m.profiles[1] == (2, 0b1101, 1, 75, 0, 500, 90, 900, 120)
    assert m.schedules == [[1, 0x1F, 360, 1320, 0x80, 540, 720]]
    assert acts(site)[-3:-1] == ["schedule.add", "profile.add"]


def test_a_dry_run_says_what_would_be_and_leaves_no_trace(site) -> None:
    before = acts(site)
    assert profiles.add(site, "night", profiles.Wish(), dry_run=True).id == 2
    schedules.add(site, "work", ["daily 06:00-22:00"], dry_run=True)
    holidays.add(site, ["2030-10-01"], dry_run=True)
    site_policy.change(site, site_policy.STRICT, dry_run=True)
    assert [p.name for p in profiles.list_profiles(site)] == ["resident"]
    assert (schedules.list_schedules(site), holidays.list_holidays(site)) == ([], [])
    assert site_policy.show(site).refresh_by_h == 72
    assert acts(site) == before


@pytest.mark.parametrize(
    "wish",
    [{"points": "0"}, {"points": "31"}, {"points": "2-1"}, {"points": ""}, {"points": "a"},
     {"schedule": "none"}, {"unlock_s": -1}, {"unlock_s": 3601}, {"unlock_s": float("nan")},
     {"quota_wh": 65536}, {"quota_min": -1}, {"day_wh": 65536}, {"day_min": -1}],
)  # fmt: skip
def test_what_no_controller_takes_is_refused_at_once(site, wish) -> None:
    with pytest.raises(OperatorError):
        profiles.add(site, "x", profiles.Wish(**wish))
    assert len(profiles.list_profiles(site)) == 1


def test_a_profile_that_cards_use_stays(site) -> None:
    profiles.add(site, "night", profiles.Wish())
    status = issue(site, profile_id=2)
    with pytest.raises(OperatorError, match="1 issued cards go by profile night"):
        profiles.remove(site, "night")
    cards.collect(site, status.ref)
    with pytest.raises(OperatorError, match="have ended went by profile night"):
        profiles.remove(site, "night")
    with pytest.raises(OperatorError, match="cards that name none"):
        profiles.remove(site, "resident")
    profiles.add(site, "unused", profiles.Wish())
    assert profiles.remove(site, "unused").id == 3


def test_a_schedule_that_profiles_use_stays(site) -> None:
    schedules.add(site, "work", ["daily 06:00-22:00"])
    profiles.add(site, "day", profiles.Wish(schedule="work"))
    with pytest.raises(OperatorError, match="Profiles go by schedule work: day"):
        schedules.remove(site, "work")
    profiles.change(site, "day", profiles.Wish(schedule="always"))
    assert schedules.remove(site, "work").name == "work"


def test_a_number_that_a_list_may_say_is_not_given_away(site, board) -> None:
    profiles.add(site, "old", profiles.Wish())
    board.update()
    profiles.remove(site, "old")
    assert profiles.add(site, "new", profiles.Wish()).id == 3, "door-1 may still know 2 as old"
    profiles.remove(site, "new")
    board.update()
    assert profiles.add(site, "newer", profiles.Wish()).id == 2, "proven: no list says 2 any more"


def test_rules_that_would_not_fit_are_refused_when_they_are_made(site, board) -> None:
    def fill() -> None:
        for number in range(100):
            schedules.add(site, f"s{number}", [f"{d} 06:00-22:00" for d in ("Mon", "Tue", "Wed")])

    with pytest.raises(OperatorError, match="more than a controller takes"):
        fill()
    kept = len(schedules.list_schedules(site))
    assert 10 < kept < 100
    assert len(signed_rules(board).schedules) == kept, "what was taken can be signed"


def test_the_measure_is_the_longest_that_a_head_can_be(site, board) -> None:
    with site.registry.session() as session:
        longest = manifest.encode(rules_room._longest(session))
    envelope = board.update().envelope
    assert len(bytes(cose.open_envelope(envelope).payload)) < len(longest)


def test_holidays_come_as_days_ranges_and_files(site, tmp_path, board) -> None:
    assert holidays.add(site, ["2030-10-01..2030-10-07"], "国庆").days == 7
    path = tmp_path / "days.txt"
    path.write_text("\ufeff# 2031\n2031-01-01 元旦\n\n2030-10-01,国庆\n", encoding="utf-8")
    done = holidays.import_file(site, path)
    assert (done.days, done.same, done.total) == (1, 1, 8)
    assert [(h.first, h.last, h.note) for h in holidays.list_holidays(site)] == [
        ("2030-10-01", "2030-10-07", "国庆"), ("2031-01-01", "2031-01-01", "元旦"),
    ]  # fmt: skip
    assert len(signed_rules(board).holidays) == 8
    assert holidays.remove(site, ["2030-10-02..2030-10-31"]).days == 6
    assert [h.first for h in holidays.list_holidays(site)] == ["2030-10-01", "2031-01-01"]


def test_past_holidays_go_at_one_word_and_today_stays(site) -> None:
    today = clock.local_text(clock.now_s())[:10]
    holidays.add(site, ["2020-01-01..2020-01-03", today])
    assert holidays.remove(site, [], past=True).days == 3
    assert [h.first for h in holidays.list_holidays(site)] == [today]


@pytest.mark.parametrize(
    "text", ["1.10.2030", "2030-02-30", "2019-12-31", "2052-01-01", "2030-10-07..2030-10-01", ""]
)
def test_a_wrong_date_is_named_and_nothing_is_added(site, text) -> None:
    with pytest.raises(OperatorError, match="1 wrong dates"):
        holidays.add(site, ["2030-10-01", text])
    assert holidays.list_holidays(site) == []


def test_a_file_names_its_wrong_lines(site, tmp_path) -> None:
    path = tmp_path / "days.txt"
    path.write_text("2030-10-01\nnever\n2030-13-01 x\n")
    with pytest.raises(OperatorError, match="2 wrong dates: line 2: never; line 3: 2030-13-01"):
        holidays.import_file(site, path)
    assert holidays.list_holidays(site) == []


def test_strict_supervision_is_twelve_and_twelve(site, board) -> None:
    made = site_policy.change(site, site_policy.STRICT)
    assert (made.refresh_by_h, made.stale, made.grace_h) == (12, "grace", 12)
    m = signed_rules(board)
    assert (m.refresh_by_s - m.issued_at_s, m.policy) == (12 * 3600, (1, 720))
    assert "site.policy" in acts(site)


@pytest.mark.parametrize(
    "wish", [{"refresh_by_h": 0}, {"grace_h": 721}, {"time_zone": "Mars/Base"}]
)
def test_an_impossible_policy_is_refused(site, wish) -> None:
    with pytest.raises(OperatorError):
        site_policy.change(site, site_policy.Wish(**wish))


def test_an_older_registry_has_a_policy_too(site) -> None:
    assert site_policy.show(site).time_zone == "Asia/Shanghai"
    with site.registry.session() as session:
        assert session.get(Setting, "time_zone") is None, "the case that is meant"


def test_a_zone_with_summer_time_becomes_offsets_to_the_second(site, board) -> None:
    from_s = clock.parse_local("2030-01-01T00:00+00:00")
    offsets = site_time.utc_offsets("Europe/Berlin", from_s)
    spring = clock.parse_local("2030-03-31T01:00+00:00")
    assert offsets[:4] == [0, 60, spring, 120]
    assert len(offsets) // 2 == 2 * site_time.ZONE_YEARS + 1
    assert local_minute(offsets, spring - 1) == (spring - 1) // 60 + 60
    site_policy.change(site, site_policy.Wish(time_zone="Europe/Berlin"))
    assert len(signed_rules(board).utc_offsets) > 30
    assert site_time.utc_offsets("Asia/Shanghai", from_s) == [0, 480]


def test_local_time_is_read_by_the_zone_of_the_site() -> None:
    berlin = site_time.SiteTime(site_time.utc_offsets("Europe/Berlin", 0))
    for text, utc in (
        ("2024-01-15T12:00", "2024-01-15T11:00+00:00"),
        ("2024-07-15T12:00", "2024-07-15T10:00+00:00"),
        ("2024-10-27T02:30", "2024-10-27T00:30+00:00"),  # occurs twice: the first
    ):
        assert berlin.parse(text) == clock.parse_local(utc)
        assert berlin.text(berlin.parse(text)) == text.replace("T", " ")
    midnight = clock.parse_local("2024-07-14T22:00+00:00") // 60
    assert berlin.midnight_min(date(2024, 7, 15)) == midnight, "as rosters name days"


def test_an_extension_is_a_new_grant_and_proven_like_one(site, board) -> None:
    old = issue(site)
    board.update()
    done = card_change.change(site, CARD, card_change.Wish(until_min=NOW_MIN + 9999))
    assert (done.before.ref, done.after.ref) == (old.ref, "K000002")
    assert done.after.pending == ("door-1",), "its receipt has to come"
    assert cards.card_status(site, "K000001").word == "pending 0/1"
    board.update()
    assert cards.card_status(site, "K000001").word == "replaced"
    assert cards.card_status(site, CARD).pending == ()
    with site.registry.session() as session:
        entry = session.query(AuditEntry).filter_by(act="card.change").one()
    told = json.loads(entry.details)
    assert (entry.operator, told["extended"], told["before"]) == ("王芳", True, "K000001")


def test_a_change_that_changes_nothing_or_comes_too_late_is_refused(site) -> None:
    status = issue(site)
    with pytest.raises(OperatorError, match="like that already"):
        card_change.change(site, CARD, card_change.Wish(until_min=status.until_min))
    card_change.change(site, CARD, card_change.Wish(until_min=NOW_MIN + 5), dry_run=True)
    assert cards.card_status(site, CARD) == status, "a dry run leaves no trace"
    cards.collect(site, CARD)
    with pytest.raises(OperatorError, match="has ended"):
        card_change.change(site, CARD, card_change.Wish(until_min=NOW_MIN + 5))


def test_a_master_card_is_bound_as_the_desk_rules_say(site, board) -> None:
    schedules.add(site, "day", ["daily 08:00-18:00"])
    profiles.add(site, "cleaner", profiles.Wish(schedule="day"))
    good: dict[str, Any] = {"flags": FLAG_MASTER, "devices": ("door-1",), "profile_id": 2}
    wrong: dict[str, Any]
    for wrong, said in (
        ({"devices": None}, "names its controllers"),
        ({"profile_id": 1}, "profile with a schedule"),
        ({"until_min": NOW_MIN + 91 * 1440}, "within 90 days"),
        (
            {"from_min": NOW_MIN + 62 * 1440, "until_min": NOW_MIN + 63 * 1440},
            "begins within 60 days",
        ),
        ({"flags": FLAG_MASTER | FLAG_EMERGENCY}, "either an emergency card or a master card"),
    ):
        with pytest.raises(OperatorError, match=said):
            issue(site, **{**good, **wrong})
    issue(site, **good)
    with pytest.raises(OperatorError, match="within 90 days"):
        card_change.change(site, CARD, card_change.Wish(until_min=NOW_MIN + 91 * 1440))
    assert board.update().count == 1


@pytest.mark.both_registries
def test_a_profile_of_master_cards_that_are_out_keeps_its_hours(site, board) -> None:
    assert board
    schedules.add(site, "day", ["daily 08:00-18:00"])
    schedules.add(site, "night", ["daily 20:00-23:00"])
    profiles.add(site, "cleaner", profiles.Wish(schedule="day"))
    issue(site, "0012345679", profile_id=2)
    issue(site, flags=FLAG_MASTER, devices=("door-1",), profile_id=2)
    with pytest.raises(OperatorError, match="keep its hours: K000002"):
        profiles.change(site, "cleaner", profiles.Wish(schedule="always"))
    assert profiles.change(site, "cleaner", profiles.Wish(schedule="night")).schedule == "night"
    cards.collect(site, CARD)
    assert profiles.change(site, "cleaner", profiles.Wish(schedule="always")).schedule is None


def test_each_use_of_a_master_card_is_flagged(site, board) -> None:
    schedules.add(site, "day", ["daily 08:00-18:00"])
    profiles.add(site, "cleaner", profiles.Wish(schedule="day"))
    issue(site, flags=FLAG_MASTER, devices=("door-1",), profile_id=2)
    issue(site, "0012345679")
    board.update()
    pen, card_key = board.pen(RING_ACCESS), site.secret(board.device, "card_key")
    for number in (CARD, "0012345679"):
        known = credentials.parse(number)
        pen.write(key=layout.card_key(card_key, known.type, known.data))
    pull(site, board, pen)
    told = list(journal_read.walk(site, Filter(devices=("door-1",), ring=RING_ACCESS)))
    assert [(e.card, e.flag) for e in told] == [("K000001", "master"), ("K000002", "")]
