"""A controller that takes another's place: cards, settings, name (host)."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from controller_tool.errors import OperatorError
from controller_tool.registry.models import Device
from controller_tool.registry.records import AuditEntry
from controller_tool.services import boards, cards, device_config
from controller_tool.services.device_replace import replace
from protocol.settings import OSDP_ADDRESS
from tests.unit.registry_support import Board
from tests.unit.test_cards import issue
from tests.unit.test_device_config import change, controller  # noqa: F401 - a fixture


@pytest.mark.usefixtures("controller")
def test_a_new_controller_gets_cards_settings_and_name(site, board) -> None:
    issue(site)
    board.update()
    change(site, "unlock_time=7")
    old = site.device("door-1")
    new = Board(site, "door-2")
    done = replace(site, "door-1", "door-2")
    assert (done.config_version, done.left_out) == (1, ())
    took = site.device("door-1")
    assert took.id == new.new.device.id
    assert [d.name for d in site.devices(enrolled=True)] == ["door-1"]
    assert [d.id for d in site.devices(enrolled=False)] == [old.id]
    kept = device_config.newest(site, took)
    assert kept is not None
    assert kept.settings == {2: 70}
    with site.registry.session() as session:
        [entry] = session.query(AuditEntry).filter_by(act="device.replace").all()
    assert json.loads(entry.details)["old"] == old.id


def test_a_card_is_not_dead_because_the_door_was_replaced(site, board) -> None:
    status = issue(site)
    board.update()
    Board(site, "door-2")
    done = replace(site, "door-1", "door-2")
    assert done.outstanding == 1
    ended = cards.collect(site, status.ref)
    assert done.kept_as in ended.pending
    assert not ended.deregistered


@pytest.mark.usefixtures("board")
def test_a_dry_run_of_a_replacement_changes_nothing(site) -> None:
    issue(site)
    Board(site, "door-2")
    before = [(d.id, d.name, d.enrolled_at_s) for d in site.devices()]
    done = replace(site, "door-1", "door-2", dry_run=True)
    assert done.new == "door-2"
    assert [(d.id, d.name, d.enrolled_at_s) for d in site.devices()] == before


@pytest.mark.usefixtures("board")
def test_what_cannot_take_its_place_is_refused(site) -> None:
    new = Board(site, "door-2")
    with pytest.raises(OperatorError, match="itself"):
        replace(site, "door-1", "door-1")
    with pytest.raises(OperatorError, match="door-3"):
        replace(site, "door-1", "door-3")
    with site.registry.writing() as session:
        session.get_one(Device, new.new.device.id).kind = "charger"
    with pytest.raises(OperatorError, match="is none"):
        replace(site, "door-1", "door-2")
    with site.registry.writing() as session:
        row = session.get_one(Device, new.new.device.id)
        row.kind, row.enrolled_at_s = "door", None
    with pytest.raises(OperatorError, match="not in service"):
        replace(site, "door-1", "door-2")


@pytest.mark.usefixtures("board")
def test_addresses_of_two_readers_do_not_fit_a_board_with_four(site, monkeypatch) -> None:
    four = SimpleNamespace(capabilities={"osdp": True, "readers": 4, "points": 4})
    monkeypatch.setattr(boards, "show", lambda _name: four)
    device = site.device("door-1")
    assert device_config.fitting(device, {2: 70, OSDP_ADDRESS: [3, 4]}) == {2: 70}
    all_four = {OSDP_ADDRESS: [3, 4, 5, 6]}
    assert device_config.fitting(device, all_four) == all_four


@pytest.mark.usefixtures("controller")
def test_settings_that_the_new_board_lacks_are_left_out_and_named(site) -> None:
    with site.registry.writing() as session:
        session.get_one(Device, site.device("door-1").id).board = "virtual_charger"
    change(site, "unlock_time=7", "supply_low=11")
    Board(site, "door-2")
    done = replace(site, "door-1", "door-2", dry_run=True)
    assert done.left_out == ("supply_low",)
