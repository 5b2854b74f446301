"""What an OSDP reader shows of each state, in both languages (host)."""

from __future__ import annotations

import pytest

from firmware.readers import results
from protocol.osdp import CMD_BUZ, CMD_LED, CMD_TEXT, FRAME_MAX_BYTES
from protocol.osdp_show import put

RED, GREEN, AMBER = 1, 2, 3
ON = (1, 0)
ALWAYS, NEVER = 0, None
# English, Chinese, colours, on and off in 100 ms, beeps
TABLE = {
    results.SHOW_REST: ("Present card", "请刷卡", (RED, RED), ON, NEVER),
    results.SHOW_GRANTED: ("Please enter", "请进", (GREEN, GREEN), ON, 1),
    results.SHOW_DENIED: ("No access", "无权限", (RED, 0), (2, 2), 3),
    results.SHOW_WAIT: ("PIN or next card", "密码或下一张卡", (AMBER, 0), (3, 3), 1),
    results.SHOW_HELD: ("Close the door", "请关门", (AMBER, RED), (5, 5), ALWAYS),
    results.SHOW_ALARM: ("Alarm", "报警", (RED, AMBER), (2, 2), ALWAYS),
    results.SHOW_OPEN: ("Door is open", "门已常开", (GREEN, 0), (10, 10), NEVER),
    results.SHOW_SHUT: ("Closed", "门已锁闭", (RED, 0), (10, 10), NEVER),
}


def told(command: int, pattern: int, *, chinese: bool = False) -> bytes:
    """The data of that command."""
    frame = bytearray(FRAME_MAX_BYTES)
    return bytes(frame[: put(frame, 0, command, pattern, chinese)])


def test_every_state_has_a_row() -> None:
    states = {value for name, value in vars(results).items() if name.startswith("SHOW_")}
    assert states == set(TABLE)


@pytest.mark.parametrize("pattern", TABLE)
def test_texts_are_those_of_the_state_in_both_languages(pattern: int) -> None:
    english, chinese = TABLE[pattern][:2]
    assert told(CMD_TEXT, pattern)[6:].decode("ascii") == f"{english:16}"
    text = told(CMD_TEXT, pattern, chinese=True)[6:]
    assert len(text) == 16
    assert text.decode("gb2312").rstrip() == chinese


@pytest.mark.parametrize("pattern", TABLE)
def test_lamp_and_buzzer_are_those_of_the_state(pattern: int) -> None:
    colours, times, beeps = TABLE[pattern][2:]
    lamp = told(CMD_LED, pattern)
    assert tuple(lamp[-2:]) == colours
    assert tuple(lamp[-4:-2]) == times
    buzzer = told(CMD_BUZ, pattern)
    assert buzzer[1] == (1 if beeps is NEVER else 2), "off, or the reader's own tone"
    if beeps is not NEVER:
        assert buzzer[2]
        assert buzzer[4] == beeps
