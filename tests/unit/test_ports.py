"""A charger's ports at the desk: shown, watched, started and stopped by ticket (host)."""

from __future__ import annotations

import io
import itertools
import json
import re

import pytest
from rich.console import Console

from controller_tool import cli, credentials
from controller_tool.cli import common
from controller_tool.errors import DeviceError, LinkError
from controller_tool.services import cards, charging, export, people, ports
from protocol import cards as layout
from protocol import cbor
from protocol.codes import (
    END_FULL,
    ERR_ARGUMENT,
    ERR_NONCE,
    ERR_UNKNOWN_OPERATION,
    LATCH_SMOKE,
    LATCH_WELD,
    PORT_CHARGING,
    PORT_HOT,
    PORT_LOCKED,
    PORT_METER,
    TICKET_CHARGE_START,
    TICKET_CHARGE_STOP,
)
from protocol.constants import CHARGE_WH_SHIFT
from tests import cddl
from tests.unit.ports_support import NOBODY, Charger, port, reply
from tests.unit.registry_support import Board
from tests.unit.test_cards import CARD, issue

pytestmark = pytest.mark.usefixtures("at_the_desk")


@pytest.fixture
def pile(site) -> Board:
    return Board(site, "pile-1", board="virtual_charger")


@pytest.fixture
def charger(pile, monkeypatch) -> Charger:
    """What pile-1 says."""
    assert pile.device.kind == "charger"
    made = Charger()
    for service in (ports, charging):
        monkeypatch.setattr(service, "dial", made.dial)
    return made


@pytest.fixture
def run(site, capsys):
    def run_(*words: str):
        code = cli.run([*words, "--site", str(site.path)])
        said = capsys.readouterr()
        return code, [" ".join(line.split()) for line in said.out.splitlines()], said.err

    return run_


def key_of(site, device, number: str) -> bytes:
    credential = credentials.parse(number)
    return layout.card_key(site.secret(device, "card_key"), credential.type, credential.data)


# --- what it says ------------------------------------------------------------------------

GOOD = reply(port(), port(PORT_CHARGING, NOBODY, 2201, energy_mwh=123_456, seconds=754))
CHANGES = [
    lambda r: r.pop(),
    lambda r: r[0].pop(),
    lambda r: r[0].__setitem__(0, -1),
    lambda r: r[0].__setitem__(1, None),
    lambda r: r[0].__setitem__(2, True),
    lambda r: r[0].__setitem__(3, 3),
    lambda r: r[0].__setitem__(4, "warm"),
    lambda r: r[0].__setitem__(4, 40000),
    lambda r: r[1].clear(),
    lambda r: r[1].extend([port()] * 15),
    lambda r: r[1].append(None),
    lambda r: r[1][0].append(0),
    lambda r: r[1][1].__setitem__(0, 256),
    lambda r: r[1][1].__setitem__(1, b"1234567"),
    lambda r: r[1][1].__setitem__(1, "12345678"),
    lambda r: r[1][1].__setitem__(2, -1),
    lambda r: r[1][1].__setitem__(3, 1 << 30),
    lambda r: r[1][1].__setitem__(5, 10.5),
    lambda r: r[1][1].__setitem__(7, "full"),
]


def test_what_is_read_here_is_what_the_contract_says() -> None:
    told = reply(
        port(PORT_CHARGING, b"12345678", 5, energy_mwh=1, seconds=2, temperature=-5, trouble=15,
             last_end=END_FULL),
        port(), latches=31, contactor=1, temperature=900,
    )  # fmt: skip
    assert cddl.problem("ports", cbor.encode(told)) == ""
    assert ports.parse(cbor.decode(cbor.encode(told))) is not None


@pytest.mark.parametrize("change", CHANGES)
def test_a_reply_of_another_shape_is_refused_whole(change) -> None:
    told = json.loads(json.dumps(GOOD, default=bytes.hex))
    told[1] = [[row[0], bytes.fromhex(row[1]), *row[2:]] for row in told[1]]
    assert ports.parse(told) is not None, "as it is, it is good"
    change(told)
    assert ports.parse(told) is None


@pytest.mark.parametrize("value", [None, [], {}, b"", [[], []], "x" * 9])
def test_what_is_no_reply_at_all_is_refused(value) -> None:
    assert ports.parse(value) is None


def test_each_port_is_a_line_with_its_holder(run, site, pile, charger) -> None:
    status = issue(site, holder=people.Holder("王伟", room="A-1"))
    pile.update()
    key = key_of(site, pile.device, CARD)
    charger.replies = [reply(
        port(PORT_CHARGING, key, 2203, energy_mwh=412_340, seconds=37 * 60, temperature=312),
        port(PORT_CHARGING, power_dw=105),
        port(PORT_LOCKED, trouble=PORT_METER | PORT_HOT, last_end=END_FULL),
        port(PORT_CHARGING, b"stranger"),
        latches=LATCH_SMOKE, contactor=0, temperature=405,
    )]  # fmt: skip
    code, out, err = run("device", "ports", "pile-1")
    assert (code, err) == (0, "")
    assert out == [
        "pile-1: 231 of 3000 W, contactor open, 40.5 °C; latched until it is reset on site: smoke",
        "port state card holder W Wh min temperature trouble last end",
        f"1 charging {status.ref} 王伟 220.3 412.3 37 31.2 °C - -",
        "2 charging by ticket 10.5 0.0 0 - - -",
        "3 locked_off 0.0 0.0 0 - meter, hot full",
        "4 charging unknown 0.0 0.0 0 - - -",
    ]
    told = json.loads("\n".join(run("device", "ports", "pile-1", "--json")[1]))
    assert told["latches"] == ["smoke"]
    assert (told["ports"][0]["port"], told["ports"][0]["card"]) == (1, status.ref)
    assert told["ports"][2]["last_end"] == "full"


def test_a_folder_without_cards_sees_no_names(site, pile, charger, tmp_path, open_site) -> None:
    issue(site, holder=people.Holder("王伟"))
    pile.update()
    key = key_of(site, pile.device, CARD)
    charger.replies = [reply(port(PORT_CHARGING, key))]
    export.export(site, "technician", tmp_path / "technician", "of the exported folder")
    folder = open_site(tmp_path / "technician", "of the exported folder")
    [seen] = ports.show(folder, "pile-1").ports
    assert (seen.card, seen.holder) == (key.hex(), "")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_told_in_the_operators_language(run, charger, lang) -> None:
    charger.replies = [reply(port(PORT_LOCKED, trouble=1, last_end=5), latches=1, contactor=1)]
    out = run("device", "ports", "pile-1", "--lang", lang)[1]
    assert bool(re.search("[一-鿿]", "".join(out))) == (lang == "zh")
    assert lang == "en" or "电表" in out[2]


def test_a_chinese_sentence_has_chinese_commas(run, charger) -> None:
    charger.replies = [reply(
        port(trouble=PORT_METER | PORT_HOT), latches=LATCH_SMOKE | LATCH_WELD, temperature=405
    )]  # fmt: skip
    out = run("device", "ports", "pile-1", "--lang", "zh")[1]
    assert "烟雾，继电器粘连" in out[0]
    assert ", " not in out[0]
    assert "电表，过热" in "".join(out)


def test_a_number_that_has_no_name_yet_is_shown_as_one(run, charger) -> None:
    charger.replies = [reply(port(99, trouble=0x41, last_end=77), latches=0x81)]
    out = run("device", "ports", "pile-1")[1]
    assert out[0].endswith("smoke, 128")
    assert out[2] == "1 99 0.0 0.0 0 - meter, 64 77"


def test_what_cannot_be_read_is_told_in_two_lines(run, charger) -> None:
    charger.replies = [[]]
    code, out, err = run("device", "ports", "pile-1")
    assert (code, out, len(err.splitlines())) == (1, [], 2)
    charger.replies = [DeviceError("refused", "", ERR_UNKNOWN_OPERATION)]
    assert "Update its firmware" in run("device", "ports", "pile-1")[2]


def test_a_door_has_no_ports(run, board, charger) -> None:
    code, _, err = run("device", "ports", "door-1")
    assert (code, err.splitlines()[0]) == (1, "door-1 has no ports")
    assert run("device", "charge", "start", "door-1", "1")[0] == 1
    assert charger.calls == 0
    assert board


# --- live --------------------------------------------------------------------------------


def test_it_goes_on_in_a_new_session_when_one_is_over(site, charger) -> None:
    over = LinkError("the session is over")
    charger.replies = [reply(port(power_dw=10)), reply(port(power_dw=20)), over,
                       reply(port(power_dw=30)), over, over]  # fmt: skip
    pauses: list[float] = []
    watching = ports.watch(site, "pile-1", pause=pauses.append)
    seen = [found.power_w for found in itertools.islice(watching, 3)]
    with pytest.raises(LinkError):
        next(watching)
    assert (seen, charger.calls) == ([1.0, 2.0, 3.0], 3)
    assert pauses == [1.0] * 3


def test_watching_as_json_is_a_line_a_second(run, charger, monkeypatch) -> None:
    monkeypatch.setattr(ports, "STEP_S", 0)
    charger.replies = [reply(port()), reply(port()), LinkError("cut off"), LinkError("cut off")]
    code, out, _ = run("device", "ports", "pile-1", "--watch", "--json")
    assert code == 1
    assert [json.loads(line)["device"] for line in out[:2]] == ["pile-1"] * 2


def test_on_a_terminal_the_table_stays_in_its_place(run, charger, monkeypatch) -> None:
    monkeypatch.setattr(ports, "STEP_S", 0)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, highlight=False)
    monkeypatch.setattr(common.App, "console", staticmethod(lambda **_: console))
    charger.replies = [reply(port(power_dw=10)), reply(port(power_dw=20)), LinkError("cut off"),
                       LinkError("cut off")]  # fmt: skip
    assert run("device", "ports", "pile-1", "--watch")[0] == 1
    shown = screen.getvalue()
    first, second = (shown.index(f"pile-1: {watts} of 3000 W") for watts in (1, 2))
    assert "\x1b[1A" in shown[first:second], "the cursor goes back up"


# --- tickets -----------------------------------------------------------------------------


def test_a_session_is_started_and_stopped_by_ticket(run, charger) -> None:
    assert run("device", "charge", "start", "pile-1", "1")[1] == [
        "pile-1, port 1: charging may begin"
    ]
    limits = ("--minutes", "90", "--wh", "500")
    assert run("device", "charge", "start", "pile-1", "1", *limits)[1] == [
        "pile-1, port 1: charging may begin, 90 min at most, 500 Wh at most"
    ]
    assert run("device", "charge", "stop", "pile-1", "1")[0] == 0
    assert charger.tickets == [
        (TICKET_CHARGE_START, 0, 0),
        (TICKET_CHARGE_START, 0, 500 << CHARGE_WH_SHIFT | 90),
        (TICKET_CHARGE_STOP, 0, 0),
    ]


@pytest.mark.parametrize(
    "words",
    [("pile-1", "2"), ("pile-1", "0"), ("pile-1", "1", "--minutes", "601"),
     ("pile-1", "1", "--minutes", "0"), ("pile-1", "1", "--wh", "65536")],
)  # fmt: skip
def test_what_makes_no_sense_is_not_sent(run, charger, words) -> None:
    assert run("device", "charge", "start", *words)[0] != 0
    assert (charger.tickets, charger.calls) == ([], 0)


REASONS = [
    (reply(port(), latches=LATCH_SMOKE), "pile-1: smoke was detected, and no port charges"),
    (reply(port(), latches=LATCH_WELD, contactor=0),
     "pile-1: a relay is welded, and no port charges"),
    (reply(port(PORT_LOCKED), latches=LATCH_WELD),
     "pile-1, port 1 is out of order: locked off"),
    (reply(port(trouble=PORT_METER)), "pile-1, port 1 is out of order: meter"),
    (reply(port(PORT_CHARGING, NOBODY)), "pile-1, port 1 is in use"),
    (reply(port(), power_dw=29000),
     "pile-1 has no head room for another session: 2900 of 3000 W are taken"),
    (reply(port()), "pile-1 does not start charging at port 1"),
    (DeviceError("refused", "", ERR_UNKNOWN_OPERATION),
     "pile-1 does not start charging at port 1"),
    ([], "pile-1 does not start charging at port 1"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said"), REASONS)
def test_a_refused_start_says_why(run, charger, told, said) -> None:
    charger.code, charger.replies = ERR_ARGUMENT, [told]
    code, out, err = run("device", "charge", "start", "pile-1", "1")
    assert (code, out, err.splitlines()[0]) == (1, [], said)
    assert len(err.splitlines()) == 2
    in_chinese = run("device", "charge", "start", "pile-1", "1", "--lang", "zh")[2].splitlines()
    assert all(re.search("[一-鿿]", line) for line in in_chinese), in_chinese


@pytest.mark.parametrize("board", ["virtual_charger", "virtual_charger2"])
def test_a_broken_sensor_of_the_board_is_why_nothing_starts(site, run, charger, board) -> None:
    Board(site, "pile-2", board=board)
    has_one = board != "virtual_charger"
    charger.code, charger.replies = ERR_ARGUMENT, [reply(port())]
    start = ("device", "charge", "start", "pile-2", "1")
    refused = run(*start)[2]
    broken = "pile-2: the board's own temperature sensor is broken: nothing starts"
    assert (broken in refused, "a fault is latched" in refused) == (has_one, not has_one)
    heading = run("device", "ports", "pile-2")[1][0]
    assert heading.endswith(", board sensor broken") == has_one
    if has_one:
        assert "控制板自身的温度传感器损坏" in run(*start, "--lang", "zh")[2]
        zh = run("device", "ports", "pile-2", "--lang", "zh")[1][0]
        assert zh.endswith("，控制板温度传感器损坏")
    charger.replies = [reply(port(), temperature=300)]
    assert "a fault is latched" in run(*start, "--lang", "en")[2]
    charger.replies = [reply(port(), latches=LATCH_SMOKE)]
    assert "smoke was detected" in run(*start, "--lang", "en")[2]


def test_another_refusal_stays_what_it_is(run, charger) -> None:
    charger.code, charger.replies = ERR_NONCE, [reply(port(PORT_CHARGING, NOBODY))]
    assert "bad_argument" in run("device", "charge", "start", "pile-1", "1")[2]


def test_a_folder_without_the_ticket_key_asks_nobody(run, site, charger) -> None:
    for path in (site.path / "keys").glob("ticket*"):
        path.unlink()
    assert run("device", "charge", "stop", "pile-1", "1")[0] == 1
    assert charger.calls == 0
    assert cards
