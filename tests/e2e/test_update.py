"""New firmware for controllers in service: proven, or gone again by itself (host)."""

from __future__ import annotations

import ast
import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from controller_tool import pack as packs
from controller_tool.channel.dial import dial
from controller_tool.errors import DeviceError, LinkError, OperatorError
from controller_tool.services import firmware_bundle, push, trust_change, update
from controller_tool.services.virtual_house import VirtualHouse
from protocol import cbor
from protocol.codes import (
    EVENT_FIRMWARE_CONFIRMED,
    EVENT_FIRMWARE_ROLLED_BACK,
    EVENT_FIRMWARE_TAKEN,
    KEY_FIRMWARE,
    ROLLBACK_BOOTS,
)
from protocol.constants import AAD_FIRMWARE, RING_ALARM
from protocol.version import VERSION, text_of
from tests.e2e import callers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.firmware_bundle import Bundle

CARD = "0013345678"
BOARDS = {"door": "virtual-door", "station": "virtual-charger2"}
PATIENCE_S = 120


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A door and a charger with a list in force."""
    folder = tmp_path_factory.mktemp("update") / "site"
    with VirtualHouse.found(
        folder, "update", "of a house that lives for one test run", BOARDS, until_pid=os.getpid()
    ) as made:
        made.provision()
        made.issue([CARD])
        assert all(result.ok for result in push.push(made.site))
        yield made
        for name, board in made.boards.items():
            assert not board.counters()["memory_faults"], name


def info(house: VirtualHouse, name: str) -> dict[str, object]:
    with dial(house.site, house.site.device(name)) as client:
        return client.info()


def answers(house: VirtualHouse, name: str, firmware: object) -> None:
    """Returns once a controller that restarts runs this firmware."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if info(house, name)["firmware"] == firmware:
                return
        except LinkError:
            time.sleep(1)
        assert time.monotonic() < end


def events(house: VirtualHouse, name: str, wanted: int) -> list[tuple[int, int]]:
    """(reason, extra) of each record of this event."""
    with dial(house.site, house.site.device(name)) as client:
        found = callers.events(client, RING_ALARM)
    return [(record.reason, record.extra) for record in found if record.event == wanted]


def signed(house: VirtualHouse, board: str, version: int, pack: bytes) -> Bundle:
    """A bundle of any bytes, as an office would sign it."""
    digest = hashlib.sha256(pack).digest()
    payload = cbor.encode([house.site.id, board, version, packs.beside_api(), len(pack), digest])
    envelope = house.site.sign("firmware", AAD_FIRMWARE, payload)
    return firmware_bundle.Bundle(board, version, envelope, (), pack)


def test_all_outdated_controllers_are_updated_and_one_failure_stops_nobody(
    house: VirtualHouse,
) -> None:
    bundles = {
        board: firmware_bundle.make(house.site, board, VERSION + 1) for board in BOARDS.values()
    }
    house.boards["station"].stimulate("cut_power")
    first = {
        one.device: one for one in update.update(house.site, list(BOARDS), bundles, outdated=True)
    }
    house.boards["station"].stimulate("restore_power")
    assert first["door"].ok
    assert first["door"].after == text_of(VERSION + 1)
    assert not first["station"].ok
    assert first["station"].next_step
    second = update.update(house.site, list(BOARDS), bundles, outdated=True)
    assert all(one.ok for one in second), second
    assert [bool(one.sent_bytes) for one in second] == [False, True]
    for name in BOARDS:
        said = info(house, name)
        assert (said["version"], said["trial"], said["slot"]) == (VERSION + 1, False, 1)
        assert events(house, name, EVENT_FIRMWARE_TAKEN) == [(0, VERSION + 1)]
        assert events(house, name, EVENT_FIRMWARE_CONFIRMED) == [(0, VERSION + 1)]
    with dial(house.site, house.site.device("door")) as client:
        assert client.state().count == 1, "the list is in force as before"


def test_a_dry_run_says_who_would_be_sent_what_and_changes_nothing(house: VirtualHouse) -> None:
    bundle = firmware_bundle.make(house.site, "virtual-door", VERSION + 2)
    [said] = update.update(house.site, ["door"], {bundle.board: bundle}, dry_run=True)
    assert said.ok
    assert text_of(VERSION + 2) in said.what
    assert not said.sent_bytes
    assert info(house, "door")["version"] == VERSION + 1


def test_a_dry_run_says_that_a_lower_version_would_be_refused(house: VirtualHouse) -> None:
    bundle = firmware_bundle.make(house.site, "virtual-door", VERSION - 1)
    [said] = update.update(house.site, ["door"], {bundle.board: bundle}, dry_run=True)
    assert (said.ok, "root" in said.next_step) == (False, True)
    endorsed = firmware_bundle.endorse(house.site, bundle, trust_change.root_signers(house.site))
    [said] = update.update(house.site, ["door"], {bundle.board: endorsed}, dry_run=True)
    assert said.ok


def test_a_lower_version_wants_root(house: VirtualHouse) -> None:
    bundle = firmware_bundle.make(house.site, "virtual-door", VERSION)
    [refused] = update.update(house.site, ["door"], {bundle.board: bundle})
    assert not refused.ok
    assert "root" in refused.next_step
    roots = trust_change.root_signers(house.site)
    earlier = firmware_bundle.endorse(house.site, bundle, roots)
    [refused] = update.update(house.site, ["door"], {bundle.board: earlier})
    assert not refused.ok, "root has said nothing of what it runs"
    endorsed = firmware_bundle.endorse(house.site, bundle, roots, VERSION + 1)
    [taken] = update.update(house.site, ["door"], {bundle.board: endorsed})
    assert taken.ok, taken
    assert info(house, "door")["version"] == VERSION


def test_a_firmware_that_dies_at_its_start_is_gone_after_three(house: VirtualHouse) -> None:
    modules = dict(packs.compiled_modules("virtual_door", VERSION + 9))
    modules["firmware.app"] = packs._compile(ast.parse("raise ValueError"))
    broken = packs._assemble(
        {f"{name.replace('.', '/')}.mpy": modules[name] for name in sorted(modules)}
    )
    before = info(house, "door")["firmware"]
    bundle = signed(house, "virtual-door", VERSION + 9, broken)
    [result] = update.update(house.site, ["door"], {bundle.board: bundle})
    assert not result.ok
    assert "went back" in result.what, result
    assert info(house, "door")["firmware"] == before
    told = events(house, "door", EVENT_FIRMWARE_ROLLED_BACK)
    assert told == [(ROLLBACK_BOOTS, VERSION + 9)]


def test_whoever_breaks_off_before_the_proof_has_changed_nothing_for_good(
    house: VirtualHouse,
) -> None:
    bundle = firmware_bundle.make(house.site, "virtual-charger2", VERSION + 3)
    device = house.site.device("station")
    before = info(house, "station")["firmware"]
    with dial(house.site, device) as client:
        offset = client.begin_firmware(KEY_FIRMWARE, bundle.envelope)
        client.put_firmware(bundle.pack, offset)
        client.commit_firmware()
    board = house.boards["station"]
    answers(house, "station", bundle.digest)
    for _ in range(3):
        board.stimulate("cut_power")
        board.stimulate("restore_power")
        time.sleep(1)  # it has counted that start by then
    answers(house, "station", before)
    [again] = update.update(house.site, ["station"], {bundle.board: bundle})
    assert again.ok, again


def test_pieces_that_somebody_else_puts_in_get_no_slot(house: VirtualHouse) -> None:
    bundle = firmware_bundle.make(house.site, "virtual-door", VERSION + 4)
    turned = bytearray(bundle.pack)
    turned[4000] ^= 1
    with dial(house.site, house.site.device("door")) as client:
        offset = client.begin_firmware(KEY_FIRMWARE, bundle.envelope)
        client.put_firmware(bytes(turned), offset)
        with pytest.raises(DeviceError, match="digest_mismatch"):
            client.commit_firmware()
    assert info(house, "door")["version"] == VERSION


def test_a_bundle_is_a_file_that_only_this_site_signs(house: VirtualHouse, tmp_path) -> None:
    path = tmp_path / "door.fw"
    bundle = firmware_bundle.make(house.site, "virtual-door", VERSION + 5)
    firmware_bundle.write(path, bundle)
    assert firmware_bundle.read(house.site, path) == bundle
    data = path.read_bytes()
    for at in (0, 40, 300, len(data) // 2, len(data) - 1):
        turned = bytearray(data)
        turned[at] ^= 1
        path.write_bytes(turned)
        with pytest.raises(OperatorError):
            firmware_bundle.read(house.site, path)
    for cut in (b"", data[:-1], data + b"\0", b"\x84", b"no firmware"):
        path.write_bytes(cut)
        with pytest.raises(OperatorError):
            firmware_bundle.read(house.site, path)
