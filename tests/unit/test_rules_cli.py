"""Profiles, schedules, holidays, policy and other terms as a person types them (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli, clock
from controller_tool.keys import passphrase
from tests.unit.registry_support import PASSPHRASE

pytestmark = pytest.mark.usefixtures("at_the_desk")
CARD = "0012345678"


@pytest.fixture
def run(site, capsys):
    """Carries out a command on the test's site; returns exit code, output, error lines."""

    def run_(*words: str):
        code = cli.run([*words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, [" ".join(line.split()) for line in said.out.splitlines()], said.err

    return run_


def data(run, *words: str):
    code, out, err = run(*words, "--json")
    assert code == 0, err
    return json.loads("\n".join(out))


def test_a_cleaner_from_schedule_to_card(run, board) -> None:
    run("schedule", "add", "mornings", "Mon-Fri 08:00-11:30")
    run("profile", "add", "cleaner", "--points", "1", "--schedule", "mornings", "--unlock", "3")
    assert run("profile", "list")[1] == [
        "id name doors or ports schedule unlocked for charging limits flags cards",
        "1 resident all always the door's own - - 0",
        "2 cleaner 1 mornings 3 s - - 0",
    ]
    until = clock.local_text(clock.now_s() + 30 * 86400)[:10]
    words = ("card", "issue", CARD, "--name", "张姐", "--until", until, "--profile", "cleaner")
    master = (*words, "--master", "--device", "door-1")
    assert run(*words, "--master")[2].startswith("A master card names its controllers")
    assert data(run, *master, "--dry-run")["dry_run"] is True
    assert data(run, "card", "list") == [], "a dry run issues nothing"
    assert data(run, *master)["devices"] == ["door-1"]
    assert data(run, "profile", "list")[1]["cards"] == 1
    assert board.update().payload[14:16] == bytes((2, 4))
    code, _, err = run("profile", "remove", "cleaner")
    assert (code, len(err.splitlines())) == (1, 2)


def test_limits_of_charging_are_one_column(run) -> None:
    limits = ("--quota-wh", "500", "--quota-min", "90", "--day-wh", "1200", "--day-min", "240")
    made = data(run, "profile", "add", "visitor", *limits)["result"]
    assert [made[n] for n in ("quota_wh", "quota_min", "day_wh", "day_min")] == [500, 90, 1200, 240]
    assert "500 Wh, 90 min; 1200 Wh, 240 min a day" in run("profile", "list")[1][2]
    run("profile", "change", "visitor", "--quota-wh", "0", "--quota-min", "0", "--day-min", "0")
    assert "always the door's own 1200 Wh a day - 0" in run("profile", "list")[1][2]


def test_what_a_change_says(run) -> None:
    assert run("schedule", "add", "work", "Mon-Fri", "06:00-22:00", "--dry-run") == (
        0,
        ["id name windows profiles", "1 work Mon-Fri 06:00-22:00 -",
         "Schedule work; nothing was changed"],
        "It names no holidays: on those nobody comes in by it\n",
    )  # fmt: skip
    assert run("schedule", "add", "work", "周一至周五 06:00-22:00", "节假日 9:00-12:00", "--lang",
               "zh")[1] == [
        "编号 名称 钟点 权限组", "1 work 周一至周五 06:00-22:00; 节假日 09:00-12:00 -",
        "时段 work；下次 push 后在各控制器生效",
    ]  # fmt: skip
    assert data(run, "schedule", "list")[0]["windows"] == [
        "Mon-Fri 06:00-22:00", "holiday 09:00-12:00",
    ]  # fmt: skip


def test_wrong_windows_are_named_in_chinese_too(run) -> None:
    code, out, err = run("schedule", "add", "work", "周八 06:00-22:00", "--lang", "zh")
    assert (code, out, err.splitlines()[0]) == (
        1, [], "1 个时段有误：周八 06:00-22:00 (没有这样的日子：周八)"
    )  # fmt: skip


def test_holidays_of_a_file(run, tmp_path) -> None:
    path = tmp_path / "2030.txt"
    path.write_text("2030-10-01 国庆\n2030-10-02 国庆\n", encoding="utf-8")
    assert data(run, "holiday", "import", str(path), "--dry-run")["result"]["days"] == 2
    assert run("holiday", "list")[1] == ["first day last day days note"]
    run("holiday", "import", str(path))
    assert run("holiday", "list")[1][1:] == ["2030-10-01 2030-10-02 2 国庆"]
    assert run("holiday", "remove")[0] == 2
    assert run("holiday", "remove", "2030-10-01..2030-10-02")[0] == 0


def test_the_policy_of_a_site(run) -> None:
    assert run("site", "policy")[1] == [
        "a list is stale after 72 h",
        "cards then granted for 72 powered hours more",
        "time zone Asia/Shanghai",
    ]
    made = data(run, "site", "policy", "--strict", "--stale", "deny")["result"]
    assert (made["refresh_by_h"], made["stale"]) == (12, "deny")
    assert "cards then denied at once" in run("site", "policy")[1]
    assert run("site", "policy", "--stale", "deny", "--grace", "3")[0] == 2
    code, _, err = run("site", "policy", "--time-zone", "Mars/Base")
    assert (code, err.splitlines()[0]) == (1, "There is no time zone Mars/Base")


def test_dates_are_read_and_shown_in_the_time_of_the_site(run) -> None:
    run("site", "policy", "--time-zone", "Europe/Berlin")
    issued = data(run, "card", "issue", CARD, "--name", "x", "--until", "2030-03-31")
    assert issued["until_min"] * 60 == clock.parse_local("2030-03-31T22:00+00:00")
    assert run("card", "list")[1][1].split()[-2:] == ["2030-03-31", "issued"]  # the last day
    run("card", "issue", "0012345679", "--name", "y", "--until", "2030-03-31T18:00")
    assert run("card", "list")[1][2].split()[-3:] == ["2030-03-31", "18:00", "issued"]


@pytest.mark.usefixtures("board")
def test_an_extension_is_asked_for_and_said(run) -> None:
    run("card", "issue", CARD, "--name", "张伟", "--until", "2030-03-31")
    assert run("card", "change", CARD)[0] == 2
    code, [line], _ = run("card", "change", CARD, "--until", "2030-06-30", "--dry-run")
    assert code == 0
    assert line == (
        "Card K000001 goes on as K000002, profile resident, until 2030-06-30; nothing was changed"
    )
    changed = data(run, "card", "change", CARD, "--until", "2030-06-30")
    assert (changed["ref"], changed["pending"]) == ("K000002", ["door-1"])
    assert data(run, "card", "list", "--state", "replaced")[0]["ref"] == "K000001"


@pytest.mark.parametrize("words", [("profile", "list"), ("holiday", "list"), ("site", "policy")])
def test_a_role_without_cards_is_told_whose_folder_has_them(
    run, site, tmp_path, monkeypatch, words
) -> None:
    monkeypatch.setenv(passphrase.EXPORT_VARIABLE, PASSPHRASE)
    folder = tmp_path / "auditor"
    data(run, "site", "export", "--role", "auditor", str(folder))
    monkeypatch.setattr(site, "path", folder)
    code, _, err = run(*words)
    assert (code, err.splitlines()[1]) == (1, "  Use the desk's folder")
