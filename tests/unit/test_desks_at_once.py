"""Several desks on one registry at once: real processes, each with a copy of the folder (host)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.registry import database
from controller_tool.registry.models import STATE_COLLECTED, Card, Operator, Person
from controller_tool.registry.records import AuditEntry
from controller_tool.registry.stays import Lease
from controller_tool.services import audit, cards
from tests.unit import desk_at_work
from tests.unit.desk_at_work import ROWS, SHARED
from tests.unit.house_support import add_areas, add_house
from tests.unit.registry_support import PASSPHRASE

if TYPE_CHECKING:
    from controller_tool.services.site import Site

pytestmark = pytest.mark.both_registries
HOLDS_THE_LOCK = """
import sys
from controller_tool.services import audit
from controller_tool.services.site import Site
site = Site.open(sys.argv[1])
with site.registry.writing() as session:
    audit.append(session, "x", "never")
    print("held", flush=True)
    sys.stdin.read()
"""
OPERATORS = ("王芳", "李明")


@pytest.fixture
def rounds(full: bool) -> int:
    return 60 if full else 12


@pytest.fixture
def folders(site, tmp_path, registry_kind) -> list[Path]:
    """A folder for each desk: of one registry on a server, copies; the one file, the one folder."""
    if registry_kind == "sqlite":
        return [site.path, site.path]
    return [site.path, shutil.copytree(site.path, tmp_path / "second desk")]


def start(
    folder: Path, operator: str, first: int, rounds: int, work: str = "cards"
) -> subprocess.Popen[str]:
    module = "tests.unit.desk_at_work"
    return subprocess.Popen(
        [sys.executable, "-m", module, work, folder, operator, str(first), str(rounds)],
        cwd=Path(__file__).parents[2], text=True, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def at_once(desks: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """They begin together when all are ready; what each did."""
    for desk in desks:
        assert desk.stdout is not None
        assert desk.stdout.readline() == "ready\n", desk.communicate()
    with ThreadPoolExecutor(len(desks)) as pool:
        said = list(pool.map(lambda desk: desk.communicate("go\n"), desks))
    assert [desk.returncode for desk in desks] == [0] * len(desks), [text for _, text in said]
    return [json.loads(text) for text, _ in said]


def test_two_desks_lose_no_change_and_double_no_card(site, board, folders, rounds) -> None:
    before = len(entries(site))
    desks = zip(folders, OPERATORS, (1_000_000, 2_000_000), strict=True)
    done = at_once([start(*desk, rounds) for desk in desks])
    with site.registry.session() as session:
        held = list(session.query(Card))
        people = session.query(Person).count()
        operators = {row.name for row in session.query(Operator)}
        assert audit.first_broken(session) is None, "the operators' log is one chain"
    imports = -(-rounds // 4)
    issued = [ref for desk in done for ref in desk["issued"] + desk["shared"]]
    assert sum(len(desk["shared"]) for desk in done) == rounds, "each shared card went out once"
    assert len(held) == len(issued) + 2 * imports * ROWS
    assert sorted(card.ref for card in held) == [f"K{n + 1:06d}" for n in range(len(held))]
    assert set(issued) <= {card.ref for card in held}
    assert people == imports * ROWS, "both desks imported the same people"
    collected = {card.ref for card in held if card.state == STATE_COLLECTED}
    assert collected == {ref for desk in done for ref in desk["collected"]}
    assert operators == set(OPERATORS)
    acts = Counter(entry.act for entry in entries(site)[before:])
    assert acts == {
        "card.issue": len(issued), "card.collect": len(collected), "card.import": 2 * imports,
        "operator.first_seen": 1,
    }  # fmt: skip
    assert board.next().version == 1, "the list is made of all of it"


def test_two_desks_that_want_the_last_bed_or_the_same_card(site, board, folders, rounds) -> None:
    add_areas(site)
    beds = {desk_at_work.bed(turn): 1 for turn in range(rounds)}
    add_house(site, rooms={"hall": 9 * rounds, **beds})
    desks = zip(folders, OPERATORS, (1_000_000, 1_010_000), strict=True)
    done = at_once([start(*desk, rounds, "stays") for desk in desks])
    with site.registry.session() as session:
        stays = list(session.query(Lease))
        held = list(session.query(Card))
        rooms = Counter(stay.room_id for stay in stays)
        assert audit.first_broken(session) is None
        for card in held:
            assert (card.state == "issued") == (session.get_one(Lease, card.lease_id).ended_at_s
                                                is None)  # fmt: skip
    for shared in ("bed", "card"):
        assert sum(len(desk[shared]) for desk in done) == rounds, f"one desk got each {shared}"
    assert sorted(rooms.values())[:-1] == [1] * rounds, "nobody sleeps in a bed that is taken"
    told = [ref for desk in done for kind in ("own", "bed", "card") for ref in desk[kind]]
    assert sorted(told) == [f"L{n + 1:06d}" for n in range(4 * rounds)]
    assert sorted(stay.ref for stay in stays) == sorted(told)
    assert len(held) == len(told)
    left = {ref for desk in done for ref in desk["left"]}
    assert {stay.ref for stay in stays if stay.ended_at_s is not None} == left
    signed = board.next()
    board.take(signed)
    assert signed.version == 1


def test_what_one_desk_changes_the_other_sees_at_once(site, folders, open_site) -> None:
    other = open_site(folders[1], operator="李明")
    ref = desk_at_work.issue(site, SHARED)
    assert cards.card_status(other, ref).state == "issued"
    cards.collect(other, ref)
    assert cards.card_status(site, ref).state == STATE_COLLECTED


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(site, folders, open_site) -> None:
    other = open_site(folders[1])
    with site.registry.session() as session:
        assert session.query(Card).count() == 0
        desk_at_work.issue(other, SHARED)
        assert session.query(Card).count() == 0
    with site.registry.session() as session:
        assert session.query(Card).count() == 1


def test_a_desk_that_is_killed_while_it_writes_leaves_nothing_behind(
    folders, monkeypatch, open_site
) -> None:
    """Its connection ends with it, and its lock with that."""
    patient = open_site(folders[0])
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    hasty = open_site(folders[0])
    desk = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, folders[1]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert desk.stdout is not None
    assert desk.stdout.readline().strip() == b"held"
    with pytest.raises(OperatorError, match="busy"):
        desk_at_work.issue(hasty, SHARED)
    desk.kill()
    desk.communicate()
    assert desk_at_work.issue(patient, SHARED) == "K000001"
    assert "never" not in {entry.act for entry in entries(patient)}


def test_who_types_the_passphrase_keeps_no_desk_waiting(folders, monkeypatch, open_site) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 10)
    other = open_site(folders[1])

    def typed(*_: object) -> str:
        desk_at_work.issue(other, SHARED)
        return PASSPHRASE

    monkeypatch.setattr(passphrase, "find", typed)
    slow = open_site(folders[0], None)
    assert desk_at_work.issue(slow, SHARED + 1) == "K000002"


def entries(site: Site) -> list[AuditEntry]:
    with site.registry.session() as session:
        return list(session.query(AuditEntry).order_by(AuditEntry.id))
