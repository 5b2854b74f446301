"""Houses as a clerk types them, from the first grid to a closed case (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli

PHONE = "13800000000"


@pytest.fixture
def run(site, capsys, at_the_desk):
    """Carries out a command on the test's site; returns exit code, output and error lines."""
    del at_the_desk

    def run_(*words: str):
        code = cli.run([*words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, [" ".join(line.split()) for line in said.out.splitlines()], said.err

    return run_


def said(run, *words: str):
    code, out, err = run(*words)
    assert code == 0, err
    return out


def data(run, *words: str):
    return json.loads("\n".join(said(run, *words, "--json")))


@pytest.fixture
def house(run) -> None:
    """A registered house in a grid."""
    said(run, "area", "add", "330114", "钱塘区", "--kind", "district")
    said(run, "area", "add", "330114-01", "新湾村", "--kind", "village", "--in", "330114")
    said(run, "area", "add", "330114-01-01", "第一网格", "--kind", "grid", "--in", "330114-01")
    said(run, "house", "add", "A-1", "新湾街1号", "--grid", "330114-01-01", "--type", "rural",
         "--rooms", "3", "--beds", "6", "--landlord", "陈建国", "--phone", PHONE)  # fmt: skip


@pytest.mark.usefixtures("house", "board")
def test_from_the_first_grid_to_a_house_with_a_door(run) -> None:
    code, _, err = run("house", "admit", "H00001")
    assert code == 1
    assert err.splitlines()[0].count(";") == 2, "rooms, survey and inspection, in one line"
    said(run, "house", "room", "add", "A-1", "101", "102", "103", "--beds", "2")
    said(run, "house", "survey", "A-1", "--rooms", "3", "--beds", "6", "--people", "5")
    said(run, "house", "inspect", "H00001", "--kind", "admission", "--passed")
    assert said(run, "house", "admit", "H00001", "--dry-run")[-1].endswith("nothing was changed")
    assert said(run, "house", "admit", "H00001") == ["House H00001 is admitted"]
    assert said(run, "house", "required")[-1].startswith("1 houses must have")
    said(run, "house", "door", "add", "H00001", "door-1", "--camera", "CAM-7")
    assert data(run, "house", "required") == []
    [line] = data(run, "house", "list", "--area", "330114", "--class", "watched")
    assert (line["ref"], line["state"], line["must_have_door"]) == ("H00001", "admitted", True)
    assert PHONE not in str(data(run, "house", "show", "A-1"))
    assert data(run, "house", "contact", "A-1")["phone"] == PHONE
    assert said(run, "area", "list", "330114-01")[1].startswith("330114-01 village 新湾村 1/- 0/-")


@pytest.mark.usefixtures("house")
def test_a_hazard_from_its_finding_to_its_mending(run) -> None:
    assert run("house", "inspect", "A-1", "--kind", "periodic")[0] == 2, "passed or failed"
    bad = run("house", "inspect", "A-1", "--kind", "periodic", "--failed", "--hazard", "煤气瓶")
    assert bad[0] == 2
    assert "GRADE:TEXT" in bad[2]
    words = ("house", "inspect", "A-1", "--kind", "periodic", "--failed")
    out = said(run, *words, "--hazard", "major：煤气瓶", "--hazard", "minor:插座")
    assert any("house classify H00001 strict" in line for line in out), "the class that follows"
    assert [one["ref"] for one in data(run, "hazard", "list")] == ["Z000001", "Z000002"]
    follow_up = ("house", "inspect", "A-1", "--kind", "follow_up")
    code, _, err = run(*follow_up, "--passed")
    assert code == 1
    assert "--mended Z000001" in err, "the way out"
    said(run, *follow_up, "--passed", "--mended", "Z000001", "--mended", "z000002")
    assert data(run, "hazard", "list", "--house", "A-1") == []


@pytest.mark.usefixtures("house")
def test_a_case_is_decided_by_a_document(run) -> None:
    said(run, "case", "open", "A-1", "违规隔断", "--party", "landlord")
    assert run("case", "close", "C00001")[0] == 1
    said(run, "case", "sanction", "C00001", "fine", "--document", "钱塘罚〔2026〕7号")
    assert said(run, "case", "close", "C00001")[-1] == "Case C00001 is closed"
    assert data(run, "case", "list") == []
    [one] = data(run, "case", "list", "--closed")
    assert (one["who"], one["sanctions"][0]["kind"]) == ("陈建国", "fine")


@pytest.mark.usefixtures("house")
def test_all_of_it_speaks_chinese(run) -> None:
    assert "农居房类" in said(run, "house", "list", "--lang", "zh")[1]
    assert "关注类" in "".join(said(run, "house", "show", "A-1", "--lang", "zh"))
    out = said(run, "house", "classify", "A-1", "barred", "--reason", "违法建筑", "--lang", "zh")
    assert out == ["房屋 H00001 现为禁租类，原为关注类"]
    _, _, err = run("house", "admit", "A-1", "--lang", "zh")
    assert err.startswith("房屋 H00001 属禁租类：不予准入")
