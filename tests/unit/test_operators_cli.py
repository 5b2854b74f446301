"""operator, pair, hold, person, audit, site retention as a person or a script calls them (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli, messages
from controller_tool.keys import passphrase
from controller_tool.rules import duty, words
from controller_tool.services.desk import check_in, operator_secret
from tests.unit.house_support import GRID, add_areas, add_house
from tests.unit.test_stays import WANG, request


@pytest.fixture(autouse=True)
def nobody_proven(at_the_desk, monkeypatch):
    del at_the_desk
    monkeypatch.delenv(passphrase.OWN_VARIABLE, raising=False)
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)


@pytest.fixture
def run(site, capsys):
    """Carries out a command on the test's site; returns exit code, output, error lines."""

    def run_(*words_: str):
        code = cli.run([*words_, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


@pytest.fixture
def stay(site, board):
    assert board
    add_areas(site)
    add_house(site)
    return check_in.check_in(site, request(WANG))


def data(run, *words_: str):
    code, out, err = run(*words_, "--json")
    assert code == 0, out + err
    return json.loads(out)


def hire(run, monkeypatch, name: str, role: str) -> None:
    """As people do it: the head adds, the new one changes the first secret."""
    made = data(run, "operator", "add", name, "--role", role)
    if role == words.CLERK:
        made = data(run, "operator", "secret", name, "--reset")
    monkeypatch.setenv(passphrase.OWN_VARIABLE, made["first_secret"])
    monkeypatch.setenv(passphrase.NEW_OWN_VARIABLE, f"own words of {name}")
    assert run("operator", "secret", "--operator", name)[0] == 0
    monkeypatch.delenv(passphrase.OWN_VARIABLE)


def test_a_lost_card_is_found_by_two(run, monkeypatch, stay) -> None:
    hire(run, monkeypatch, "陈静", "supervisor")
    ref = stay.cards[0].ref
    assert run("card", "lost", ref, "--no-push")[0] == 0
    code, _, err = run("card", "found", ref, "--document", "17号", "--operator", "李明")
    assert (code, "operator secret 李明 --reset" in err) == (1, True)
    hire(run, monkeypatch, "李明", "clerk")
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "own words of 李明")
    code, out, _ = run("card", "found", ref, "--document", "17号", "--operator", "李明")
    assert (code, "pair confirm 1" in out) == (0, True)
    assert data(run, "pair", "list", "--state", "asked")[0]["asked_by"] == "李明"
    code, _, err = run("pair", "confirm", "1", "--operator", "李明")
    assert (code, "another person must confirm it" in err) == (1, True)
    monkeypatch.delenv(passphrase.OWN_VARIABLE)
    code, _, err = run("pair", "confirm", "1", "--operator", "陈静")
    assert (code, "nobody to ask" in err) == (1, True)
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "own words of 陈静")
    code, out, _ = run("pair", "confirm", "1", "--operator", "陈静")
    assert (code, "done by 李明 and 陈静" in out) == (0, True)
    assert "K000002" in out
    code, out, _ = run("pair", "list")
    assert (code, "done" in out) == (0, True)


def test_a_controller_that_is_lost_for_good(run, monkeypatch, stay) -> None:
    assert stay
    hire(run, monkeypatch, "陈静", "supervisor")
    monkeypatch.setenv(passphrase.NEW_OWN_VARIABLE, "the heads own words")
    assert run("operator", "secret")[0] == 0
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "the heads own words")
    code, out, _ = run("device", "lost", "door-1", "--document", "18号", "--dry-run")
    assert (code, "nothing was changed" in out) == (0, True)
    assert data(run, "device", "lost", "door-1", "--document", "18号")["id"] == 1
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "own words of 陈静")
    assert run("pair", "refuse", "1", "--operator", "陈静")[0] == 0
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "the heads own words")
    assert data(run, "device", "lost", "door-1", "--document", "18号")["id"] == 2
    monkeypatch.setenv(passphrase.OWN_VARIABLE, "own words of 陈静")
    done = data(run, "pair", "confirm", "2", "--operator", "陈静")
    assert done["result"]["kept_as"].startswith("door-1~")
    code, out, _ = run("device", "list")
    assert (code, "lost" in out) == (0, True)


def test_a_person_is_shown_masked_and_whole_only_with_a_reason(run, stay) -> None:
    assert stay
    code, out, _ = run("person", "show", "王伟")
    assert (code, "330***********0011" in out) == (0, True)
    assert "330199199001010011" not in out
    assert data(run, "person", "show", "王伟")["kept_by"] == "stay"
    code, out, err = run("person", "show", "王伟", "--reveal", "核查", "--operator", "李明")
    assert (code, "supervisor, police, head" in err) == (1, True)
    code, out, _ = run("person", "show", "王伟", "--reveal", "核查")
    assert (code, "330199199001010011" in out) == (0, True)
    [look] = data(run, "audit", "show", "--act", "person.view")["entries"]
    assert (look["operator"], look["details"]["reason"]) == ("王芳", "核查")
    code, out, _ = run("audit", "show", "--person", "王伟")
    assert (code, "核查" in out) == (0, True)


def test_orders_and_deletion(run, stay) -> None:
    assert stay
    added = ("hold", "add", "--number", "5号", "--authority", "钱塘分局", "--person", "王伟")
    assert run(*added, "--dry-run")[0] == 0
    assert data(run, "hold", "list") == []
    assert run(*added, "--until", "2049-12-31")[0] == 0
    code, out, _ = run("hold", "list")
    assert (code, "5号" in out, "yes" in out) == (0, True, True)
    assert data(run, "site", "retention") == {"days": 365, "ok": True}
    assert run("site", "retention", "--days", "0")[0] == 1
    assert data(run, "site", "retention", "--days", "30")["days"] == 30
    code, out, _ = run("person", "erase-due")
    assert (code, "0 people deleted" in out, "stay" in out) == (0, True, True)
    assert run("hold", "release", "5号")[0] == 0
    assert data(run, "hold", "list", "--all")[0]["stands"] is False


def test_operators_roles_and_duties(run, site) -> None:
    add_areas(site)
    assert run("operator", "add", "李明")[0] == 0
    code, out, _ = run("operator", "role", "李明", "police")
    assert (code, "First secret" in out) == (0, True)
    assert run("operator", "duty", "add", "李明", "grid_keeper", "--area", GRID)[0] == 0
    code, out, _ = run("operator", "duty", "list", "--name", "李明")
    assert (code, GRID in out) == (0, True)
    assert run("operator", "duty", "end", "1")[0] == 0
    assert data(run, "operator", "duty", "list", "--all")[0]["ended_at_s"]
    assert run("operator", "end", "李明")[0] == 0
    code, _, err = run("operator", "list", "--operator", "李明")
    assert (code, "operator no more" in err) == (1, True)
    assert run("operator", "secret", "李明")[0] == 2
    assert run("operator", "secret", "--reset")[0] == 2


def test_the_log_is_proven_whole(run) -> None:
    code, out, _ = run("audit", "verify")
    assert (code, "whole" in out) == (0, True)
    code, _, err = run("audit", "show", "--operator", "李明")
    assert (code, "see_audit" in err) == (1, True)


@pytest.mark.parametrize(
    ("group", "codes"),
    [("act", duty.MAY), ("pair", words.PAIR_ACTS), ("operator", words.ROLES),
     ("proves", ("own", "first", "none")),
     ("keeps", ("erased", "stay", "card_out", "unproven", "hold", "case", "early"))],
)  # fmt: skip
def test_every_code_has_a_chinese_name(group, codes) -> None:
    assert [code for code in codes if messages.chinese(group, code) == code] == []
