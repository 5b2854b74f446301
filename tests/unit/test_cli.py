"""The command line's manners: exit codes, lines for people, JSON, language (host)."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path

import click
import pytest
from rich.console import Console

from controller_tool import cli, errors, messages
from controller_tool.cli import common
from controller_tool.cli.narrow import fitted
from controller_tool.errors import DeviceError, OperatorError
from protocol.version import VERSION, text_of


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch):
    for name in (common.SITE_VARIABLE, common.OPERATOR_VARIABLE, errors.DEBUG):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    yield
    messages.set_language(None)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    """Replaces the table of commands by one command `act` that does what the test says."""

    def install(work) -> None:
        act = common.ToolCommand("act", callback=common.pass_app(work))
        monkeypatch.setattr(f"{__name__}.act", act, raising=False)
        monkeypatch.setattr(cli, "COMMANDS", {"act": (f"{__name__}:act", "does it")})

    return install


def test_help_lists_the_commands_in_the_order_of_work(capsys) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(f"  {name} ") for name in cli.COMMANDS]
    assert places == sorted(places)


def test_the_versions_of_tool_and_firmware_are_told(capsys) -> None:
    assert cli.run(["--version", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"tool": metadata.version("controller-tool"), "firmware": text_of(VERSION)}
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"controller-tool {told['tool']}, ")


def test_help_speaks_chinese(capsys) -> None:
    assert cli.run(["--lang", "zh", "--help"]) == 0
    assert "门禁" in capsys.readouterr().out


def test_every_line_of_the_list_of_commands_is_chinese() -> None:
    messages.set_language("zh")
    left = [name for name, (_, line) in cli.COMMANDS.items() if messages.t(line) == line]
    messages.set_language(None)
    assert not left


def test_the_words_of_click_are_chinese_too(capsys) -> None:
    assert cli.run(["--lang", "zh", "card", "explain"]) == 2
    said = capsys.readouterr().err
    assert "用法" in said
    assert "缺少参数" in said
    assert cli.run(["--lang", "zh", "card", "import", "no-such-file"]) == 2
    assert "不存在" in capsys.readouterr().err
    assert cli.run(["--lang", "zh", "card", "issue", "--help"]) == 0
    said = capsys.readouterr().out
    assert [word for word in ("Usage", "Options", "Show this", "required") if word in said] == []
    assert cli.run(["--lang", "en", "card", "explain"]) == 2
    assert "Missing argument 'NUMBER'" in capsys.readouterr().err


def test_wrong_usage_in_json_says_where_the_right_one_stands(capsys) -> None:
    assert cli.run(["card", "explain", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["next_step"] == "See controller-tool card explain --help"


def test_wrong_usage_exits_2(capsys) -> None:
    assert cli.run(["no-such-command"]) == 2
    assert cli.run(["board", "show"]) == 2
    assert "NAME" in capsys.readouterr().err


def test_a_command_without_a_site_says_how_to_name_one(capsys) -> None:
    assert cli.run(["push"]) == 1
    what, next_step = capsys.readouterr().err.splitlines()
    assert what == "No site folder was named"
    assert "--site" in next_step


def test_a_folder_that_is_no_site_is_refused(capsys, tmp_path) -> None:
    assert cli.run(["push", "--site", str(tmp_path)]) == 1
    assert "is not a site folder" in capsys.readouterr().err


def test_the_site_may_stand_before_or_after_the_command_or_in_the_environment(
    command, tmp_path, monkeypatch, capsys
) -> None:
    command(lambda app: app.show({"site": app.folder}, "shown"))
    for arguments in (["--site", str(tmp_path), "act"], ["act", "--site", str(tmp_path)]):
        assert cli.run([*arguments, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"site": str(tmp_path)}
    monkeypatch.setenv(common.SITE_VARIABLE, str(tmp_path))
    assert cli.run(["--json", "act"]) == 0
    assert json.loads(capsys.readouterr().out) == {"site": str(tmp_path)}


def test_json_has_dataclasses_and_bytes(command, capsys) -> None:
    @dataclass
    class Result:
        digest: bytes
        names: tuple[str, ...]

    command(lambda app: app.show([Result(b"\x01\xff", ("张伟",))], "for people"))
    assert cli.run(["act", "--json"]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown) == [{"digest": "01ff", "names": ["张伟"]}]
    assert "张伟" in shown


def test_without_json_people_get_text(command, capsys) -> None:
    command(lambda app: app.show({}, common.table(["name"], [["door-1"], [None]]), "[done]"))
    assert cli.run(["act"]) == 0
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "name", "door-1", "", "[done]",
    ]  # fmt: skip


def test_a_refusal_is_one_line_and_one_next_step(command, capsys) -> None:
    def refuse(_):
        raise OperatorError("No card is 7", "See `card list`")

    command(refuse)
    assert cli.run(["act"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "No card is 7\n  See `card list`\n"


def test_a_refusal_in_json_has_the_wire_code(command, capsys) -> None:
    def refuse(_):
        raise DeviceError("refused", "push again", code=20)

    command(refuse)
    assert cli.run(["act", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False, "error": "refused", "next_step": "push again", "code": 20,
    }  # fmt: skip


@pytest.mark.parametrize("fault", [KeyError("secret"), RecursionError(), OSError("disk")])
def test_a_fault_of_the_tool_shows_no_traceback_and_no_secret(command, capsys, fault) -> None:
    def fail(_):
        raise fault

    command(fail)
    assert cli.run(["act"]) == 1
    said = capsys.readouterr().err
    assert type(fault).__name__ in said
    assert "secret" not in said
    assert "Traceback" not in said


def test_the_developer_may_see_the_traceback(command, monkeypatch) -> None:
    def fail(_):
        raise KeyError

    command(fail)
    monkeypatch.setenv(errors.DEBUG, "1")
    with pytest.raises(KeyError):
        cli.run(["act"])


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, click.Abort])
def test_an_interrupt_is_no_fault(command, capsys, interrupt) -> None:
    def stop(_):
        raise interrupt

    command(stop)
    assert cli.run(["act"]) == 1
    assert capsys.readouterr().err.strip() == "Stopped"


@pytest.mark.parametrize("arguments", [["board", "list"], ["board", "list", "--json"]])
def test_a_full_disk_behind_the_output_is_two_lines(arguments) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-c", "from controller_tool.cli import main; main()", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    what, next_step = ran.stderr.splitlines()
    assert what.startswith("The output cannot be written: ")
    assert next_step.startswith("  Make room")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_end_in_no_traceback(closed) -> None:
    command = f'"{sys.executable}" -c "from controller_tool.cli import main; main()" board list'
    ran = subprocess.run(
        ["sh", "-c", f"{command} {closed}"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_fault_of_the_disk_is_told_as_such(command, capsys, monkeypatch) -> None:
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "_silence", lambda _: None)
    command(fail)
    assert cli.run(["act"]) == 1
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(("width", "stacked"), [(200, False), (24, True)])
def test_a_table_on_a_narrow_terminal_stands_row_by_row(width, stacked) -> None:
    screen = StringIO()
    console = Console(width=width, force_terminal=True, file=screen)
    made = common.table(["card", "holder", "number"], [["K000001", "张伟", "em4100:" + "0" * 20]])
    console.print(fitted(console, made))
    lines = screen.getvalue().splitlines()
    assert ("card" in lines[0] and "K000001" in lines[0]) == stacked
    assert ("holder" in lines[0]) != stacked


def test_every_command_of_the_table_can_be_loaded_and_has_help(capsys) -> None:
    for name in cli.COMMANDS:
        assert cli.run([name, "--help"]) == 0, name
        shown = capsys.readouterr().out
        for option in ("--site", "--json", "--lang"):
            assert option in shown, name


def test_a_demonstration_is_kept_in_a_named_folder_only(capsys) -> None:
    assert cli.run(["demo", "--keep", "-x"]) == 2
    assert "DIR is missing before -x" in capsys.readouterr().err
