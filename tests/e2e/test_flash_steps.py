"""`device flash` looked at first, cut off at each step, and for several boards at once (host)."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import cli
from controller_tool.channel.dial import dial
from controller_tool.client import Client
from controller_tool.errors import LinkError, OperatorError
from controller_tool.services import (
    boards,
    commission,
    devices,
    flash_batch,
    provision,
    record,
    taps,
)
from controller_tool.services.images import Image
from controller_tool.services.virtual_house import VirtualHouse
from protocol.version import VERSION, text_of
from tests.e2e.conftest import PASSPHRASE
from tests.made_up_images import image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOARD = "virtual-door"
NAMES = ("door-1", "door-2", "door-3")
REQUEST = provision.Request(NAMES[0], f"sim://{NAMES[0]}", BOARD)
SMALL = Image(image(size=0x20000), "of the small one")


@pytest.fixture
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """A site of its own with blank boards."""
    folder = tmp_path_factory.mktemp("steps") / "site"
    names = dict.fromkeys(NAMES, BOARD)
    with VirtualHouse.found(folder, "steps", PASSPHRASE, names, until_pid=os.getpid()) as made:
        yield made


def run(house: VirtualHouse, request: provision.Request = REQUEST) -> commission.Commissioned:
    return commission.commission(house.site, request, SMALL, provision.Silent())


def flash_digest(house: VirtualHouse) -> str:
    with open(house.boards[NAMES[0]].folder.flash_path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_dry_run_says_what_would_be_written_and_changes_nothing(blank: VirtualHouse) -> None:
    house = blank
    journal = next(row for row in boards.show(BOARD).partitions if row["label"] == "journal")
    house.boards[NAMES[0]].stimulate("rot", offset=journal["offset"], bit=1)
    before = flash_digest(house)
    plan = commission.plan(house.site, REQUEST, SMALL, provision.Silent())
    assert flash_digest(house) == before
    assert house.site.devices() == []
    assert plan.identity == devices.NEW
    assert plan.look.write_bytes > len(SMALL.data)
    assert plan.look.erase_bytes >= 4096
    assert not plan.look.there
    house.boards[NAMES[0]].wait_until_up()
    run(house)
    with pytest.raises(OperatorError, match="enrolled already"):
        commission.plan(house.site, REQUEST, SMALL, provision.Silent())
    again = provision.Request(NAMES[0], f"sim://{NAMES[0]}", BOARD, again=True)
    plan = commission.plan(house.site, again, SMALL, provision.Silent())
    assert (plan.identity, plan.look.there) == (devices.REPLACES, True)


CUTS = [
    (provision, "sync_clock", False),
    (Client, "enroll", False),
    (devices, "mark_enrolled", False),
    (Client, "self_test", True),
    (provision, "push_open", True),
    (taps, "watch", True),
]


def cuts() -> Iterator[Any]:
    """Each place in both ways; three of them always, all with --full."""
    always = {("flash", "mark_enrolled"), ("flash", "self_test"), ("provision", "push_open")}
    for way in ("flash", "provision"):
        for where, name, enrolled in CUTS:
            marks = [] if (way, name) in always else [pytest.mark.full]
            yield pytest.param(where, name, enrolled, way, marks=marks, id=f"{way}-{name}")


@pytest.mark.parametrize(("where", "name", "enrolled", "way"), [*cuts()])
def test_the_same_command_finishes_what_was_cut_off(
    blank: VirtualHouse, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, enrolled: bool,
    way: str,
) -> None:  # fmt: skip
    request = provision.Request(NAMES[0], f"sim://{NAMES[0]}", BOARD, taps=1)

    def act() -> provision.Provisioned:
        if way == "flash":
            return run(blank, request).provisioned
        return provision.provision(blank.site, request)

    def away(*_: object, **__: object) -> None:
        raise LinkError("gone", "come back")

    monkeypatch.setattr(taps.watch, "__defaults__", (0.0,))
    with monkeypatch.context() as patched:
        patched.setattr(where, name, away)
        with pytest.raises(LinkError, match="gone"):
            act()
    cut = blank.site.device(NAMES[0])
    assert (cut.enrolled_at_s is not None) == enrolled
    assert not record.finished(blank.site, cut)
    resets = blank.boards[NAMES[0]].counters()["resets"]
    done = act()
    assert done.id == cut.id
    assert all(done.self_test.values())
    device = blank.site.device(NAMES[0])
    assert device.enrolled_at_s is not None
    facts = record.known(blank.site, device)
    assert facts["mac"] == bytes.fromhex(blank.boards[NAMES[0]].options.unique).hex(":")
    assert facts["firmware"] == facts["firmware_sha256"]
    assert facts["firmware_version"] == text_of(VERSION)
    if enrolled:
        assert blank.boards[NAMES[0]].counters()["resets"] == resets, "it was not begun anew"
    with pytest.raises(OperatorError, match="enrolled already"):
        act()


def test_another_board_is_not_taken_for_the_one_that_was_not_finished(
    blank: VirtualHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise LinkError("gone", "come back")

    with monkeypatch.context() as patched:
        patched.setattr(Client, "self_test", away)
        with pytest.raises(LinkError, match="gone"):
            run(blank)
    monkeypatch.setattr(provision, "_GO_ON_S", 0.5)
    other = provision.Request(NAMES[0], f"sim://{NAMES[1]}", BOARD)
    with pytest.raises(OperatorError, match="enrolled already, and not reached here"):
        run(blank, other)
    assert run(blank).flashed is None


# several at once


def batch(house: VirtualHouse) -> list[flash_batch.Outcome]:
    requests = [provision.Request(name, f"sim://{name}", BOARD) for name in NAMES]
    return flash_batch.run(
        house.site, requests, lambda _: SMALL, lambda _: provision.Silent(), 460800
    )


def test_one_board_of_a_batch_fails_and_the_same_command_finishes_it(
    blank: VirtualHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    blank.boards[NAMES[1]].stimulate("pull_cable", after=60_000)
    first = batch(blank)
    assert [one.state for one in first] == ["done", "failed", "done"]
    assert "was lost while flashing" in first[1].what
    assert first[1].next_step
    sheets = [one.sheet for one in first]
    assert [sheet is not None and sheet.is_file() for sheet in sheets] == [True, False, True]
    ids = {device.name: device.id for device in blank.site.devices()}
    assert len(set(ids.values())) == 3
    blank.boards[NAMES[1]].stimulate("plug_cable")
    # the rest by the command
    file = tmp_path / "batch.csv"
    file.write_text("name,port\n" + "".join(f"{name},sim://{name}\n" for name in NAMES), "utf-8")
    bin_file = tmp_path / "micropython.bin"
    bin_file.write_bytes(SMALL.data)
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CONTROLLER_TOOL_SITE", str(blank.site.path))
    asked = ["device", "flash", "--batch", str(file), "--board", BOARD, "--json"]
    assert cli.run([*asked, "--image", str(bin_file), "--trust-image"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [one["state"] for one in told] == ["skipped", "done", "skipped"]
    assert told[1]["done"]["provisioned"]["id"] == ids[NAMES[1]]
    assert all(device.enrolled_at_s for device in blank.site.devices())


# cards tried, and the sheet


def test_cards_that_are_tried_stand_on_the_record(
    blank: VirtualHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run(blank)
    blank.issue(["0013345678"])
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CONTROLLER_TOOL_SITE", str(blank.site.path))
    assert cli.run(["push", NAMES[0]]) == 0
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    def installer() -> None:
        for number, text in (("0013345678", "a minute for each: 2"), ("0099999999", "Card 1 of 2")):
            while not said or text not in said[-1]:
                heard.wait(30)
                heard.clear()
            blank.swipe(NAMES[0], number)
            if number == "0013345678":
                blank.boards[NAMES[0]].stimulate("press_rex", ms=300)

    hands = threading.Thread(target=installer)
    hands.start()
    trials = record.try_cards(blank.site, NAMES[0], 2, say)
    hands.join()
    assert trials.ok
    assert [(one.decision, one.reason, one.relay) for one in trials.taps] == [
        ("granted", "card", True),
        ("denied", "unknown_card", False),
    ]
    assert trials.taps[0].card == "K000001"
    assert "request_to_exit" in {one.event for one in trials.contacts}
    capfd.readouterr()
    sheet = tmp_path / "sheet.html"
    assert cli.run(["device", "record", NAMES[0], "--record", str(sheet), "--no-pdf"]) == 0
    page = sheet.read_text("utf-8")
    assert "K000001" in page
    assert "2 of 2" in page
    assert "0013345678" not in page


def test_cards_that_nobody_held_there_are_missed(blank: VirtualHouse) -> None:
    run(blank)
    device = blank.site.device(NAMES[0])
    with dial(blank.site, device) as client:
        trials = taps.watch(blank.site, device, client, 1, lambda _: None, 0.5)
    assert not trials.ok
    assert trials.taps == ()
