"""`export` and `acceptance` at the command line: what is said, exit codes, no traceback (host)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import pytest

from controller_tool import cli, messages
from controller_tool.keys import passphrase
from controller_tool.services.city import http_post
from tests.unit import platform_server
from tests.unit.platform_server import TOKEN, Move
from tests.unit.registry_support import PASSPHRASE
from tests.unit.test_city import house  # noqa: F401 - a fixture


@pytest.fixture
def tool(site, house, monkeypatch, capsys):  # noqa: F811
    """Runs a command line; returns exit code, output and complaints."""
    del house
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    monkeypatch.setenv(http_post.TOKEN_VARIABLE, TOKEN)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    messages.set_language("en")

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([*map(str, words), "--site", str(site.path), "--lang", "en"])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run
    monkeypatch.undo()
    messages.set_language(None)


def test_a_folder_is_counted_made_and_then_up_to_date(tool, tmp_path) -> None:
    code, out, _ = tool("export", "hzaccess", "--output", tmp_path / "c", "--dry-run")
    assert (code, (tmp_path / "c").exists()) == (0, False)
    assert "8 records would be handed over" in out
    code, out, err = tool("export", "hzaccess", "--output", tmp_path / "c")
    assert (code, "8 records handed over" in out) == (0, True)
    assert "Without ID numbers" in err
    code, out, _ = tool("export", "hzaccess", "--output", tmp_path / "d", "--json")
    assert sum(json.loads(out)["records"].values()) == 0


def test_a_platform_is_sent_to_and_its_refusals_are_worked_off(tool, tmp_path) -> None:
    with platform_server.running(tmp_path) as platform:
        platform.refuses = lambda kind, row: bool(row) and kind == "house"
        platform.moves = [Move("well")]
        code, out, err = tool("export", "hzaccess", "--to", platform.address, "--ca", platform.ca)
        assert (code, len(platform.stored)) == (0, 7)
        assert "1 records were refused" in err
        code, out, _ = tool("export", "rejects", "list", "--json")
        [one] = json.loads(out)
        assert (one["kind"], one["target"]) == ("house", f"{platform.address}")
        assert tool("export", "rejects", "resolve", one["id"], "--again")[0] == 0
        assert "Nothing waits" in tool("export", "rejects", "list")[1]
        assert TOKEN not in out + err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "hzaccess"], 2, "Give either --output FOLDER or --to URL"),
        (["export", "hzaccess", "--to", "http://city.example/"], 1, "is not encrypted"),
        (["export", "hzaccess", "--to", "nowhere"], 1, "is no address to send to"),
        (["export", "rejects", "resolve", "7"], 1, "No refused record 7 waits"),
        (["export", "recipient", "none.pem"], 1, "cannot be read"),
        (["export", "clips", "--output", "a.pdf"], 1, "neither .csv nor .xlsx"),
        (["acceptance", "make", "a.pdf"], 1, "is no .zip file"),
        (["acceptance", "verify", "missing.zip"], 1, "cannot be read"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(tool, words, code, said) -> None:
    found, out, err = tool(*words)
    assert (found, said in err, "Traceback" in out + err) == (code, True, False)


def test_a_process_that_is_killed_before_the_answer_doubles_nothing(tool, site, tmp_path) -> None:
    stored = threading.Event()
    with platform_server.running(tmp_path) as platform:
        platform.moves = [Move("well"), Move("well"), Move("well"), Move("hangs", stored)]
        words = ["export", "hzaccess", "--to", platform.address, "--ca", str(platform.ca)]
        start = "import sys; from controller_tool import cli; sys.exit(cli.run(sys.argv[1:]))"
        command = [sys.executable, "-c", start, *words, "--site", str(site.path)]
        with subprocess.Popen(command) as sender:
            assert stored.wait(120)
            sender.send_signal(signal.SIGKILL)
        assert (sender.returncode, len(platform.stored)) == (-signal.SIGKILL, 4)
        assert tool(*words)[0] == 0
        assert len(platform.stored) == 8
        assert sorted(platform.arrivals.values()) == [1] * 7 + [2], "the one that hung came twice"


def test_lists_and_acceptance_from_one_end_to_the_other(tool, tmp_path) -> None:
    residents = ("export", "residents", "--system", "province", "--output", tmp_path / "r.csv")
    assert "Dry run: 1 who came, 0 who left" in tool(*residents, "--dry-run")[1]
    assert "1 who came, 0 who left" in tool(*residents)[1]
    (tmp_path / "bad.csv").write_text("登记编号,结果\nX,成功\n", encoding="utf-8")
    code, out, _ = tool("export", "receipt", tmp_path / "bad.csv", "--system", "province", "--json")
    assert (code, json.loads(out)["faults"][0]["row"]) == (1, 2)
    assert "Nobody answers" in tool("export", "duties", "--output", tmp_path / "d")[1]
    assert "0 clips listed" in tool("export", "clips", "--output", tmp_path / "c.csv")[1]
    code, out, _ = tool("acceptance", "make", tmp_path / "a.zip")
    assert (code, "1 houses and 1 controllers" in out) == (0, True)
    code, out, _ = tool("acceptance", "verify", tmp_path / "a.zip", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
