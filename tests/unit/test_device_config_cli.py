"""What the terminal shows of settings, replacements and two readings of a card (host)."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.cli import run
from controller_tool.services import device_config
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_device_config import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def call(board, monkeypatch, capsys) -> Callable[..., tuple[int, Any]]:
    """A command line with --json: its exit code and what it printed."""
    held = Controller(board.site)

    @contextlib.contextmanager
    def dial(*_: object) -> Iterator[Controller]:
        yield held

    monkeypatch.setattr(device_config, "dial", dial)
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)

    def called(*words: str, lang: str = "en") -> tuple[int, Any]:
        code = run(["--site", str(board.site.path), "--lang", lang, *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return called


def test_a_change_shows_what_was_and_what_will_be(call) -> None:
    code, shown = call("device", "config", "set", "door-1", "unlock_time=7s", "锁类型=断电开锁")
    assert code == 0
    assert shown == {
        "ok": True, "dry_run": False, "device": "door-1", "version": 1, "sent": True,
        "changes": [
            {"setting": "lock_type", "before": "default", "after": "fail_safe"},
            {"setting": "unlock_time", "before": "default", "after": "7 s"},
        ],
    }  # fmt: skip


def test_a_refused_setting_is_named_in_either_language(call) -> None:
    words = ("device", "config", "set", "door-1", "held_open_time=65536")
    code, shown = call(*words)
    assert code == 1
    assert "held_open_time" in shown["error"]
    assert shown["next_step"] == "it may be: 0 s – 65535 s"
    assert "开门超时" in call(*words, lang="zh")[1]["error"]


def test_diff_ends_with_one_where_the_controller_lacks_what_was_signed(call) -> None:
    assert call("device", "config", "diff", "door-1")[0] == 0
    assert call("device", "config", "set", "door-1", "unlock_time=7", "--later")[0] == 0
    code, shown = call("device", "config", "diff", "door-1")
    assert code == 1
    assert (shown["version"], shown["signed_version"], shown["same"]) == (0, 1, False)
    assert [row["name"] for row in shown["differing"]] == ["unlock_time"]


def test_show_lists_what_the_board_can_have(call) -> None:
    code, shown = call("device", "config", "show", "door-1")
    assert code == 0
    row = next(row for row in shown["settings"] if row["name"] == "held_open_time")
    assert (row["number"], row["device"], row["bounds"]) == (3, "", "0 s – 65535 s")


def test_a_replacement_is_told_before_it_is_done(call, site) -> None:
    Board(site, "door-2")
    code, shown = call("device", "replace", "door-1", "door-2", "--dry-run")
    assert code == 0
    assert shown["dry_run"]
    assert {d.name for d in site.devices(enrolled=True)} == {"door-1", "door-2"}
    assert call("device", "replace", "door-1", "door-2")[0] == 0
    assert {d.name for d in site.devices(enrolled=True)} == {"door-1"}


def test_two_readings_of_one_card(call) -> None:
    code, shown = call("card", "same", "iso14443a:04a1b2c3", "wiegand26:a1b2c3")
    assert (code, shown["relation"], shown["shared_bits"]) == (0, "tail", 24)
    code, shown = call("card", "same", "iso14443a:04a1b2c3", "wiegand26:a1b2c4")
    assert (code, shown["may_be_one"]) == (1, False)


def test_enrolment_wants_an_end_before_anybody_waits(call) -> None:
    words = ("card", "enroll", "--device", "door-1", "--name", "王芳")
    assert call(*words)[0] == 2


def test_a_reader_that_is_not_there_keeps_nobody_waiting(call) -> None:
    code, shown = call("card", "enroll", "--device", "door-1", "--reader", "7")
    assert (code, shown["error"]) == (1, "door-1 has no reader 7")
    assert shown["next_step"] == "Its readers are 1 to 2"


def test_two_readings_are_compared_in_a_sentence(call, board, capsys) -> None:
    words = ("card", "same", "iso14443a:04a1b2c3", "wiegand26:a1b2c3")
    assert call(*words)[0] == 0
    assert run(["--site", str(board.site.path), "--lang", "en", *words]) == 0
    said = "one has the last bytes of the other; of other cards, one in 2^24 would show the same"
    assert said in capsys.readouterr().out
