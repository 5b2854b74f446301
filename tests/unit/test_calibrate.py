"""A port's meter set right by a known load: what is signed, and what is no known load (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool import cli, messages
from controller_tool.client import DeviceConfig
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.services import boards, calibrate, device_config, ports
from protocol import cbor, cose
from protocol.codes import PORT_CHARGING, PORT_METER, PORT_STARTING
from protocol.settings import METER_GAIN
from tests.unit.ports_support import NOBODY, Charger, port, reply
from tests.unit.registry_support import PASSPHRASE, Board

CEILING = 5  # a setting that has nothing to do with meters


class Metered(Charger):
    """A charger that keeps a configuration, too."""

    def __init__(self, *power_dw: int, state: int = PORT_CHARGING, trouble: int = 0) -> None:
        super().__init__()
        self.loads(*power_dw, state=state, trouble=trouble)
        self.settings: dict[int, object] = {}
        self.version = 0
        self.in_force = True
        self.put: list[dict[int, object]] = []

    def loads(self, *power_dw: int, state: int = PORT_CHARGING, trouble: int = 0) -> None:
        self.replies = [
            reply(port(), port(state, NOBODY, power, trouble=trouble)) for power in power_dw
        ]

    def config(self) -> DeviceConfig:
        return DeviceConfig(1, self.version, self.in_force, self.settings, [])

    def put_config(self, envelope: bytes) -> int:
        fields = cbor.decode(bytes(cose.open_envelope(envelope).payload))
        self.version, self.settings = fields[3], fields[4]
        self.put.append(fields[4])
        return self.version


@pytest.fixture
def charger(site, monkeypatch) -> Metered:
    """pile-1 with two ports; the second one charges with 200 W."""
    Board(site, "pile-1", board="virtual_charger")
    made = Metered(2000)
    one = boards.show("virtual_charger")
    two = boards.Board(**{**vars(one), "capabilities": {**one.capabilities, "points": 2}})
    monkeypatch.setattr(boards, "show", lambda _: two)
    for service in (calibrate, device_config):
        monkeypatch.setattr(service, "dial", made.dial)
    return made


def run(site, watts: float = 200, number: int = 2, **how) -> calibrate.Calibrated:
    return calibrate.calibrate(
        site, calibrate.Load("pile-1", number, watts), pause=lambda _: None, **how
    )


def test_the_gain_is_known_over_measured(site, charger) -> None:
    charger.loads(2000, 2002, 1998, 2000, 2001, 1999, 2000, 2003, 1997, 2000)
    done = run(site, 210.0)
    assert (done.measured_w, done.spread_w) == (200.0, 0.6)
    assert (done.before, done.after) == (1.0, 1.05)
    assert charger.put == [{METER_GAIN: [10000, 10500]}], "the other port is left alone"


def test_it_goes_on_from_the_gain_in_force_and_keeps_other_settings(site, charger) -> None:
    charger.settings, charger.version = {CEILING: 120, METER_GAIN: [9000, 10500]}, 4
    done = run(site, 200 / 1.05)
    assert (done.before, done.after) == (1.05, 1.0)
    assert charger.put == [{CEILING: 120, METER_GAIN: [9000, 10000]}]
    assert (charger.version, done.changed.version) == (5, 5)


@pytest.mark.parametrize("held", [9000, [9000]])
def test_one_gain_for_all_ports_becomes_one_for_each(site, charger, held) -> None:
    charger.settings, charger.version = {METER_GAIN: held}, 1
    run(site, 220.0)
    assert charger.put == [{METER_GAIN: [9000, 9900]}]


def test_ten_readings_are_a_second_apart(site, charger) -> None:
    pauses: list[float] = []
    asked = len(charger.replies)
    load = calibrate.Load("pile-1", 2, 200)
    calibrate.calibrate(site, load, dry_run=True, pause=pauses.append)
    assert (pauses, asked) == ([1.0] * 9, 1)


def test_a_dry_run_signs_nothing(site, charger) -> None:
    done = run(site, 210.0, dry_run=True)
    assert (done.after, charger.put) == (1.05, [])
    assert device_config.newest(site, site.device("pile-1")) is None


def test_what_is_right_already_is_not_signed(site, charger) -> None:
    run(site, 210.0)
    charger.loads(2100)
    assert run(site, 210.0).changed.changes == ()
    assert len(charger.put) == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"power_dw": (2000, 2000, 2130)}, "not steady"),  # it jumps
        ({"power_dw": range(2000, 2080, 8)}, "not steady"),  # it warms up
        ({"power_dw": (12, 11, 12)}, "no load"),
        ({"power_dw": (2000,), "state": PORT_STARTING}, "does not charge"),
        ({"power_dw": (2000,), "trouble": PORT_METER}, "does not charge"),
        ({"power_dw": (990,)}, "too far apart"),
        ({"power_dw": (4010,)}, "too far apart"),
    ],
)
def test_what_is_no_known_load_is_refused(site, charger, told, said) -> None:
    charger.loads(*told.pop("power_dw"), **told)
    with pytest.raises(OperatorError, match=said):
        run(site)
    assert charger.put == []


def test_a_meter_that_counts_pulses_is_judged_by_its_mean(site, charger) -> None:
    charger.loads(2060, 2000, 1950, 2050, 1990, 2010, 2050, 1950, 2000, 2040)
    assert run(site, 202.0).after == pytest.approx(1.0, abs=0.005)


def test_a_session_that_ends_meanwhile_is_refused(site, charger) -> None:
    charger.replies = [reply(port(), port(PORT_CHARGING, NOBODY, 2000)), reply(port(), port())]
    with pytest.raises(OperatorError, match="does not charge"):
        run(site)


def test_gains_that_are_not_in_force_are_not_gone_on_from(site, charger) -> None:
    charger.in_force = False
    with pytest.raises(OperatorError, match="not in force"):
        run(site)


def test_it_says_that_it_reads_only_once_it_does(site, charger) -> None:
    said: list[str] = []
    for wrong in ({"number": 3}, {"watts": 200}):
        charger.in_force = "number" in wrong
        with pytest.raises(OperatorError):
            run(site, notice=said.append, **wrong)
    assert said == []
    charger.in_force = True
    run(site, notice=said.append)
    assert said[0] == "pile-1, port 2: reading for 10 s"


def test_a_port_that_is_not_there_is_told_before_anybody_is_asked(site, charger) -> None:
    with pytest.raises(OperatorError, match="no port 3"):
        run(site, number=3)
    assert charger.calls == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_command_says_what_it_did(site, charger, monkeypatch, capsys, lang) -> None:
    monkeypatch.setattr(ports, "STEP_S", 0)
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)
    words = ["device", "calibrate", "pile-1", "2", "--watts", "210", "--site", str(site.path)]
    assert cli.run([*words, "--lang", lang]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert "1.0500" in line
    assert ("gain" in line) == (lang == "en")
    assert charger.version == 1
    assert cli.run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["before"], told["after"], told["changed"]["sent"]) == (1.05, 1.1025, True)
    messages.set_language(None)
