"""`device reader pair` that comes to nothing: the keys that the readers have count on (host)."""

from __future__ import annotations

from typing import Any

import pytest

from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.registry.models import Device
from controller_tool.services import device_config, devices_ops, readers
from protocol.settings import OSDP_KEYS
from tests.unit.test_device_config import Controller, controller

__all__ = ["controller"]
KEYS = [b"k" * 16, b""]


@pytest.fixture
def keyed(site: Any, controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Controller:
    """Its first reader has a key."""
    with site.registry.writing() as session:
        session.get_one(Device, site.device("door-1").id).board = "virtual_door_osdp"
    device_config.change(site, "door-1", {OSDP_KEYS: KEYS})
    monkeypatch.setattr(readers, "dial", vars(device_config)["dial"])
    monkeypatch.setattr(readers, "_LOOK_S", 0)
    monkeypatch.setattr(readers, "_REST_S", 0)
    monkeypatch.setattr(readers, "_FORCE_S", 0.01)
    return controller


def keys_are_those_before(site: Any, keyed: Controller) -> None:
    signed = device_config.newest(site, site.device("door-1"))
    assert signed is not None
    assert signed.settings == keyed.settings == {OSDP_KEYS: KEYS}
    assert signed.version == keyed.version == 3


def test_doors_that_are_not_shut_in_time_cost_no_reader_its_key(site, keyed, monkeypatch) -> None:
    monkeypatch.setattr(readers, "_FORCE_S", 0)
    with pytest.raises(OperatorError, match="not in force yet"):
        readers.pair(site, "door-1", 1)
    keys_are_those_before(site, keyed)


def test_a_ticket_that_was_refused_costs_no_reader_its_key(site, keyed, monkeypatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise DeviceError("refused")

    monkeypatch.setattr(devices_ops, "send_ticket", refused)
    with pytest.raises(DeviceError):
        readers.pair(site, "door-1", 1)
    keys_are_those_before(site, keyed)


def test_a_link_that_broke_behind_the_ticket_leaves_the_new_key(site, keyed, monkeypatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise LinkError("broken")

    monkeypatch.setattr(devices_ops, "send_ticket", broken)
    with pytest.raises(LinkError):
        readers.pair(site, "door-1", 1)
    assert keyed.version == 2
    assert keyed.settings[OSDP_KEYS] != KEYS
