"""Every word that the journals' tables and files show has its Chinese counterpart (host)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import openpyxl
import pytest

from controller_tool import messages
from controller_tool.messages import name_of, t
from controller_tool.services import journal_export, journal_filter, journal_read
from controller_tool.services.journal_filter import Filter
from controller_tool.services.journal_words import RING_NAMES
from protocol.codes import (
    ERR_ARGUMENT,
    ERR_SETTING,
    EVENT_CONFIG_REFUSED,
    EVENT_FIRE,
    EVENT_LEAKAGE,
    EVENT_OVER_POWER,
    EVENT_READER_LOST,
    EVENT_READER_PAIRED,
    EVENT_RELAY_WELD,
    EVENT_SESSION_OPENED,
    EVENT_TICKET_EXECUTED,
    EVENT_TICKET_REFUSED,
    REASON_FIRE,
    ROLE_DESK,
    TICKET_DOOR_MODE,
)
from protocol.constants import RING_ALARM
from protocol.names import CLOCK_NAMES, EVENT_NAMES
from protocol.osdp_panel import PAIR_REFUSED
from tests.unit.registry_support import Board
from tests.unit.test_journal import pull
from tests.unit.test_journal_cli import run, told
from tests.unit.test_journal_reading import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run", "told"]  # fixtures
_HAN = re.compile("[一-鿿]")


@pytest.fixture
def chinese() -> Iterator[None]:
    messages.set_language("zh")
    yield
    messages.set_language(None)


def words() -> dict[str, list[str]]:
    """As `name_of` takes them, group by group."""
    return {
        "event": list(EVENT_NAMES.values()),
        "reason": journal_filter.reason_names(),
        "clock": list(CLOCK_NAMES.values()),
        "ring": list(RING_NAMES.values()),
        "flag": ["master", "emergency"],
        "card": [journal_read.UNKNOWN_CARD],
        "column": journal_export.COLUMNS,
        "key": ["tool", "audit", "disclosed"],
        "role": ["office", "desk", "installer", "technician", "auditor", "hub"],
    }


@pytest.mark.parametrize("group", words())
@pytest.mark.usefixtures("chinese")
def test_every_word_of_the_journals_has_a_chinese_counterpart(group) -> None:
    missing = [word for word in words()[group] if not _HAN.search(name_of(group, word))]
    assert missing == []


@pytest.mark.usefixtures("chinese")
def test_a_word_that_has_none_would_be_found() -> None:
    assert not _HAN.search(name_of("event", "a_new_event"))


@pytest.mark.parametrize("word", ["access", "alarm", "tool", "audit", "disclosed", "synced"])
@pytest.mark.usefixtures("chinese")
def test_words_that_tables_show_as_sentences_have_one_too(word) -> None:
    assert _HAN.search(t(word))


@pytest.mark.usefixtures("told")
def test_a_chinese_table_has_no_english_word(site, board, run) -> None:
    pen = board.pen(RING_ALARM)
    pen.write(EVENT_SESSION_OPENED, ROLE_DESK, b"12345678")
    pull(site, board, pen)
    _, out, _ = run("show", "--lang", "zh")
    seen = re.sub(r"door-1|K000001|\d[\d:.T-]*|[0-9a-f]{16}", "", out)
    assert re.findall("[A-Za-z_]{2,}", seen) == []
    assert {"未知卡", "总台", "会话开始"} <= set(out.split())


@pytest.mark.usefixtures("told")
def test_a_chargers_events_are_chinese_in_the_table_too(site, run) -> None:
    pile = Board(site, "pile-1", board="virtual_charger")
    pen = pile.pen(RING_ALARM)
    for event in (EVENT_RELAY_WELD, EVENT_OVER_POWER, EVENT_LEAKAGE):
        pen.write(event)
    pull(site, pile, pen)
    out = run("show", "pile-1", "--lang", "zh")[1]
    assert {"继电器粘连", "超功率断电", "漏电断电"} <= set(out.split())


@pytest.mark.parametrize("reason", ["desk", "总台"])
@pytest.mark.usefixtures("told")
def test_a_filter_takes_the_word_in_either_language(site, board, run, reason) -> None:
    pen = board.pen(RING_ALARM)
    pen.write(EVENT_SESSION_OPENED, ROLE_DESK, b"12345678")
    pull(site, board, pen)
    assert "会话开始" in run("show", "--reason", reason, "--lang", "zh")[1]


@pytest.mark.usefixtures("told", "chinese")
def test_spreadsheets_have_chinese_headers_and_ndjson_english_keys(site, tmp_path) -> None:
    for name in ("log.csv", "log.xlsx", "log.ndjson"):
        journal_export.export(site, Filter(), tmp_path / name)
        keys = list(rows_of(tmp_path / name)[0])
        if name == "log.ndjson":
            assert keys == journal_export.COLUMNS
        else:
            assert [key for key in keys if not _HAN.search(key)] == []
    sheet = openpyxl.load_workbook(tmp_path / "log.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]][:2] == ["控制器", "环"]


@pytest.mark.parametrize(
    ("event", "reason", "word"),
    [
        (EVENT_TICKET_EXECUTED, TICKET_DOOR_MODE, "door_mode"),
        (EVENT_TICKET_REFUSED, ERR_ARGUMENT, "bad_argument"),
        (EVENT_CONFIG_REFUSED, ERR_SETTING, "setting_out_of_bounds"),
        (EVENT_READER_LOST, 1, "lost"),
        (EVENT_READER_PAIRED, PAIR_REFUSED, "refused"),
        (EVENT_READER_PAIRED, 0, ""),
        (EVENT_FIRE, REASON_FIRE, "fire"),
    ],
)
def test_what_a_door_was_told_to_do_is_a_word(event, reason, word) -> None:
    assert journal_filter.reason_name(event, reason) == word
    assert "" not in journal_filter.reason_names()
