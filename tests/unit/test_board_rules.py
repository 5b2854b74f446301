"""The rules of boards: all boards keep them, and each rule finds a board that does not (host)."""

from __future__ import annotations

import copy
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import board_rules, resources
from controller_tool.board_rules import flash
from controller_tool.board_rules.chips import Chip

if TYPE_CHECKING:
    from pathlib import Path

BOARDS = resources.board_folders()
ESP32, S3 = Chip.of("esp32"), Chip.of("esp32s3")
DOOR, WIRED, STATION, BUSY = (
    "virtual_door", "olimex_esp32_evb", "kincony_kc868_a8", "virtual_charger16",
)  # fmt: skip
S3_DOOR = "waveshare_s3_relay6"


@pytest.mark.parametrize("folder", BOARDS)
def test_every_board_keeps_the_rules(folder: str) -> None:
    assert board_rules.all_problems(folder, resources.describe_board(folder)) == []


def changed(folder: str, *path: str | int, value: Any = None) -> dict[str, Any]:
    """A board's description of which one value is another, or is gone."""
    description: Any = copy.deepcopy(resources.describe_board(folder))
    where = description
    for name in path[:-1]:
        where = where[name]
    if value is None:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    return dict(description)


def spoilt(folder: str, *path: str | int, value: Any = None) -> str:
    """What the rules say of such a board."""
    return "; ".join(board_rules.problems(changed(folder, *path, value=value)))


@pytest.mark.parametrize(
    ("said", "folder", "path", "value"),
    [
        ("pin 22 has 2 uses: door, fire", DOOR, ("wiring", "inputs", "door", "pin"), 22),
        ("pin 16 has 2 uses: rex, rx of reader 1", DOOR, ("wiring", "inputs", "rex", "pin"), 16),
        ("pin 25 has 2 uses", WIRED, ("wiring", "inputs", "door", "pin"), 25),
        ("pin 40 has 2 uses: port1, port2", STATION, ("wiring", "relays", "port2"), 40),
        ("pin 33 has 2 uses", WIRED, ("wiring", "relays", "lock"), 33),
        ("no such pin", DOOR, ("wiring", "relays", "lock"), 24),
        ("the ESP32 has no such pin", DOOR, ("wiring", "inputs", "rex", "pin"), 48),
        ("belongs to the chip's flash", DOOR, ("wiring", "inputs", "rex", "pin"), 9),
        ("belongs to the chip's console", DOOR, ("wiring", "inputs", "rex", "pin"), 3),
        ("it is an input only", DOOR, ("wiring", "relays", "lock"), 34),
        ("it is an input only", DOOR, ("wiring", "indicator"), 39),
        ("it is an input only", STATION, ("wiring", "bus", "sda"), 36),
        ("no input of ADC1", "virtual_doors4", ("wiring", "lines", "fire", "pin"), 27),
        ("no input of ADC1", "virtual_charger", ("wiring", "supply", "pin"), 25),
        ("must be high at boot", DOOR, ("wiring", "inputs", "rex", "pin"), 0),
        ("must be high at boot", DOOR, ("wiring", "indicator"), 0),
        ("must be low at boot", DOOR, ("wiring", "inputs", "rex", "pin"), 12),
        ("must be low at boot", STATION, ("wiring", "bus", "scl"), 12),
        ("chooses how the chip boots", DOOR, ("wiring", "relays", "lock"), 12),
        ("lines are to be counted", DOOR, ("wiring", "readers"), [{"kind": "wiegand"}] * 5),
        ("no source is named", WIRED, ("source",), None),
        ("says nothing of wiring", DOOR, ("wiring",), None),
        ("No kind of board", DOOR, ("kind",), "lift"),
        ("no chip is named esp99", DOOR, ("chip",), "esp99"),
    ],
)
def test_a_wrong_pin_is_found(
    said: str, folder: str, path: tuple[str | int, ...], value: Any
) -> None:
    assert said in spoilt(folder, *path, value=value)


@pytest.mark.parametrize("pin", sorted(ESP32.moves_at_boot))
def test_no_relay_of_an_esp32_hangs_where_the_chip_moves_at_boot(pin: int) -> None:
    assert pin in {0, 1, 3, 5, 14, 15}
    assert "moves at boot" in spoilt(DOOR, "wiring", "relays", "lock", value=pin)
    assert "moves at boot" in spoilt(STATION, "wiring", "contactor", value=pin)


@pytest.mark.parametrize("pin", sorted({*S3.moves_at_boot, *S3.strapping, *S3.taken}))
def test_no_relay_of_an_esp32_s3_hangs_on_what_the_chip_needs(pin: int) -> None:
    assert spoilt("waveshare_s3_relay6", "wiring", "relays", "lock", value=pin)


def test_the_esp32_s3_has_its_own_adc1_and_counters() -> None:
    line = {"fire": {"pin": 11, "rest_mv": 1050, "active_mv": 1960}}
    assert "ADC1" in spoilt("waveshare_s3_relay6", "wiring", "lines", value=line)
    line["fire"]["pin"] = 10
    assert spoilt("waveshare_s3_relay6", "wiring", "lines", value=line) == ""
    three = [{"kind": "wiegand"}] * 3
    assert "4 counters" in spoilt("waveshare_s3_relay6", "wiring", "readers", value=three)


def test_an_expander_that_keeps_its_state_needs_a_contactor() -> None:
    for folder in ("virtual_charger10", BUSY, STATION):
        assert "no contactor" in spoilt(folder, "wiring", "contactor")
        assert "hangs on an expander" in spoilt(folder, "wiring", "contactor", value=47)
    row = {"kind": "hc595", "latch": 12, "chips": 2, "first": 40}
    without = spoilt("virtual_charger12", "wiring", "expanders", value=[row])
    assert "neither reset nor enable" in without


def test_a_chip_of_inputs_needs_none() -> None:
    description = changed(STATION, "wiring", "contactor")
    description["wiring"]["expanders"] = description["wiring"]["expanders"][1:]
    description["wiring"]["relays"] = {f"port{n}": n for n in (19, 21, 22, 23)}
    description["wiring"]["spare_relays"] = {}
    assert board_rules.problems(description) == []


@pytest.mark.parametrize("folder", ["virtual_charger10", "virtual_charger12", "virtual_charger16"])
def test_where_nothing_tells_the_port_a_reader_has_keys(folder: str) -> None:
    rows = copy.deepcopy(resources.describe_board(folder)["wiring"]["readers"])
    rows[0]["keypad"] = False
    assert "nobody can choose port 1, 2, 3" in spoilt(folder, "wiring", "readers", value=rows)
    del rows[0]["keypad"]
    assert "nobody can choose port 1, 2, 3" in spoilt(folder, "wiring", "readers", value=rows)
    rows[0]["keypad"] = 8
    assert spoilt(folder, "wiring", "readers", value=rows) == ""


def test_each_port_of_several_has_its_contact_or_button_where_no_reader_has_keys() -> None:
    inputs = copy.deepcopy(resources.describe_board("virtual_charger2")["wiring"]["inputs"])
    for gone, found in (("button2", False), ("plug2", True)):
        del inputs[gone]
        told = spoilt("virtual_charger2", "wiring", "inputs", value=inputs)
        assert ("nobody can choose port 2:" in told) == found
    assert "nobody can choose port 4:" in spoilt(STATION, "wiring", "inputs", "button4")
    assert spoilt("virtual_charger", "wiring", "inputs", "plug") == "", "one port is no question"


def test_an_enable_line_stands_on_no_pin_that_chooses_how_the_chip_boots() -> None:
    row = {"kind": "hc595", "latch": 26, "enable": 12, "chips": 2, "first": 40}
    found = spoilt("virtual_charger12", "wiring", "expanders", value=[row])
    assert "must be low at boot" in found


JOURNAL_AT = 7


@pytest.mark.parametrize(
    ("said", "folder", "path", "value"),
    [
        ("behind the flash", DOOR, ("partitions", JOURNAL_AT, "size"), 0xEA000),
        ("the partition journal is missing", DOOR, ("partitions", JOURNAL_AT), None),
        ("does not begin and end at a sector", DOOR, ("partitions", JOURNAL_AT, "size"), 0xE8F00),
        ("(0x10000)", DOOR, ("partitions", 2, "offset"), 0x11000),
        ("lists begins before vfs ends", DOOR, ("partitions", 3, "size"), 0x84000),
        ("nvs begins before the partition table ends", DOOR, ("partitions", 0, "offset"), 0x8000),
        ("is of another type", DOOR, ("partitions", 3, "subtype"), 0x82),
        ("too small for a stock image", DOOR, ("partitions", 2, "size"), 0x100000),
        ("none of 4, 8, 16 and 32 MB", DOOR, ("flash_bytes",), 0x600000),
        ("counts no further than 1048576", S3_DOOR, ("partitions", JOURNAL_AT, "size"), 0x101000),
        ("counts no further than 1048576", S3_DOOR, ("partitions", 6, "size"), 0x101000),
        ("counts no further than 65536", DOOR, ("partitions", 5, "size"), 0x11000),
        ("the firmware needs 65536", DOOR, ("partitions", 5, "size"), 0xF000),
        ("the firmware needs 524288", DOOR, ("partitions", 3, "size"), 0x7F000),
        ("no partition of its kind", BUSY, ("partitions", 8, "size"), 0x8000),
        ("holds less than 18000 records", BUSY, ("partitions", JOURNAL_AT, "size"), 0x10000),
    ],
)
def test_a_wrong_partition_table_is_found(
    said: str, folder: str, path: tuple[str | int, ...], value: Any
) -> None:
    assert said in spoilt(folder, *path, value=value)


ESP32_LEDS = {"first": 0, "kind": "pcf8574", "address": 0x24}
OSDP_ELSEWHERE = {"kind": "osdp", "uart": 1, "rx": 5, "tx": 6, "direction": "automatic"}
AT_40, PINS = {**ESP32_LEDS, "first": 40}, ("wiring", "ethernet", "pins")
METER = {"kind": "bl0942", "uart": 1, "rx": 14, "tx": 33, "lines": [[0, 1, 2, 3]]}


@pytest.mark.parametrize(
    ("said", "folder", "path", "value"),
    [
        # numbers of an expander's pins would hide those of the chip
        ("numbers of the ESP32's own", STATION, ("wiring", "expanders", 0, "first"), 0),
        ("numbers of the ESP32's own", DOOR, ("wiring", "expanders"), [ESP32_LEDS]),
        ("numbers of the ESP32-S3's own", S3_DOOR, ("wiring", "expanders"), [AT_40]),
        ("two expanders have pins of one number", STATION, ("wiring", "expanders", 1, "first"), 44),
        ("nothing drives an expander 4051", STATION, ("wiring", "expanders", 0, "kind"), "4051"),
        ("that expander has inputs alone", STATION, ("wiring", "relays", "port1"), 50),
        ("that expander has outputs alone", STATION, ("wiring", "inputs", "smoke", "pin"), 44),
        # a pin under a name that nobody looks at
        ("nothing is known of siren in [wiring]", DOOR, ("wiring", "siren"), 5),
        ("nothing is known of readers: led in", DOOR, ("wiring", "readers", 0, "led"), 12),
        ("nothing is known of meters: relay in", STATION, ("wiring", "meters", 0, "relay"), 5),
        ("nothing is known of inputs: relay in", DOOR, ("wiring", "inputs", "rex", "relay"), 5),
        # lines
        ("UART 0 is not for", DOOR, ("wiring", "readers", 0, "uart"), 0),
        ("UART 1 has two lines", STATION, ("wiring", "meters", 0), METER),
        ("UART 1 has two lines", S3_DOOR, ("wiring", "readers", 1), OSDP_ELSEWHERE),
        # Ethernet
        ("it must be low at boot", WIRED, PINS, [0, 2, 19, 21, 22, 25, 26, 27]),
        ("wants pins 27 too", WIRED, PINS, [0, 19, 21, 22, 25, 26]),
        ("has no Ethernet of its own", S3_DOOR, ("wiring", "ethernet"), {"pins": [4]}),
        # the image
        ("no https address", DOOR, ("image",), {"address": "http://vendor.example/x.bin"}),
        ("says nothing of sha256", DOOR, ("image",), {"address": "https://vendor.example/x.bin"}),
        ("not 64 digits", DOOR, ("image",), {"sha256": "abc"}),
    ],
)  # fmt: skip
def test_what_would_slip_past_is_found(
    said: str, folder: str, path: tuple[str | int, ...], value: Any
) -> None:
    assert said in spoilt(folder, *path, value=value)


@pytest.mark.parametrize("kind", ["door", "charger"])
@pytest.mark.parametrize(("megabytes", "cards"), [(4, 20224), (8, 50000), (16, 50000), (32, 50000)])
def test_the_table_that_is_proposed_keeps_the_rules(kind: str, megabytes: int, cards: int) -> None:
    rows = flash.proposed(kind, megabytes << 20)
    folder = {"door": DOOR, "charger": BUSY}[kind]
    description = changed(folder, "partitions", value=rows) | {"flash_bytes": megabytes << 20}
    assert board_rules.problems(description) == []
    assert flash.cards_that_fit(rows) == cards
    journal = next(row for row in rows if row["label"] == "journal")
    assert journal["size"] == (0x100000 if megabytes > 4 else {"door": 0xE9000}.get(kind, 0xD9000))


@pytest.mark.parametrize(
    ("said", "folder", "path", "value"),
    [
        ("15 ports have 16 relays", BUSY, ("capabilities", "points"), 15),
        ("16 ports have 15 relays", BUSY, ("wiring", "relays", "port16"), None),
        ("tells of smoke", STATION, ("wiring", "inputs", "smoke"), None),
    ],
)
def test_what_a_charger_lacks_is_found(
    said: str, folder: str, path: tuple[str, ...], value: Any
) -> None:
    assert said in spoilt(folder, *path, value=value)


@pytest.mark.parametrize(
    ("said", "folder", "path", "value"),
    [
        ("rtc is True in board.py and False in board.toml", DOOR, ("capabilities", "rtc"), False),
        ("nothing is known of a capability", DOOR, ("capabilities", "teleport"), True),
        ("osdp is claimed, and firmware.readers.osdp", DOOR, ("capabilities", "osdp"), True),
        ("ethernet is claimed, and Networks", DOOR, ("capabilities", "ethernet"), True),
        ("ethernet is claimed, and ethernet is", WIRED, ("wiring", "ethernet"), None),
        ("supply is claimed, and supply is", DOOR, ("capabilities", "supply"), True),
        ("no input tells", "virtual_charger", ("wiring", "inputs", "mains"), None),
        ("ds3231 is claimed, and clock_bus", DOOR, ("capabilities", "ds3231"), True),
        ("points is 2, and the wiring has 1", DOOR, ("capabilities", "points"), 2),
        ("readers is 3, and the wiring has 2", DOOR, ("capabilities", "readers"), 3),
        ("cards must be 1 to 20224", DOOR, ("capabilities", "cards"), 50000),
        ("cards must be 1 to 50000", S3_DOOR, ("capabilities", "cards"), 50001),
        ("rtc is 1: a capability is true or false", DOOR, ("capabilities", "rtc"), 1),
        ("nothing is known of a capability", DOOR, ("capabilities", "teleport"), 1),
        ("points is 0", DOOR, ("capabilities", "points"), 0),
        (
            "no driver for a abacus meter",
            "virtual_charger2",
            ("wiring", "meters", 0, "kind"),
            "abacus",
        ),
        ("no driver for a tarot reader", DOOR, ("wiring", "readers", 0, "kind"), "tarot"),
    ],
)
def test_what_is_claimed_without_a_driver_is_found(
    said: str, folder: str, path: tuple[str | int, ...], value: Any
) -> None:
    found = board_rules.code_problems(folder, changed(folder, *path, value=value))
    assert any(said in text for text in found), found


def own_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> list[str]:
    """What is said of a board of one's own whose code is that of a door, but for one thing."""
    shutil.copytree(resources.boards_dir() / WIRED, tmp_path / "mine")
    code = tmp_path / "mine" / "board.py"
    text = code.read_text("utf-8")
    assert old in text
    code.write_text(text.replace(old, new), "utf-8")
    monkeypatch.setenv(resources.OWN_BOARDS, str(tmp_path))
    return board_rules.all_problems("mine", resources.describe_board("mine"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("olimex-esp32-evb", "mine", ""),
        ("def safe_state", "def unsafe_state", "board.py has no safe_state()"),
        ("def indicator", "def light", "board.py has no indicator()"),
        ('KIND = "door"', "", "board.py has no KIND"),
        ("import Networks, ethernet", "import Networks as N, ethernet", ""),
        ("def inputs() ->", "def inputs( ->", "board.py: "),
        ("_LOCK = 32", "_LOCK = 15", "board.py uses pin 15, of which board.toml says nothing"),
        ("_LOCK = 32", "_LOCK = 15", "pin 32 (lock) of board.toml is not in board.py"),
        ("_RELAYS = (_LOCK,)", "_RELAYS = (_LOCK, 2)", "board.py uses pin 2"),
        ("tx=5,", "tx=1,", "board.py uses pin 1, of"),
        ("Pin(13, Pin.IN, Pin.PULL_UP)", "Pin(12, Pin.IN)", "board.py uses pin 12"),
        ('"points": 1', '"points": 2', "points is 2 in board.py and 1 in board.toml"),
    ],
)
def test_board_py_is_held_to_what_the_firmware_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    found = own_board(tmp_path, monkeypatch, old, new)
    assert any(said in text for text in found) if said else found == []


def test_no_board_of_one_s_own_stands_for_one_of_the_tool_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(resources.boards_dir() / WIRED, tmp_path / DOOR)
    monkeypatch.setenv(resources.OWN_BOARDS, str(tmp_path))
    assert resources.board_dir(DOOR) == resources.boards_dir() / DOOR
    assert resources.board_folders() == BOARDS
