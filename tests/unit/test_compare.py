"""What a controller stores against what it should: compare, repair, forks (host)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool import cli, messages
from controller_tool.client import Client
from controller_tool.errors import DeviceError
from controller_tool.keys import passphrase
from controller_tool.registry.records import AuditEntry
from controller_tool.services import cards, compare, push
from controller_tool.services.compare import ABSENT, LIVE, REVOKED
from protocol import cards as layout
from protocol import deltas
from protocol.codes import OP_GET_RECORDS
from protocol.constants import FLAG_REVOKED, RECORDS_A_PAGE
from tests.unit.fake_whitelist import FakeWhitelist, Wire, connect
from tests.unit.registry_support import PASSPHRASE, Board
from tests.unit.test_deltas_push import issue, key, number, pushed

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def door(board, monkeypatch) -> FakeWhitelist:
    device = FakeWhitelist(board)
    connect(monkeypatch, device)
    return device


def differences(site) -> set[tuple[str, str, str]]:
    found = compare.compare(site, "door-1")
    return {(d.card, d.there, d.here) for d in found.differences}


def ref(site, index: int) -> str:
    return cards.card_status(site, number(index)).ref


# --- the wire -------------------------------------------------------------------------------


def test_a_bucket_of_several_pages_comes_whole(door) -> None:
    records = b"".join(
        layout.pack(b"\x07" + bytes(5) + index.to_bytes(2, "big"), 0, 9, 1, 0)
        for index in range(2 * RECORDS_A_PAGE)
    )
    door.held.version, door.held.records = 1, records
    client = Client(Wire(door))  # type: ignore[arg-type]
    assert client.bucket_records(7) == records
    assert client.bucket_records(8) == b""
    assert client.buckets() == list(deltas.bucket_hashes(records))


def _record(head: bytes, tail: int = 0) -> bytes:
    return layout.pack(head + bytes(6) + bytes((tail,)), 0, 9, 1, 0)


@pytest.mark.parametrize(
    "answer",
    [_record(b"\x07")[:-1], _record(b"\x08"), _record(b"\x07", 2) + _record(b"\x07", 1),
     _record(b"\x07") * 2, _record(b"\x07") * (RECORDS_A_PAGE + 1), 5, None],
)  # fmt: skip
def test_records_of_another_shape_or_bucket_are_refused(door, monkeypatch, answer) -> None:
    monkeypatch.setattr(door, "answer", lambda *_: answer)
    with pytest.raises(DeviceError, match="cannot be read"):
        Client(Wire(door)).bucket_records(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [b"", bytes(63 * 32), bytes(65 * 32), None])
def test_hashes_of_another_number_are_refused(door, monkeypatch, answer) -> None:
    monkeypatch.setattr(door, "answer", lambda *_: answer)
    with pytest.raises(DeviceError, match="cannot be read"):
        Client(Wire(door)).buckets()  # type: ignore[arg-type]


# --- compare --------------------------------------------------------------------------------


def test_nothing_differs_after_a_push_whatever_the_registry_says_since(site, door) -> None:
    issue(site, *range(50))
    pushed(site)
    cards.collect(site, number(0))
    found = compare.compare(site, "door-1")
    assert (found.intact, found.against, found.differences) == (True, compare.SIGNED, ())
    assert door.held.version == 1


def test_what_rotted_is_named_card_by_card(site, board, door) -> None:
    issue(site, *range(50))
    status = cards.card_status(site, number(1))
    pushed(site)
    record = deltas.by_key(door.held.records)[key(board, 1)]
    door.rot(key(board, 0), None)
    door.rot(key(board, 1), record[:15] + bytes((FLAG_REVOKED,)))
    door.rot(b"\xff" * 8, layout.pack(b"\xff" * 8, 0, 9, 1, 0))
    found = compare.compare(site, "door-1")
    assert not found.intact
    assert differences(site) == {
        (ref(site, 0), ABSENT, LIVE), (status.ref, REVOKED, LIVE), ("", LIVE, ABSENT)
    }  # fmt: skip
    assert [d.fields for d in found.differences if d.card == status.ref] == [("flags",)]


def test_only_buckets_that_differ_are_fetched(site, board, door, monkeypatch) -> None:
    issue(site, *range(50))
    pushed(site)
    door.rot(key(board, 0), None)
    asked: list[tuple[Any, ...]] = []
    answer = door.answer

    def listen(*request: Any) -> Any:
        asked.append(request)
        return answer(*request)

    monkeypatch.setattr(door, "answer", listen)
    compare.compare(site, "door-1")
    assert [args[1] for args in asked if args[0] == OP_GET_RECORDS] == [key(board, 0)[0]]


def test_a_controller_without_a_list_lacks_every_card(site, door) -> None:
    issue(site, *range(3))
    assert door.held.version == 0
    found = compare.compare(site, "door-1")
    assert (found.standing, found.intact, found.against) == ("blank", True, compare.NOW)
    assert {(d.there, d.here) for d in found.differences} == {(ABSENT, LIVE)}
    assert pushed(site, repair=True).what == "receipt for version 1"


def test_repair_replaces_what_rotted_by_a_full_list(site, board, door) -> None:
    issue(site, *range(50))
    pushed(site)
    door.rot(key(board, 0), None)
    result = pushed(site, repair=True)
    assert (result.kind, result.version) == ("full", 2)
    assert result.what == "1 cards not as version 1 signs; receipt for version 2"
    assert key(board, 0) in door.live()
    assert compare.compare(site, "door-1").intact


def test_repair_with_nothing_to_mend_says_so(site, door) -> None:
    issue(site, *range(5))
    pushed(site)
    result = pushed(site, repair=True)
    assert result.what == "nothing differs from version 1; already up to date"
    issue(site, 5)
    assert pushed(site, repair=True).kind == "delta"
    assert door.held.version == 2


# --- forks ----------------------------------------------------------------------------------


@pytest.fixture
def restored(site, door, open_site, tmp_path, disk_image) -> Callable[..., Any]:
    """Fifty cards pushed, a backup made, ``work`` done and pushed by the other folder: the backup.

    It is what the desk goes on with.
    """

    def restore(work: Callable[[], object]) -> Any:
        issue(site, *range(50))
        pushed(site)
        backup = disk_image(site, tmp_path / "backup")
        work()
        pushed(site)
        assert door.held.version > 1
        return open_site(backup)

    return restore


def test_a_card_that_ended_after_the_backup_does_not_come_back(site, board, door, restored) -> None:
    backup = restored(lambda: cards.collect(site, number(3)))
    [refused] = push.push(backup, ["door-1"])
    assert "did not sign" in refused.what
    assert "device compare door-1" in refused.next_step
    found = compare.compare(backup, "door-1")
    assert (found.standing, found.against) == ("fork", compare.NOW)
    assert differences(backup) == {(ref(site, 3), REVOKED, LIVE)}
    result = pushed(backup, accept_fork=True)
    assert [d.card for d in result.ended] == [ref(site, 3)]
    assert f"ended here, for it was ended there: {ref(site, 3)}" in result.what
    assert key(board, 3) not in door.live()
    status = cards.card_status(backup, number(3))
    assert (status.state, status.word) == ("lost", "deregistered")
    with backup.registry.session() as session:
        last = session.query(AuditEntry).filter_by(act="card.lost").one()
    said = json.loads(last.details)
    assert (said["ref"], said["device"]) == (ref(site, 3), "door-1")
    assert "revoked on the controller" in said["why"]


def test_a_fork_ends_nothing_until_it_is_accepted_and_receipts_are_pending(site, restored) -> None:
    backup = restored(lambda: cards.collect(site, number(3)))
    push.push(backup, ["door-1"])
    status = cards.card_status(backup, number(3))
    assert (status.state, status.pending) == ("issued", ("door-1",))


def test_a_card_that_the_registry_lacks_is_not_in_the_new_list(site, board, door, restored) -> None:
    backup = restored(lambda: issue(site, 77))
    assert key(board, 77) in door.live()
    assert differences_by_key(backup) == {(key(board, 77), "", LIVE, ABSENT)}
    result = pushed(backup, accept_fork=True)
    assert result.ended == ()
    assert key(board, 77) not in door.live()


def differences_by_key(site) -> set[tuple[bytes, str, str, str]]:
    found = compare.compare(site, "door-1")
    return {(d.key, d.card, d.there, d.here) for d in found.differences}


def test_a_card_that_only_the_other_registry_has_sent_is_not_called_deregistered(
    site, board, door, open_site, tmp_path, disk_image
) -> None:
    """The backup was made after the card was issued, before it went to any controller."""
    Board(site, "door-2")
    issue(site, *range(50))
    push.push(site, ["door-1"])
    issue(site, 99)
    backup = open_site(disk_image(site, tmp_path / "backup"))
    pushed(site)
    assert cards.collect(backup, number(99)).deregistered, "as far as it can know"
    pushed(backup, accept_fork=True)
    assert key(board, 99) not in door.live()
    assert cards.card_status(backup, number(99)).sent_to == ("door-1",)


def test_a_card_that_ended_elsewhere_is_pending_wherever_it_was_granted(
    site, door, open_site, tmp_path, disk_image
) -> None:
    Board(site, "door-2")
    issue(site, *range(50))
    push.push(site, ["door-1"])
    issue(site, 99)
    backup = open_site(disk_image(site, tmp_path / "backup"))
    pushed(site)
    cards.collect(site, number(99))
    pushed(site)
    pushed(backup, accept_fork=True)
    status = cards.card_status(backup, number(99))
    assert (status.state, status.word, status.pending) == ("lost", "pending 1/2", ("door-2",))
    assert door.held.version == 4


def test_a_fork_that_cannot_be_compared_is_not_accepted(site, door, restored) -> None:
    backup = restored(lambda: cards.collect(site, number(3)))
    door.dies_at = 3
    [broken] = push.push(backup, ["door-1"], accept_fork=True)
    assert not broken.ok
    [refused] = push.push(backup, ["door-1"])
    assert "did not sign" in refused.what
    assert cards.card_status(backup, number(3)).state == "issued"


# --- what a person sees ---------------------------------------------------------------------


@pytest.fixture
def run(site, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrase.VARIABLE, PASSPHRASE)

    def run_(*words: str, folder=site.path):
        code = cli.run([*words, "--site", str(folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield run_
    messages.set_language(None)


def test_compare_names_the_card_and_its_holder(run, site, board, door) -> None:
    words = ("--name", "张伟", "--room", "A-101", "--until", "2030-03-31")
    assert run("card", "issue", number(0), *words)[0] == 0
    issue(site, 1, 2)
    pushed(site)
    code, out, _ = run("device", "compare", "door-1")
    assert (code, out.splitlines()) == (
        0, ["door-1: version 1 compared with what was signed for it: 0 cards differ"]
    )  # fmt: skip
    door.rot(key(board, 0), None)
    door.rot(b"\xff" * 8, layout.pack(b"\xff" * 8, 0, 9, 1, 0))
    code, out, _ = run("device", "compare", "door-1")
    assert (code, "2 cards differ; what is stored is not what it reports" in out) == (1, True)
    assert "K000001" in out
    assert "张伟 A-101" in out
    assert "unknown to this registry" in out
    code, out, _ = run("device", "compare", "door-1", "--json")
    told = json.loads(out)
    assert (told["same"], told["intact"], len(told["differences"])) == (False, False, 2)
    code, out, _ = run("push", "--repair", "--lang", "zh")
    assert (code, "2 张卡与版本 1 签发的不同" in out) == (0, True)


def test_push_names_the_doors_that_have_not_proved_it(run, site, door) -> None:
    other = Board(site, "door-2")
    words = ("--name", "张伟", "--until", "2030-03-31")
    assert run("card", "issue", number(0), *words)[0] == 0
    pushed(site)
    other.update()
    assert run("card", "collect", number(0))[0] == 1
    code, out, _ = run("push", "door-1")
    assert (code, out.splitlines()[-1]) == (
        0, "K000001 张伟: dead on 1/2, no proof from door-2"
    )  # fmt: skip
    code, out, _ = run("push", "door-1", "--json")
    assert json.loads(out)["unproven"] == [
        {"card": "K000001", "holder": "张伟", "dead_on": 1, "of": 2, "missing": ["door-2"]}
    ]
    other.update()
    code, out, _ = run("push", "door-1")
    assert "no proof" not in out
    assert door.held.version == 2
