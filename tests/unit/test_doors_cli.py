"""Doors at the desk: PINs, flags of profiles, tickets, the simulator's doors (host)."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from controller_tool import cli, credentials, resources
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Profile
from controller_tool.services import devices_ops, list_content
from controller_tool.sim import readers
from controller_tool.sim.folder import describe
from controller_tool.sim.page import layout
from controller_tool.sim.readers import BadStimulus
from controller_tool.sim.stimuli import Stimuli
from protocol import cbor, cose
from protocol.codes import (
    CREDENTIAL_CARD_PIN,
    CREDENTIAL_EM4100,
    CREDENTIAL_PIN,
    CREDENTIAL_WIEGAND26,
    MODE_LOCKDOWN,
    MODE_OPEN,
    TICKET_DOOR_MODE,
    TICKET_UNLOCK,
)
from protocol.constants import PROFILE_FLAGS
from protocol.names import MODE_NAMES, PROFILE_FLAG_NAMES
from protocol.policy.door_modes import argument
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.sim.supervisor import Supervisor

pytestmark = pytest.mark.usefixtures("at_the_desk")
UNTIL_FURTHER_NOTICE = ", until further notice; end it with: device mode door-1 schedule"


@pytest.fixture
def run(site, capsys):
    """Carries out a command on the test's site; returns exit code, output, error lines."""

    def run_(*words: str):
        code = cli.run([*words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, said.out.split("\n"), said.err

    return run_


# --- PINs --------------------------------------------------------------------------------


def test_a_pin_alone_and_with_a_card_are_credentials() -> None:
    alone = credentials.parse("pin:4711")
    assert (alone.type, alone.data, str(alone)) == (CREDENTIAL_PIN, b"4711", "pin:4711")
    both = credentials.parse("0012345678+12345678")
    card = credentials.parse("0012345678")
    assert both.type == CREDENTIAL_CARD_PIN
    assert both.data == bytes((CREDENTIAL_EM4100, 5)) + card.data + b"12345678"
    for one in (alone, both):
        assert credentials.parse(str(one)) == one


def test_no_digit_of_a_pin_is_ever_shown() -> None:
    assert credentials.parse("pin:4711").masked() == "pin:…"
    assert credentials.parse("0012345678+4711").masked() == "em4100:…614e+…"


@pytest.mark.parametrize("digits", ["123", "123456789", "12a4", "", "١٢٣٤"])
def test_what_is_no_pin_is_refused_without_being_shown(digits) -> None:
    for text in (f"pin:{digits}", f"0012345678+{digits}"):
        with pytest.raises(OperatorError) as caught:
            credentials.parse(text)
        assert not digits or digits not in str(caught.value), text


@pytest.mark.parametrize("text", ["pin:1234+4711", "x+4711", "osdp_raw:" + "00" * 31 + "+4711"])
def test_a_pin_belongs_to_a_card_that_leaves_room_for_it(text) -> None:
    with pytest.raises(OperatorError):
        credentials.parse(text)


# --- profiles ----------------------------------------------------------------------------


def test_flags_are_given_changed_and_taken_away(run, site) -> None:
    assert run("profile", "add", "guest", "--flag", "needs-escort", "--flag", "needs-pin")[0] == 0
    shown = json.loads("\n".join(run("profile", "list", "--json")[1]))
    assert shown[1]["flags"] == ["needs-pin", "needs-escort"]
    with site.registry.session() as session:
        assert list_content.profile_row(session.get_one(Profile, 2))[4] == 5
    assert run("profile", "change", "guest", "--unlock", "7")[0] == 0
    assert "needs-pin, needs-escort" in run("profile", "list")[1][2]
    run("profile", "change", "guest", "--flag", "escort")
    assert "escort" in run("profile", "list")[1][2]
    run("profile", "change", "guest", "--flag", "none")
    assert "escort" not in run("profile", "list")[1][2]


def test_a_flag_that_is_none_is_refused_with_those_that_are(run) -> None:
    code, _, err = run("profile", "add", "guest", "--flag", "king")
    assert code == 1
    assert "king" in err
    assert "needs-pin" in err


def test_names_cover_all_flags_and_no_more() -> None:
    assert sum(PROFILE_FLAG_NAMES) == PROFILE_FLAGS


# --- tickets -----------------------------------------------------------------------------


@pytest.fixture
def tickets(site, monkeypatch):
    """A controller that takes every ticket; what it was told, as (action, point, argument)."""
    Board(site, "door-1", board="virtual_doors4")
    Board(site, "pile-1", board="virtual_charger")
    told = []

    class Client:
        def nonce(self) -> bytes:
            return bytes(16)

        def do_ticket(self, envelope: bytes) -> None:
            told.append(tuple(cbor.decode(cose.open_envelope(envelope).payload)[3:]))

    @contextmanager
    def dial(*_, **__):
        yield Client()

    monkeypatch.setattr(devices_ops, "dial", dial)
    return told


def test_an_unlock_names_its_door_from_one(run, tickets) -> None:
    assert run("device", "unlock", "door-1")[0] == 0
    assert run("device", "unlock", "door-1", "--door", "3")[0] == 0
    assert tickets == [(TICKET_UNLOCK, 0, 0), (TICKET_UNLOCK, 2, 0)]


def test_a_mode_is_commanded_for_minutes_or_until_further_notice(run, tickets) -> None:
    code, out, _ = run("device", "mode", "door-1", "lockdown")
    assert (code, out[0]) == (0, f"door-1, door 1: lockdown{UNTIL_FURTHER_NOTICE}")
    code, out, _ = run("device", "mode", "door-1", "open", "--door", "2", "--minutes", "90")
    assert (code, out[0]) == (0, "door-1, door 2: open, for 90 min")
    assert tickets == [
        (TICKET_DOOR_MODE, 0, argument(MODE_LOCKDOWN, 0)),
        (TICKET_DOOR_MODE, 1, argument(MODE_OPEN, 90)),
    ]


def test_every_mode_has_its_word(run, tickets) -> None:
    for word in MODE_NAMES.values():
        assert run("device", "mode", "door-1", word)[0] == 0
    assert [one[2] >> 13 for one in tickets] == list(MODE_NAMES)
    assert "hours" in run("device", "mode", "door-1", "schedule")[1][0]


def test_what_makes_no_sense_is_not_sent(run, tickets) -> None:
    assert run("device", "mode", "door-1", "schedule", "--minutes", "5")[0] == 2
    assert run("device", "mode", "door-1", "open", "--minutes", "8192")[0] == 2
    assert run("device", "mode", "pile-1", "open")[0] == 1
    assert tickets == []


def test_a_door_that_is_not_there_is_told_before_anybody_is_asked(run, tickets) -> None:
    for words in (("unlock", "door-1"), ("mode", "door-1", "lockdown")):
        code, _, err = run("device", *words, "--door", "5")
        assert code == 1
        assert err.split("\n")[:2] == ["door-1 has no door 5", "  Its doors are 1 to 4"]
    assert tickets == []


@pytest.mark.usefixtures("tickets")
def test_what_ends_a_mode_names_its_door(run) -> None:
    out = run("device", "mode", "door-1", "lockdown", "--door", "2")[1]
    assert out[0].endswith("end it with: device mode door-1 --door 2 schedule")
    assert run("device", "unlock", "door-1", "--door", "3")[1][0] == "door-1, door 3 is unlocked"


@pytest.mark.parametrize(("lang", "said"), [("en", "1: lost, tamper; 2: well"),
                                            ("zh", "1: 无应答, 被拆; 2: 正常")])  # fmt: skip
def test_info_tells_of_readers_in_words(run, tickets, monkeypatch, lang, said) -> None:
    assert tickets == []
    told = {"reader_trouble": bytes((3, 0)), "reader_pairing": bytes((0, 2)), "kind": "door"}
    monkeypatch.setattr(devices_ops, "info", lambda *_: told)
    lines = "\n".join(run("device", "info", "door-1", "--lang", lang)[1])
    assert said in lines
    assert lang == "en" or "读卡器状态" in lines


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "1: lockdown, locked, leaf_closed; 2: controlled, unlocked, leaf_open, fire_latched"),
     ("zh", "2: 受控, 未锁, 门开着, 消防释放中")],
)  # fmt: skip
def test_info_tells_how_each_door_is(run, tickets, monkeypatch, lang, said) -> None:
    assert tickets == []
    monkeypatch.setattr(devices_ops, "info", lambda *_: {"doors": bytes((0x30, 7))})
    assert said in "\n".join(run("device", "info", "door-1", "--lang", lang)[1])


# --- the virtual board -------------------------------------------------------------------


class Wires:
    """In place of a supervisor: a page of memory and a board's description."""

    def __init__(self, board: str) -> None:
        self.description = describe(board)
        self.page = self
        self.bytes = bytearray(layout.PAGE_BYTES)
        self.readers: dict[int, object] = {}
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def raise_generation(self, _: int) -> None:
        """Nobody looks."""

    def later(self, delay_s: float, action) -> None:
        """It stays as it is until a test looks."""
        self.waiting.append((delay_s, action))


def test_stimuli_name_their_door() -> None:
    wires = Wires("virtual_doors4")
    stimuli = Stimuli(cast("Supervisor", wires))
    stimuli.apply("open_door", {"door": 2})
    stimuli.apply("press_rex", {"door": 4})
    inputs = wires.description["wiring"]["inputs"]
    assert wires.bytes[layout.LEVELS + inputs["door2"]["pin"]] == 1
    assert wires.bytes[layout.LEVELS + inputs["rex4"]["pin"]] == 0
    with pytest.raises(BadStimulus, match="door5"):
        stimuli.apply("open_door", {"door": 5})
    with pytest.raises(BadStimulus, match="door2"):
        Stimuli(cast("Supervisor", Wires("virtual_door"))).apply("open_door", {"door": 2})


def test_a_pin_is_typed_where_the_reader_has_a_keypad(monkeypatch) -> None:
    wires = Wires("virtual_door_wiegand")
    stimuli, typed = Stimuli(cast("Supervisor", wires)), []
    monkeypatch.setattr(readers, "pulse", lambda _page, _wired, bits: typed.append(len(bits)))
    monkeypatch.setattr(readers, "wiegand_key", lambda key, _bits: [0] * key)
    pin = {"type": CREDENTIAL_PIN, "credential": b"4711".hex()}
    stimuli.apply("swipe_card", pin)
    card = bytes((CREDENTIAL_WIEGAND26, 3, 1, 2, 3))
    both = {"type": CREDENTIAL_CARD_PIN, "credential": (card + b"12345678").hex()}
    stimuli.apply("swipe_card", both)
    assert typed == [26], "the card at once, keys one after the other"
    assert all(delay_s < 0.9 for delay_s, _ in wires.waiting), "while somebody looks"
    assert wires.waiting[5][0] > 0.15, "when the card's frame is over"
    for _, press in wires.waiting:
        press()
    assert typed == [26, 4, 7, 1, 1, 11, 1, 2, 3, 4, 5, 6, 7, 8, 11]


def test_a_reader_that_is_not_there_is_named() -> None:
    stimuli = Stimuli(cast("Supervisor", Wires("virtual_door")))
    for verb, more in (("swipe_card", {"credential": "01"}), ("press_key", {"key": 1})):
        with pytest.raises(BadStimulus, match="no reader 3, but 2"):
            stimuli.apply(verb, {**more, "reader": 2})


def test_a_supervised_line_takes_a_voltage_or_acts() -> None:
    wires = Wires("virtual_doors4")
    stimuli = Stimuli(cast("Supervisor", wires))
    at = layout.ANALOG_MV + 2 * wires.description["wiring"]["lines"]["fire"]["pin"]
    stimuli.apply("raise_smoke", {})
    assert wires.bytes[at : at + 2] == (1960).to_bytes(2, "little")
    stimuli.apply("set_line", {"name": "fire", "millivolts": 9999})
    assert wires.bytes[at : at + 2] == (3300).to_bytes(2, "little")


def test_the_board_says_the_same_to_the_tool_and_to_the_firmware() -> None:
    described = describe("virtual_doors4")
    text = (resources.boards_dir() / "virtual_doors4" / "board.py").read_text("utf-8")
    pins = [*described["wiring"]["relays"].values()]
    assert f"_RELAYS = ({', '.join(map(str, pins))})" in text
    assert '"points": 4' in text
    assert described["capabilities"]["points"] == 4
    for wired in described["wiring"]["inputs"].values():
        assert str(wired["pin"]) in text
