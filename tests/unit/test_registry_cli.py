"""The commands site, card and journal as a person or a script calls them (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli, clock
from controller_tool.keys import passphrase
from controller_tool.services.site import Site
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.raw_registry import raw
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_journal import pull

CARD = "0012345678"


@pytest.fixture(autouse=True)
def exporting(at_the_desk, monkeypatch):
    del at_the_desk
    monkeypatch.setenv(passphrase.EXPORT_VARIABLE, "of the exported folder")


@pytest.fixture
def run(site, capsys):
    """Carries out a command on the test's site; returns exit code, output, error lines."""

    def run_(*words: str, folder=site.path):
        code = cli.run([*words, "--site", str(folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


def data(run, *words: str):
    code, out, err = run(*words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_site_is_made_and_shown(run, tmp_path) -> None:
    code, out, _ = run("site", "init", "5号楼", "--operator", "王芳", folder=tmp_path / "new")
    assert code == 0
    assert "5号楼" in out
    assert PASSPHRASE not in out
    code, out, _ = run("site", "show", "--json", folder=tmp_path / "new")
    shown = json.loads(out)
    assert (shown["operator"], shown["role"], shown["root"]) == ("王芳", "office", "1/1")
    assert "root-1" in shown["keys"]


def test_showing_a_site_asks_for_no_passphrase(run, monkeypatch) -> None:
    monkeypatch.delenv(passphrase.VARIABLE)
    assert run("site", "show")[0] == 0
    code, _, err = run("card", "issue", CARD, "--name", "x", "--until", "2030-01-01")
    assert code == 1
    assert err.splitlines() == [
        "No passphrase given and nobody to ask",
        f"  Set the variable {passphrase.VARIABLE}",
    ]


def test_a_roles_folder_is_exported(run, tmp_path) -> None:
    made = data(run, "site", "export", "--role", "auditor", str(tmp_path / "auditor"))
    assert made["keys"] == ["audit", "peer-auditor"]
    code, _, err = run("site", "export", "--role", "auditor", str(tmp_path / "auditor"))
    assert (code, "not empty" in err) == (1, True)
    assert run("site", "export", "--role", "king", str(tmp_path / "x"))[0] == 2


def test_a_card_from_the_desk_to_the_proof(run, board) -> None:
    issued = data(run, "card", "issue", CARD, "--name", "张伟", "--until", "2030-03-31")
    assert (issued["ref"], issued["word"], issued["devices"]) == ("K000001", "issued", ["door-1"])
    board.update()
    ended = data(run, "card", "collect", CARD, "--no-push")
    assert (ended["word"], ended["pending"]) == ("pending 0/1", ["door-1"])
    board.update()
    [listed] = data(run, "card", "list", "--state", "collected")
    assert (listed["word"], listed["deregistered"]) == ("deregistered", True)
    [why] = data(run, "card", "explain", CARD)
    assert why["now"] == {"granted": False, "reason": "revoked"}


def test_a_controller_that_cannot_be_reached_leaves_the_card_pending(run, board) -> None:
    run("card", "issue", CARD, "--name", "张伟", "--until", "2030-03-31")
    board.update()
    code, out, err = run("card", "lost", CARD)
    assert code == 1, "nothing is proven"
    assert "pending 0/1" in out
    assert err.startswith("door-1: ")
    code, out, _ = run("card", "collect", CARD, "--json")
    told = json.loads(out)
    assert (code, told["ok"], [f["device"] for f in told["failed"]]) == (1, False, ["door-1"])
    assert run("card", "collect", CARD, "--no-push")[0] == 0
    other = ("card", "issue", "0012345679", "--name", "x", "--until", "2030-03-31", "--push")
    assert run(*other)[0] == 1


@pytest.mark.parametrize("until", ["2030-01-01", "20300101"])
def test_the_last_day_counts_however_it_is_written(run, until) -> None:
    issued = data(run, "card", "issue", CARD, "--name", "x", "--until", until)
    minute = clock.parse_local("2030-01-02") // 60
    assert issued["until_min"] == minute


@pytest.mark.parametrize(
    "words",
    [["--name", ""], ["--name", " "], ["--name", "a\x1b[2J"], ["--name", "a\nb"],
     ["--name", "\udcff"], ["--name", "x" * 65], ["--name", "x", "--room", "a\tb"]],
)  # fmt: skip
def test_a_name_that_would_disturb_a_screen_is_refused(run, words) -> None:
    code, _, err = run("card", "issue", CARD, "--until", "2030-01-01", *words)
    assert (code, len(err.splitlines())) == (1, 2)
    assert "fault of its own" not in err


def test_a_virtual_board_does_not_stand_in_the_way_of_a_new_site(run, tmp_path) -> None:
    code, _, err = run("sim", "start", "door-1", folder=tmp_path / "new")
    assert (code, "not a site folder" in err) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_lease_that_is_over_is_mentioned(run, tmp_path) -> None:
    path = tmp_path / "roster.csv"
    header = "姓名,身份证号,房间,卡号,入住日期,到期日期"
    row = "王伟,330199199001010011,A-101,0012345678,2021-01-01,2021-02-01"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    code, out, _ = run("card", "import", str(path))
    assert (code, "1 leases are over already" in out) == (0, True)


def test_a_total_at_the_end_of_a_roster_is_left_out_and_said(run, tmp_path) -> None:
    path = tmp_path / "roster.csv"
    header = "姓名,身份证号,房间,卡号,入住日期,到期日期"
    row = "王伟,330199199001010011,A-101,0012345678,2021-01-01,2021-02-01"
    path.write_text(f"{header}\n{row}\n合计,1人,,,,\n", encoding="utf-8")
    code, out, err = run("card", "import", str(path), "--dry-run")
    assert (code, out[:7], err.strip()) == (
        0, "1 rows:", "Rows that are totals or notes and were left out: 3 (合计)",
    )  # fmt: skip
    assert data(run, "card", "import", str(path))["left_out"] == [{"row": 3, "text": "合计"}]


def test_a_card_without_an_end_is_wrong_usage(run) -> None:
    code, _, err = run("card", "issue", CARD, "--name", "张伟")
    assert (code, "--until" in err) == (2, True)
    assert run("card", "issue", CARD, "--name", "x", "--emergency")[0] == 0


@pytest.mark.parametrize("date", ["31.3.2030", "2030-02-30", "never"])
def test_a_date_that_is_none_is_told_in_one_line(run, date) -> None:
    code, _, err = run("card", "issue", CARD, "--name", "x", "--until", date)
    assert (code, len(err.splitlines())) == (1, 2)


def test_a_wrong_roster_is_listed_row_by_row(run, tmp_path) -> None:
    path = tmp_path / "roster.csv"
    header = "姓名,身份证号,房间,卡号,入住日期,到期日期"
    path.write_text(f"{header}\n王伟,1,A,2,2026-01-01,2025-01-01\n", encoding="utf-8")
    code, out, err = run("card", "import", str(path))
    assert code == 1
    rows = [line.split()[:2] for line in out.splitlines()[1:]]
    assert rows == [["2", "身份证号"], ["2", "卡号"], ["2", "到期日期"]]
    assert err.startswith("roster.csv: 3 wrong fields, nothing was imported")
    code, out, _ = run("card", "import", str(path), "--json")
    answer = json.loads(out)
    assert (code, answer["ok"], len(answer["faults"])) == (1, False, 3)


def test_a_dry_run_says_what_would_be_done(run, root) -> None:
    path = str(root / "controller_tool" / "data" / "roster.csv")
    code, out, _ = run("card", "import", path, "--dry-run")
    assert code == 0
    assert out.strip() == (
        "300 rows: 300 new people, 300 new cards, 0 there already; nothing was changed"
    )
    assert data(run, "card", "list") == []


@pytest.fixture
def pulled(site, board: Board) -> None:
    for ring, count in ((RING_ACCESS, 5), (RING_ALARM, 2)):
        pen = board.pen(ring)
        for _ in range(count):
            pen.write()
        pull(site, board, pen)


@pytest.mark.usefixtures("pulled")
def test_a_log_is_verified_shown_and_exported(run, tmp_path) -> None:
    [report] = data(run, "journal", "verify", "door-1")
    assert (report["ok"], report["keys"]) == (True, ["tool", "audit"])
    assert len(data(run, "journal", "show", "door-1", "--ring", "access", "--last", "3")) == 3
    target = tmp_path / "log.csv"
    assert data(run, "journal", "export", "door-1", "--output", str(target))["records"] == 7
    assert target.read_text(encoding="utf-8-sig").startswith("controller,ring,seq,")


@pytest.mark.usefixtures("pulled")
def test_a_log_that_was_tampered_with_exits_1_and_names_the_record(run, site) -> None:
    raw(site, "DROP TRIGGER journal_records_no_delete",
        "DELETE FROM journal_records WHERE ring = 0 AND seq = 2")  # fmt: skip
    code, out, _ = run("journal", "verify")
    assert code == 1
    assert "door-1: access ring: 2 deleted" in out


@pytest.mark.usefixtures("pulled")
def test_a_pull_from_nowhere_exits_1_with_one_line_and_a_next_step(run) -> None:
    code, _, err = run("journal", "pull", "door-1")
    assert (code, err.splitlines()) == (
        1, ["door-1: No address is known for door-1", "  Give --port"]
    )  # fmt: skip


@pytest.mark.usefixtures("pulled")
def test_everything_speaks_chinese(run) -> None:
    run("card", "issue", CARD, "--name", "张伟", "--until", "2030-03-31")
    for words, wanted in (
        (("site", "show"), "控制器"),
        (("card", "list"), "在用"),
        (("card", "explain", CARD), "下次下发后"),
        (("journal", "verify"), "完整"),
        (("journal", "show", "door-1"), "放行"),
    ):
        code, out, _ = run(*words, "--lang", "zh")
        assert (code, wanted in out) == (0, True), words


@pytest.mark.parametrize("role", ["auditor", "installer"])
@pytest.mark.parametrize(
    "words", [("collect", CARD), ("issue", CARD, "--name", "x", "--until", "2030-01-01"), ("list",)]
)
def test_a_role_without_cards_is_told_whose_folder_has_them(
    run, tmp_path, monkeypatch, role, words
) -> None:
    monkeypatch.setenv(passphrase.EXPORT_VARIABLE, PASSPHRASE)
    folder = tmp_path / role
    data(run, "site", "export", "--role", role, str(folder))
    code, _, err = run("card", *words, folder=folder)
    assert (code, err) == (
        1, f"This {role} folder cannot do that with cards\n  Use the desk's folder\n"
    )  # fmt: skip


def test_a_card_that_was_never_issued_is_called_so(run, board) -> None:
    board.update()
    code, out, err = run("card", "explain", "0099999999")
    assert (code, "unknown_card" in out or "no_list" in out) == (1, True)
    assert "was ever issued here" in err


@pytest.mark.parametrize("words", [("explain",), ("collect",), ("change", "--until", "2030-01-01")])
def test_a_reference_that_nobody_has_is_no_wrong_number(run, board, words) -> None:
    board.update()
    code, _, err = run("card", *words, "k000999")
    assert (code, err) == (
        1, "No card K000999 was ever issued here\n  See the cards with: card list\n"
    )  # fmt: skip


def test_a_card_that_no_controller_had_is_told_so(run, board) -> None:
    board.update()
    run("card", "issue", CARD, "--name", "x", "--until", "2030-03-31")
    code, out, _ = run("card", "collect", CARD)
    assert (code, "deregistered; no controller ever had it" in out) == (0, True)


def test_an_empty_number_is_shown_as_such(run) -> None:
    assert run("card", "collect", "")[2].startswith('"" is not a card number\n')


@pytest.mark.parametrize("words", [("push",), ("journal", "pull"), ("push", "--watch")])
def test_one_port_for_several_controllers_is_wrong_usage(run, monkeypatch, words) -> None:
    monkeypatch.setattr(Site, "chosen", lambda *_: ["door-1", "door-2"])
    code, _, err = run(*words, "--port", "tcp://127.0.0.1:1")
    assert (code, "--port leads to one controller" in err) == (2, True)


@pytest.mark.parametrize("address", ["sim://door-1", "10.0.0.7", "/dev/ttyUSB0"])
def test_what_is_no_network_address_is_not_kept_as_one(run, address) -> None:
    words = ("device", "provision", "d", "--port", "p", "--board", "virtual-door", "--dry-run")
    code, _, err = run(*words, "--tcp", address)
    assert (code, f"Not a network address: {address}" in err) == (2, True)


@pytest.mark.parametrize("words", [("nope", "--yes"), ("nope", "--stolen", "--dry-run")])
def test_a_controller_that_is_not_there_cannot_be_retired(run, words) -> None:
    code, _, err = run("device", "retire", *words)
    assert (code, err.splitlines()[0]) == (1, "No controller is named nope")


@pytest.mark.usefixtures("board")
def test_a_journal_that_was_never_pulled_is_not_called_altered(run) -> None:
    code, out, err = run("journal", "verify")
    assert (code, err) == (1, "Nothing pulled yet\n  Run: controller-tool journal pull\n")
    assert "not pulled yet" in out
    assert "NOT WHOLE" not in out


def test_failures_in_json_leave_standard_error_empty(run) -> None:
    for words in (("device", "info", "nobody"), ("push",), ("card", "collect")):
        code, out, err = run(*words, "--json")
        assert (code > 0, err, json.loads(out)["ok"]) == (True, "", False)


@pytest.mark.parametrize("words", [("push",), ("journal", "pull"), ("journal", "verify")])
def test_with_no_controller_there_is_one_clear_line(run, words) -> None:
    code, out, err = run(*words)
    assert (code, out, err.splitlines()[0]) == (1, "", "No controller is enrolled here")


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("words", [("push",), ("journal", "pull")])
def test_a_wrong_passphrase_is_said_once(run, monkeypatch, words) -> None:
    monkeypatch.setenv(passphrase.VARIABLE, "another one")
    _, _, err = run(*words)
    assert err.splitlines()[0] == "The passphrase does not open this site folder"
    assert len(err.splitlines()) == 2
