"""`kpi` as people use it: rates, gaps, ranking, files; and spot checks (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openpyxl
import pytest
from sqlalchemy import update

from controller_tool import cli
from controller_tool.cli import chart
from controller_tool.clock import now_s
from controller_tool.registry.models import Device, Operator, Person
from controller_tool.rules import words
from controller_tool.services import load_curve
from controller_tool.services.desk import rates, verify
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.rate_support import add_card, add_hazard, add_stay, add_visit
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(site, capsys, at_the_desk):
    """Carries out a command on the test's site; returns exit code, output, error lines."""
    del at_the_desk

    def run_(*words: str):
        code = cli.run([*words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


@pytest.fixture
def stay(site) -> str:
    """A house with a hazard, one who stays and one who left without being proven gone."""
    Board(site, "door-1")
    add_areas(site)
    house = add_house(site, people_surveyed=2)
    add_hazard(site, house, "Z0001", add_visit(site, house, now_s() - 9), now_s() - 1)
    gone, _ = add_stay(site, house, ended_s=now_s())
    add_card(site, gone, "collected", {"door-1": (4, 3)})
    return add_stay(site, house)[0]


@pytest.mark.usefixtures("stay")
def test_rates_are_told_in_both_languages(run) -> None:
    code, out, _ = run("kpi", "rates", "--by", "grid")
    assert code == 0
    assert "≤ 100 %" in out  # nobody counted the grid's houses
    assert "50.0 % (1/2)" in out
    out = run("kpi", "rates", "--by", "grid", "--lang", "zh")[1]
    assert "流动人口登记率" in out
    assert f"{GRID} 第一网格" in out


@pytest.mark.usefixtures("stay")
def test_rates_as_json_have_numbers_and_their_verdict(run) -> None:
    found = json.loads(run("kpi", "rates", "--house", "H00001", "--json")[1])
    assert found["whole"]["rates"]["people"] == {
        "numerator": 1, "denominator": 2, "uncounted": 0, "percent": "50.0 %", "reached": False,
    }  # fmt: skip
    assert found["whole"]["rates"]["breaches"]["percent"] == "n/a"
    assert found["gaps"]["hazards"] == 1


def test_gaps_name_what_is_missing_where_and_who_is_to_be_asked(run, stay) -> None:
    out = run("kpi", "gaps", "accuracy")[1]
    assert stay in out
    assert "never_verified" in out
    assert "101   李强" in out
    out = run("kpi", "gaps", "cards", "--lang", "zh")[1]
    assert "0/1" in out
    assert "101   李强" in out
    assert "door-1" in out
    assert "尚未全部回执" in out
    [gap] = json.loads(run("kpi", "gaps", "hazards", "--json")[1])["gaps"]
    assert (gap["subject"], gap["reason"], gap["house"]) == ("Z0001", "overdue", "H00001")
    assert gap["who"] == "陈建国"  # the landlord


@pytest.mark.usefixtures("stay")
def test_names_of_gaps_are_masked_for_who_meets_nobody(run, site, tmp_path: Path) -> None:
    with site.registry.writing() as session:
        session.add(Operator(name="审计", role=words.AUDITOR, created_at_s=now_s()))
    for rate in ("accuracy", "cards", "hazards"):
        out = run("kpi", "gaps", rate, "--operator", "审计")[1]
        assert [name in out for name in ("李强", "陈建国")] == [False, False]
        assert "李*" in out or "陈**" in out
    file = tmp_path / "kpi.xlsx"
    run("kpi", "rates", "--xlsx", str(file), "--operator", "审计", "--lang", "zh")
    assert openpyxl.load_workbook(file)["信息准确率"]["E2"].value == "李*"


@pytest.mark.usefixtures("stay")
def test_long_gap_lists_are_cut_on_the_screen_and_say_so(run, site) -> None:
    house = add_house(site, "H00002", doors=())
    for _ in range(20):
        add_stay(site, house)
    assert "and 1 more" in run("kpi", "gaps", "accuracy")[1]
    assert "more" not in run("kpi", "gaps", "accuracy", "--all")[1]
    assert len(json.loads(run("kpi", "gaps", "accuracy", "--json")[1])["gaps"]) == 21


@pytest.mark.usefixtures("stay")
def test_the_workbook_has_a_sheet_for_each_gap_list(run, tmp_path: Path) -> None:
    file = tmp_path / "kpi.xlsx"
    assert run("kpi", "rates", "--by", "house", "--xlsx", str(file), "--lang", "zh")[0] == 0
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == [
        "各项指标", "出租房屋登记率", "流动人口登记率", "信息准确率", "消防隐患整改合格率",
        "违法违规查处率", "注销率",
    ]  # fmt: skip
    assert [row[2].value for row in book["消防隐患整改合格率"]] == ["内容", "Z0001"]
    assert book["消防隐患整改合格率"]["H2"].value == "'=楼道堆物"  # nothing is calculated
    assert [row[1].value for row in book["各项指标"]] == ["代码", None, "H00001"]
    assert run("kpi", "rates", "--xlsx", str(file))[0] == 1
    assert run("kpi", "rates", "--xlsx", str(file), "--force")[0] == 0


@pytest.mark.usefixtures("stay")
def test_the_picture_is_one(run, tmp_path: Path) -> None:
    file = tmp_path / "kpi.png"
    assert run("kpi", "rates", "--by", "village", "--png", str(file))[0] == 0
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("stay")
@pytest.mark.parametrize(("font", "lines"), [(None, 2), ("Noto Sans CJK SC", 0)])
def test_a_picture_that_cannot_write_chinese_says_so_and_what_helps(
    run, tmp_path: Path, monkeypatch, font, lines
) -> None:
    monkeypatch.setattr(load_curve, "_chinese_font", lambda: font)
    code, _, said = run("kpi", "rates", "--png", str(tmp_path / "kpi.png"), "--lang", "zh")
    assert (code, len(said.splitlines())) == (0, lines)
    assert ("本机没有中文字体" in said, "fonts-noto-cjk" in said) == (lines > 0, lines > 0)


@pytest.mark.usefixtures("stay")
def test_grids_are_ranked_on_the_screen(run) -> None:
    [one] = json.loads(run("kpi", "ranking", "--json")[1])
    assert (one["key"], one["place"], one["name"]) == (GRID, 1, "第一网格")
    assert "第一网格" in run("kpi", "ranking")[1]
    assert "No such area" in run("kpi", "ranking", "--area", GRID, "--by", "village")[1]


def test_a_place_that_is_none_ends_in_two_lines(run) -> None:
    code, _, said = run("kpi", "rates", "--area", "nowhere")
    assert (code, said.splitlines()[0]) == (1, "There is no area nowhere")


def test_a_bar_is_full_only_when_all_is_there() -> None:
    assert chart.bar(3, 3, 4) == "████"
    assert chart.bar(9999, 10_000, 4) == "███▉"
    assert chart.bar(0, 3, 4) == chart.bar(0, 0, 4) == ""


# --- spot checks -----------------------------------------------------------------------------


def test_a_spot_check_is_written_down_and_counts(run, site, stay) -> None:
    code, out, _ = run("person", "verify", stay.lower(), "--right")
    assert (code, out.strip()) == (0, f"{stay}: checked with the person, right")
    assert rates.report(site).whole.rates["accuracy"].reached
    run("person", "verify", stay, "--wrong")
    assert rates.report(site).gaps["accuracy"][0].reason == "wrong"
    assert verify.verify(site, stay, right=True).before is False


def test_a_dry_run_of_a_spot_check_changes_nothing(run, site, stay) -> None:
    assert run("person", "verify", stay, "--wrong", "--dry-run")[0] == 0
    with site.registry.session() as session:
        assert {person.verified_good for person in session.query(Person)} == {None}


def test_a_spot_check_says_what_it_found_and_of_whom(run, stay) -> None:
    assert run("person", "verify", stay)[2].splitlines()[0] == "It is not said what the check found"
    assert run("person", "verify", "L999999", "--right")[0] == 1


# --- key areas and doors ---------------------------------------------------------------------


@pytest.mark.usefixtures("stay")
def test_key_areas_are_told_with_their_reason(run, site) -> None:
    add_house(site, "H00002", doors=(), key_mark="外来人员聚集")
    found = json.loads(run("kpi", "areas", "--json")[1])
    assert [house["ref"] for house in found["houses"]] == ["H00002"]
    assert "外来人员聚集" in run("kpi", "areas")[1]
    assert "农居房类" in run("kpi", "areas", "--lang", "zh", "--area", GRID)[1]


def heard(site, at_s: int) -> None:
    """All controllers were heard last at that moment."""
    with site.registry.writing() as session:
        session.execute(update(Device).values(last_heard_s=at_s))


@pytest.mark.usefixtures("stay")
def test_houses_of_three_beds_want_a_door_that_was_heard(run, site) -> None:
    add_house(site, "H00002", doors=())
    add_house(site, "H00003", {"101": 2}, doors=())
    heard(site, now_s() - 72 * 3600 - 60)
    found = json.loads(run("kpi", "doors", "--json")[1])
    assert found["must_have"] == 2
    assert [(house["ref"], house["door_gap"]) for house in found["without"]] == [
        ("H00001", "silent"), ("H00002", "no_door"),
    ]  # fmt: skip
    heard(site, now_s())
    code, out, _ = run("kpi", "doors")
    assert (code, out.splitlines()[-1]) == (
        0, "1 of 2 houses that must have a smart door have one",
    )  # fmt: skip
