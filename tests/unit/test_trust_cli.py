"""`site rotate`, `revoke`, `new-epoch` and `sign-trust` as they are typed (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli
from controller_tool.services import export, trust_store
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_trust_change import EXPORT_PASSPHRASE, chain_holds


@pytest.fixture
def run(site, monkeypatch, capsys):
    """One command line on that site; exit code, what it printed, what it complained of."""
    monkeypatch.setenv("CONTROLLER_TOOL_SITE", str(site.path))
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.run(["site", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_rotate_and_retire_by_command(run) -> None:
    code, out, _ = run("rotate", "whitelist", "--yes", "--json")
    assert (code, json.loads(out)["in_force"]) == (0, True)
    code, out, _ = run("show", "--json")
    assert json.loads(out)["trusted_keys"]["whitelist"] == 2
    assert "old keys still trusted" in run("show")[1]
    code, out, _ = run("rotate", "whitelist", "--retire", "--yes")
    assert code == 0
    assert "push" in out
    assert json.loads(run("show", "--json")[1])["trust_version"] == 3


def test_nothing_is_done_without_a_yes(run, site) -> None:
    code, _, err = run("rotate", "ticket")
    assert (code, "new key" in err) == (1, True)
    code, out, _ = run("rotate", "ticket", "--dry-run")
    assert (code, "nothing was changed" in out) == (0, True)
    assert chain_holds(site) == [1]


def test_a_new_epoch_wants_the_name_of_the_site(run, site) -> None:
    code, _, err = run("new-epoch", "--name", "another", "--yes")
    assert (code, "not the name" in err) == (1, True)
    assert run("new-epoch", "--name", site.name)[0] == 1, "and a yes"
    assert run("new-epoch", "--yes")[0] == 1
    assert run("new-epoch", "--name", site.name, "--yes")[0] == 0
    assert trust_store.newest(site).epoch == 2


def test_usage_is_told(run) -> None:
    assert run("rotate")[0] == 2
    assert run("rotate", "root", "--retire")[0] == 2
    assert run("rotate", "no-such-role")[0] == 2


def test_a_draft_by_command(run, tmp_path) -> None:
    file = str(tmp_path / "d")
    code, out, _ = run(
        "rotate", "root", "--keys", "3", "--threshold", "2", "--draft", file, "--yes"
    )
    assert (code, "--apply" in out) == (0, True)
    assert run("sign-trust", file, "--yes")[0] == 1, "it is complete already"
    assert run("rotate", "--apply", file, "--yes")[0] == 0
    assert json.loads(run("show", "--json")[1])["root"] == "2/3"


def test_revoke_by_command_and_show(run, site, tmp_path) -> None:
    made = export.export(site, "desk", tmp_path / "lobby", EXPORT_PASSPHRASE)
    assert run("revoke", "lobby", "--yes")[0] == 0
    shown = {p["id"]: p for p in json.loads(run("show", "--json")[1])["peers"]}
    assert (shown[made.peer_id]["label"], shown[made.peer_id]["revoked"]) == ("lobby", True)
    assert sum(p["own"] for p in shown.values()) == 5
    assert not any(p["own"] and p["revoked"] for p in shown.values())
    assert Board(site, "door-9").new.trust == trust_store.objects(site)[2], "new ones know at once"
