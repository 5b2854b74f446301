"""A controller leaves the books by its own word alone, or as stolen and believed no more (host)."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.channel.dial import dial
from controller_tool.errors import DeviceError, LinkError, OperatorError, ToolError
from controller_tool.registry.models import ENDED_STOLEN, ENDED_WIPED
from controller_tool.services import cards, device_retire, energy_pull
from protocol import cbor, cose, wipe_receipt
from protocol.codes import TICKET_RETIRE
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit import registry_support
from tests.unit.test_cards import issue
from tests.unit.test_pull import Controller as Pulled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.services.site import Site
    from tests.unit.registry_support import Board

ALL = wipe_receipt.WIPED_NEEDED


class Controller(Pulled):
    """Pulled, then wiped; what its receipt says may be wrong in one thing, or not come at all."""

    def __init__(self, board: Board, **wrong: Any) -> None:
        pens = [board.pen(ring) for ring in (RING_ACCESS, RING_ALARM)]
        pens[0].write()
        super().__init__(pens)
        self.board, self.wrong = board, wrong
        self.asked: list[Any] = []
        self.given = os.urandom(16)

    @contextlib.contextmanager
    def dial(self, *_: object) -> Iterator[Controller]:
        yield self

    def nonce(self) -> bytes:
        return self.given

    def retire(self, envelope: bytes) -> bytes:
        self.asked = cbor.decode(bytes(cose.open_envelope(envelope).payload))
        if self.wrong.get("lost"):
            raise LinkError("the wire broke", "again")
        said: dict[str, Any] = {
            "key": self.board.receipt_key, "site": self.board.site.id,
            "device": self.board.device.id_bytes, "erased": ALL, "nonce": self.given,
        }  # fmt: skip
        said.update(self.wrong)
        return wipe_receipt.make(
            said["key"], said["site"], said["device"], 1, 9, said["erased"], said["nonce"]
        )


@pytest.fixture
def sent(site: Site, board: Board) -> Board:
    """One card was sent to it, and taken."""
    issue(site)
    board.update()
    return board


def retired(site: Site, controller: Controller, monkeypatch: Any, **asked: Any) -> Any:
    monkeypatch.setattr(device_retire, "dial", controller.dial)
    return device_retire.retire(site, "door-1", **asked)


def believed(site: Site, name: str) -> bool:
    """Whether a session with it would be tried: its address is nobody's."""
    device = site.device(name)
    device.tcp_address = "127.0.0.1:1"
    with pytest.raises(ToolError) as refused:
        dial(site, device)
    return "calls on it no more" not in refused.value.what


def test_its_receipt_takes_it_out_of_every_m(site, sent, monkeypatch) -> None:
    controller = Controller(sent)
    done = retired(site, controller, monkeypatch)
    assert controller.asked[2:] == [controller.given, TICKET_RETIRE, 0, 0]
    assert (done.how, done.pulled, done.erased) == (ENDED_WIPED, 1, ALL)
    ended = site.device(done.kept_as)
    assert (ended.ended_how, ended.enrolled_at_s) == (ENDED_WIPED, None)
    assert wipe_receipt.read(sent.receipt_key, ended.wipe_receipt).nonce == controller.given
    [card] = cards.list_cards(site)
    assert (card.sent_to, card.pending) == ((), ())
    assert not believed(site, done.kept_as)


WRONG: dict[str, dict[str, Any]] = {
    "for another ticket": {"nonce": bytes(16)},
    "of another controller": {"device": bytes(8)},
    "of another site": {"site": bytes(8)},
    "by another key": {"key": bytes(32)},
    "of keys that are left": {"erased": ALL & ~wipe_receipt.WIPED_KEYS},
    "of files that are left": {"erased": ALL & ~wipe_receipt.WIPED_FILES},
    "that did not come": {"lost": True},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_receipt_that_is_not_right_changes_nothing_here(site, sent, monkeypatch, wrong) -> None:
    with pytest.raises((DeviceError, LinkError)) as refused:
        retired(site, Controller(sent, **WRONG[wrong]), monkeypatch)
    assert "--stolen" in refused.value.next_step
    device = site.device("door-1")
    assert (device.ended_how, device.wipe_receipt) == (None, None)
    assert device.enrolled_at_s is not None
    assert cards.list_cards(site)[0].sent_to == ("door-1",)
    assert believed(site, "door-1")


def test_a_charger_has_its_account_of_energy_wiped_as_well(site, monkeypatch) -> None:
    pile = registry_support.Board(site, "door-1", board="virtual_charger")
    monkeypatch.setattr(energy_pull, "pull_open", lambda *_: SimpleNamespace(new=0))
    with pytest.raises(DeviceError, match="does not prove"):
        retired(site, Controller(pile), monkeypatch)
    controller = Controller(pile, erased=ALL | wipe_receipt.WIPED_ENERGY)
    assert retired(site, controller, monkeypatch).how == ENDED_WIPED


def test_records_that_nobody_has_are_given_up_by_force_alone(site, sent, monkeypatch) -> None:
    controller = Controller(sent)
    controller.pens[0].write()
    page = controller.pens[0].written
    monkeypatch.setattr(controller, "records", lambda _ring, _ranges: iter([page[1]]))
    with pytest.raises(OperatorError, match="nobody has"):
        retired(site, controller, monkeypatch)
    assert controller.asked == []
    done = retired(site, controller, monkeypatch, force=True)
    assert done.missing >= 1
    assert controller.asked[-1] == 1


@pytest.mark.usefixtures("sent")
def test_a_stolen_one_is_believed_no_more_and_proves_no_card_dead(site) -> None:
    looked = device_retire.stolen(site, "door-1", dry_run=True)
    assert believed(site, "door-1")
    done = device_retire.stolen(site, "door-1")
    assert done == looked
    assert [one.ref for one in done.reissue] == ["K000001"]
    assert done.pending == 1
    assert site.device(done.kept_as).ended_how == ENDED_STOLEN
    assert not believed(site, done.kept_as)
    assert cards.lost(site, "K000001").pending == (done.kept_as,)
    with pytest.raises(OperatorError, match="calls on it no more"):
        device_retire.retire(site, done.kept_as, dry_run=True)


def test_what_was_wiped_cannot_be_stolen(site, sent, monkeypatch) -> None:
    done = retired(site, Controller(sent), monkeypatch)
    with pytest.raises(OperatorError, match="nothing on it to be stolen"):
        device_retire.stolen(site, done.kept_as)
