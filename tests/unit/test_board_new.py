"""`board new` makes a board that keeps the rules, `board check` says what does not (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from controller_tool import cli, messages, resources
from controller_tool.pack import boot_files, build_pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for boards of one's own, which the tool knows."""
    monkeypatch.setenv(resources.OWN_BOARDS, str(tmp_path))
    yield tmp_path
    messages.set_language(None)


@pytest.mark.parametrize("kind", ["door", "charger"])
@pytest.mark.parametrize("chip", ["esp32", "esp32s3"])
def test_a_new_board_keeps_the_rules_and_can_be_packed(own, capsys, kind, chip) -> None:
    assert cli.run(["board", "new", "my-board", "--kind", kind, "--chip", chip]) == 0
    assert cli.run(["board", "check", "my-board"]) == 0
    assert "keeps the rules" in capsys.readouterr().out
    assert len(build_pack("my_board")) > 10_000
    assert set(boot_files("my_board")) >= {"/boot.py", "/board.mpy"}
    for name in ("board.toml", "board.py"):
        text = (own / "my_board" / name).read_text("utf-8")
        assert "FILL IN" in text
        assert "$" not in text


@pytest.mark.parametrize("megabytes", ["8", "16"])
@pytest.mark.parametrize("kind", ["door", "charger"])
@pytest.mark.usefixtures("own")
def test_a_larger_flash_has_a_larger_table(capsys, kind, megabytes) -> None:
    asked = ["board", "new", "my-board", "--kind", kind, "--chip", "esp32s3"]
    assert cli.run([*asked, "--flash", megabytes]) == 0
    assert cli.run(["board", "check", "my-board"]) == 0
    capsys.readouterr()
    assert cli.run(["board", "show", "my-board", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flash_bytes"] == int(megabytes) << 20
    assert told["capabilities"]["cards"] == 50000
    assert len(build_pack("my_board")) > 10_000


@pytest.mark.usefixtures("own")
def test_it_is_listed_with_the_tool_s(capsys) -> None:
    cli.run(["board", "new", "my-board"])
    capsys.readouterr()
    assert cli.run(["board", "list", "--json"]) == 0
    assert {"my-board", "virtual-door"} <= {b["name"] for b in json.loads(capsys.readouterr().out)}


def test_a_spoilt_board_is_named_with_what_is_wrong(own, capsys) -> None:
    cli.run(["board", "new", "my-board"])
    path = own / "my_board" / "board.toml"
    path.write_text(path.read_text("utf-8").replace("lock = 13", "lock = 5"), "utf-8")
    capsys.readouterr()
    assert cli.run(["board", "check"]) == 1
    said = capsys.readouterr().out
    assert "it moves at boot" in said
    assert said.count("my-board") > 1
    assert "olimex-esp32-evb" in said
    assert cli.run(["board", "check", "--lang", "zh", "my-board"]) == 1
    assert "不得接继电器" in capsys.readouterr().out
    assert cli.run(["board", "check", "virtual-door"]) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind =", "kind", "cannot be read"),
        ("kind =", "sort =", "says nothing of kind"),
        ("relays =", "levers =", "'relays'"),
        ("{ lock = 13 }", '"13"', "cannot be understood"),
        ('chip = "esp32"', 'chip = "z80"', "no chip is named z80"),
    ],
)
def test_what_is_no_description_ends_in_a_line(own, capsys, old, new, said) -> None:
    cli.run(["board", "new", "my-board"])
    path = own / "my_board" / "board.toml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    assert cli.run(["board", "check", "my-board", "--json"]) == 1
    told = capsys.readouterr()
    assert said in told.out
    assert "Traceback" not in told.out + told.err


@pytest.mark.usefixtures("own")
def test_a_board_that_cannot_be_made_is_refused(capsys, monkeypatch) -> None:
    cli.run(["board", "new", "my-board"])
    for name, said in (
        ("my-board", "a board my-board already"),
        ("virtual-door", "a board virtual-door already"),
        ("esp32s3", "a board esp32s3 already"),
        ("../door", "no name for a board"),
        ("Door", "no name for a board"),
    ):
        assert cli.run(["board", "new", name]) == 1
        assert said in capsys.readouterr().err
    monkeypatch.delenv(resources.OWN_BOARDS)
    assert cli.run(["board", "new", "other"]) == 1
    assert "CONTROLLER_TOOL_BOARDS" in capsys.readouterr().err
    assert cli.run(["board", "check", "my-board"]) == 1
    assert "No board is named my-board" in capsys.readouterr().err


def test_where_the_tool_does_not_look_is_said(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.delenv(resources.OWN_BOARDS, raising=False)
    assert cli.run(["board", "new", "my-board", "--into", str(tmp_path)]) == 0
    assert f"Set CONTROLLER_TOOL_BOARDS to {tmp_path}" in " ".join(capsys.readouterr().out.split())
