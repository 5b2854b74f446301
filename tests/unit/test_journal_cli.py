"""The commands journal show, unknown, export and reindex as people and scripts call them (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli, messages
from controller_tool.keys import passphrase
from controller_tool.services import export, people
from controller_tool.services import pull as pull_service
from protocol.codes import CLOCK_UNSET, EVENT_DENIED, REASON_SCHEDULE, REASON_UNKNOWN_CARD
from protocol.constants import RING_ACCESS
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_cards import issue
from tests.unit.test_journal import pull, tamper
from tests.unit.test_journal_reading import OTHER_CARD, key_of

DAY_S = 86400


@pytest.fixture
def run(site, capsys, monkeypatch):
    """Carries out a command on the test's site; returns exit code, output, error lines."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)

    def run_(*words: str):
        code = cli.run(["journal", "--site", str(site.path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run_
    messages.set_language(None)


@pytest.fixture
def told(site, board):
    """2026-05-04: a grant, a stranger, a flood; a day later a denial by a clock that was unset."""
    issue(site, holder=people.Holder("张伟"))
    board.update()
    pen = board.pen(RING_ACCESS)
    pen.write(key=key_of(site, board))
    pen.write(EVENT_DENIED, REASON_UNKNOWN_CARD, key_of(site, board, OTHER_CARD), point=1)
    pen.write(EVENT_DENIED, REASON_UNKNOWN_CARD, point=255, extra=77)
    pen.write(EVENT_DENIED, REASON_SCHEDULE, key_of(site, board), time_s=200_000_000 + DAY_S,
              quality=CLOCK_UNSET)  # fmt: skip
    pull(site, board, pen)


def seqs(run, *words: str) -> list[int]:
    code, out, err = run("show", *words, "--json")
    assert code == 0, err
    return [entry["seq"] for entry in json.loads(out)]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), [0, 1, 2, 3]),
        (("door-1",), [0, 1, 2, 3]),
        (("--who", "k000001"), [0, 3]),
        (("--who", "张伟", "--result", "denied"), [3]),
        (("--who", "unknown"), [1, 2]),
        (("--door", "2"), [1]),
        (("--point", "2", "--point", "-"), [1, 2]),
        (("--door", "1"), [0, 3]),
        (("--reason", "card", "--reason", "outside_schedule"), [0, 3]),
        (("--reason", "不在时段内", "--lang", "zh"), [3]),
        (("--event", "granted"), [0]),
        (("--event", "boot"), []),
        (("--ring", "alarm"), []),
        (("--since", "2026-05-05"), [3]),
        (("--until", "2026-05-04"), [0, 1, 2]),
        (("--since", "2026-05-04T03:34", "--until", "2026-05-05T03:33"), []),
        (("--last", "2"), [2, 3]),
        (("--last", "2", "--before", "door-1/access/2"), [0, 1]),
    ],
)
@pytest.mark.usefixtures("told")
def test_each_filter_narrows_what_is_shown(run, words, wanted) -> None:
    assert seqs(run, *words) == wanted


@pytest.mark.usefixtures("told")
def test_an_older_page_is_told_how_to_get(run) -> None:
    _, out, _ = run("show", "--last", "2")
    hint = out.splitlines()[-1]
    assert hint == "There is more: add --before door-1/access/2"
    _, out, _ = run("show", "--last", "2", *hint.split()[-2:])
    assert "There is more" not in out
    assert "K000001" in out


@pytest.mark.usefixtures("told")
def test_the_time_of_an_unset_clock_is_marked(run) -> None:
    _, out, _ = run("show")
    lines = [line for line in out.splitlines() if "not before" in line]
    assert len(lines) == 1
    assert "not before 2026-05-05T03:33:20.005  unset" in lines[0]
    assert "不早于" in run("show", "--lang", "zh")[1]


@pytest.mark.parametrize(
    ("words", "what", "next_step"),
    [
        (
            ("show", "--reason", "bad_luck"),
            "The journal has no reason bad_luck",
            "Names: anti_passback",
        ),
        (("show", "--event", "party"), "The journal has no event party", "Names: boot, "),
        (("show", "--since", "yesterday"), "yesterday is not a date", "Write 2030-03-31"),
        (("show", "--before", "door-1"), "door-1 is no stored record", "Write controller, ring"),
        (("show", "--who", "李娜"), "李娜 is no card", "Give a reference"),
        (("show", "door-9"), "No controller is named door-9", "See the names"),
        (("unknown", "door-9"), "No controller is named door-9", "See the names"),
        (("export", "--output", "log.txt"), "log.txt is neither", "Give a file name"),
    ],
)
@pytest.mark.usefixtures("told")
def test_what_cannot_be_is_told_in_one_line_with_what_to_do(run, words, what, next_step) -> None:
    code, out, err = run(*words)
    first, second = err.splitlines()
    assert (code, out, first.startswith(what), second.startswith(f"  {next_step}")) == (
        1, "", True, True
    ), err  # fmt: skip


@pytest.mark.parametrize(
    "words", [("show", "--result", "maybe"), ("show", "--door", "256"), ("show", "--door", "0"),
              ("show", "--last", "0"),
              ("export",), ("export", "--output", "x", "--format", "hzaccess/2")],
)  # fmt: skip
def test_wrong_usage_is_told_in_chinese_too(run, words) -> None:
    code, _, err = run(*words, "--lang", "zh")
    assert code == 2
    assert "错误" in err
    assert "Invalid" not in err


def test_nothing_stored_is_told(run, site, board) -> None:
    pull(site, board, board.pen(RING_ACCESS))
    assert run("show")[1].strip() == "Nothing that is stored fits"
    assert run("unknown")[1].strip() == "No unknown card was tried, as far as is stored here"


@pytest.mark.parametrize(
    "words", [("show",), ("show", "door-1"), ("unknown",), ("export", "--output", "x.csv"),
              ("export", "--output", "x", "--format", "hzaccess/1"), ("verify",),
              ("bundle", "--output", "x.zip")],
)  # fmt: skip
@pytest.mark.usefixtures("board")
def test_before_the_first_pull_each_command_says_to_pull(run, words, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*words)
    assert (code, err) == (1, "Nothing pulled yet\n  Run: controller-tool journal pull\n")
    assert not list(tmp_path.glob("x*"))
    assert "尚未收取" in run(*words, "--lang", "zh")[2]


@pytest.mark.usefixtures("told")
def test_a_journal_that_was_removed_is_not_called_never_pulled(run, site) -> None:
    """The operators' log remembers: whoever removed it must not be helped to hide it."""
    tamper(site, "DELETE FROM journal_records", "DROP TRIGGER journal_heads_no_delete",
           "DELETE FROM journal_heads")  # fmt: skip
    assert run("show")[1].strip() == "Nothing that is stored fits"
    assert "not pulled" not in run("verify")[1]


@pytest.mark.usefixtures("told")
def test_a_controller_that_was_not_pulled_is_told_beside_one_that_was(run, site) -> None:
    Board(site, "door-2")
    assert run("show", "door-2")[2].startswith("Nothing pulled yet")
    code, _, err = run("verify")
    assert code == 1
    assert err.startswith("door-2: not pulled yet\n  Fetch it first: journal pull\n")


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-05-05", "2026-05-04"), ("2026-05-04T10:00", "2026-05-04T10:00")],
)
@pytest.mark.usefixtures("told")
def test_a_time_that_ends_before_it_begins_is_wrong_usage(run, since, until) -> None:
    code, _, err = run("show", "--since", since, "--until", until)
    assert (code, f"--since {since} is after --until {until}" in err) == (2, True)
    assert run("show", "--since", "2026-05-04", "--until", "2026-05-04")[0] == 0, "a day is a day"


@pytest.mark.usefixtures("told")
def test_a_controller_named_twice_is_shown_once(run) -> None:
    twice = ("door-1", "door-1")
    assert run("show", *twice) == run("show", "door-1")
    assert run("unknown", *twice) == run("unknown", "door-1")
    assert run("verify", *twice) == run("verify", "door-1")


def test_a_controller_named_twice_is_pulled_once(site, board, monkeypatch) -> None:
    del board
    pulled: list[str] = []

    def pull_device(_, device, *__):
        pulled.append(device.name)
        return pull_service.PullResult(device=device.name)

    monkeypatch.setattr(pull_service, "pull_device", pull_device)
    assert len(pull_service.pull(site, ["door-1", "door-1"])) == 1
    assert pulled == ["door-1"]


@pytest.mark.usefixtures("told")
def test_an_auditor_is_told_why_cards_cannot_be_told_apart(run, site, tmp_path) -> None:
    export.export(site, "auditor", tmp_path / "auditor", PASSPHRASE)
    code, out, err = run("unknown", "--site", str(tmp_path / "auditor"))
    assert (code, out.split()[-3:]) == (0, ["door-1", "1", "77"])
    first, second = err.splitlines()
    assert first.startswith("This auditor folder cannot tell which cards they were: that takes")
    assert second == "  Ask the office or the desk for: controller-tool journal unknown"


@pytest.mark.usefixtures("told")
def test_unknown_cards_are_listed_with_what_was_only_counted(run) -> None:
    code, out, _ = run("unknown")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [rows[1][0], *rows[1][2:]] == [
        "door-1", "1", "2026-05-04T03:33:21", "2026-05-04T03:33:21", "2"
    ]  # fmt: skip
    assert rows[3] == ["door-1", "1", "77"]
    answer = json.loads(run("unknown", "door-1", "--json")[1])
    assert answer["counted"] == [{"controller": "door-1", "recorded": 1, "folded": 77}]


@pytest.mark.usefixtures("told")
def test_exports_are_written_from_the_same_filters(run, tmp_path) -> None:
    for name in ("log.csv", "log.xlsx", "log.ndjson"):
        path = tmp_path / name
        code, out, _ = run("export", "door-1", "--result", "denied", "--output", str(path))
        assert (code, out.split()[:3]) == (0, ["3", "records", "written"])
        assert path.is_file()
    code, out, _ = run("export", "--format", "hzaccess/1", "--output", str(tmp_path / "city"))
    assert (code, out.startswith("4 access and 0 alarm records written to")) == (0, True)
    assert (tmp_path / "city" / "manifest.cose").is_file()


@pytest.mark.usefixtures("told")
def test_an_index_that_does_not_fit_is_complained_of_and_made_anew(run, site) -> None:
    assert run("show")[2] == ""
    tamper(site, "UPDATE journal_index SET time_s = time_s - 5 WHERE id & 255 = 1")
    code, out, err = run("show")
    assert (code, "K000001" in out) == (0, True)
    assert err.splitlines() == [
        "1 records are not what the index of the journal says, or gone",
        "  Run: journal verify; then: journal reindex",
    ]
    assert run("reindex")[1].strip() == "4 records are in the index"
    assert run("show")[2] == ""
