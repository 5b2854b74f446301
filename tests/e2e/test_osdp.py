"""A door with OSDP readers: libosdp plays them on the virtual board's wire (host)."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

import osdp
import pytest

from controller_tool.errors import OperatorError, ToolError
from controller_tool.services import push
from controller_tool.services import readers as reader_keys
from controller_tool.services.virtual_house import VirtualHouse
from protocol import codes
from protocol.constants import RING_ACCESS, RING_ALARM
from protocol.osdp_panel import PAIR_DONE
from protocol.settings import OSDP_KEYS
from tests.e2e.callers import Callers, events
from tests.e2e.conftest import PASSPHRASE
from tests.e2e.test_story import within
from tests.firmware.osdp_house import Reader, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

DOOR, UART = "osdp", 1
BITS = "00110011100011110000111111"  # 26, both parities right
CARD = "wiegand26:671e1f"
STRANGER_BITS = "1" + "0" * 11 + "1" + "0" * 12 + "1"
_LOOK_S = 0.005


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A door in service, with one card."""
    folder = tmp_path_factory.mktemp("osdp") / "site"
    wanted = {DOOR: "virtual-door-osdp"}
    with VirtualHouse.found(folder, "osdp", PASSPHRASE, wanted, until_pid=os.getpid()) as made:
        made.provision()
        made.issue([CARD])
        [result] = push.push(made.site)
        assert result.ok, result
        yield made


@pytest.fixture(scope="module")
def readers(door: VirtualHouse) -> Iterator[list[Reader]]:
    """libosdp at both addresses: 0 as it left the factory, 1 without a secure channel."""
    board = door.boards[DOOR]

    def send(data: bytes) -> None:
        board.stimulate("send_uart", uart=UART, data=data.hex())

    made = [
        Reader(Wire(send), 0, None, install=True),
        Reader(Wire(send), 1, None, install=False),
    ]
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            with contextlib.suppress(ToolError, OSError):
                heard = bytes.fromhex(board.stimulate("take_uart", uart=UART))
                for reader in made:
                    reader.refresh(heard)
            time.sleep(_LOOK_S)

    for reader in made:
        reader.start()
    line = threading.Thread(target=run, daemon=True)
    line.start()
    yield made
    stopped.set()
    line.join(5)


@pytest.fixture(scope="module")
def log(door: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    """Who reads the journal of that door."""
    return Callers(door.site, tmp_path_factory.mktemp("desk"))


def unlocked(door: VirtualHouse) -> bool:
    return bool(door.boards[DOOR].counters()["outputs"]["lock"])


def test_a_new_reader_gets_no_key_unasked(
    door: VirtualHouse, readers: list[Reader], log: Callers
) -> None:
    def online() -> bool:
        with log.call(DOOR) as client:
            return bytes(client.info()["reader_trouble"]) == bytes(2)

    assert within(online)
    with pytest.raises(OperatorError, match="no key of its own yet"):
        reader_keys.pair(door.site, DOOR, 1)
    assert not [c for c in readers[0].commands if c["command"] == osdp.Command.Keyset]
    assert not readers[0].is_secured()


def test_a_factory_reader_is_paired_by_command_and_its_key_is_in_no_plain_sight(
    door: VirtualHouse, readers: list[Reader], log: Callers
) -> None:
    done = reader_keys.pair(door.site, DOOR, 1, factory=True)
    assert (done.outcome, done.reader) == ("done", 1)
    key = readers[0].key
    assert key is not None
    assert readers[0].is_secured()
    with log.call(DOOR) as client:
        told = client.config()
        [paired] = [r for r in events(client, RING_ALARM) if r.event == codes.EVENT_READER_PAIRED]
    assert OSDP_KEYS in told.secrets
    assert OSDP_KEYS not in told.settings
    assert (paired.reason, paired.point) == (PAIR_DONE, 0)
    for path in door.site.path.glob("*"):  # the board's own flash lies in a folder below
        assert path.is_dir() or key not in path.read_bytes(), path.name
    assert reader_keys.states(door.site, DOOR)[0] == reader_keys.State(1, (), "done", has_key=True)


def test_a_key_is_changed_under_the_one_before_and_outlives_a_restart(
    door: VirtualHouse, readers: list[Reader]
) -> None:
    before = readers[0].key
    reader_keys.pair(door.site, DOOR, 1)
    assert readers[0].key != before
    door.boards[DOOR].stimulate("reset")
    readers[0].stop()
    readers[0].start()
    assert within(readers[0].is_secured)


def test_a_reader_that_somebody_exchanged_is_refused_and_the_key_before_stays(
    door: VirtualHouse, readers: list[Reader]
) -> None:
    own = readers[0].key
    readers[0].stop()
    readers[0].key = bytes(range(16))
    readers[0].start()
    with pytest.raises(OperatorError, match="refused the key"):
        reader_keys.pair(door.site, DOOR, 1)
    assert "refused" in reader_keys.states(door.site, DOOR)[0].troubles
    readers[0].stop()
    readers[0].key = own
    readers[0].start()
    assert within(readers[0].is_secured)


def test_a_listed_card_opens_at_both_readers(door: VirtualHouse, readers: list[Reader]) -> None:
    assert within(readers[0].is_secured)
    for reader in readers:
        assert within(lambda: not unlocked(door))
        reader.swipe_card(BITS)
        assert within(lambda: unlocked(door))


def test_a_stranger_s_card_is_denied(
    door: VirtualHouse, readers: list[Reader], log: Callers
) -> None:
    assert within(lambda: not unlocked(door))
    readers[0].swipe_card(STRANGER_BITS)

    def denied() -> bool:
        with log.call(DOOR) as client:
            found = [(r.event, r.reason) for r in events(client, RING_ACCESS)]
        return (codes.EVENT_DENIED, codes.REASON_UNKNOWN_CARD) in found

    assert within(denied)
    assert not unlocked(door)


def test_a_reader_without_power_is_on_record_and_so_is_its_return(
    readers: list[Reader], log: Callers
) -> None:
    def told(event: int) -> bool:
        with log.call(DOOR) as client:
            return event in [r.event for r in events(client, RING_ALARM) if r.point == 0]

    readers[0].stop()
    assert within(lambda: told(codes.EVENT_READER_LOST))
    readers[0].start()
    assert within(lambda: told(codes.EVENT_READER_BACK))
