"""Lists of many controllers: the fast way says what the plain one says, and knows when (host)."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from controller_tool import clock, credentials
from controller_tool.errors import ToolError
from controller_tool.registry.models import Card, Device, Grant, Profile, Schedule, Setting
from controller_tool.registry.records import SentCard
from controller_tool.services import (
    card_grants,
    cards,
    list_batch,
    list_content,
    list_records,
    list_signing,
    list_state,
    lists,
    standing,
    trust_change,
    trust_plan,
)
from controller_tool.services.site import Site
from protocol import cards as layout
from protocol.names import CREDENTIAL_NAMES
from tests.unit import list_reference
from tests.unit.raw_registry import raw
from tests.unit.registry_support import PASSPHRASE, Board

DAY_S = 86_400
DOORS = ("door-1", "door-2")


@given(
    st.binary(min_size=1, max_size=100),
    st.sampled_from(sorted(CREDENTIAL_NAMES)),
    st.lists(st.binary(min_size=1, max_size=32), max_size=5),
)
def test_card_keys_are_those_of_the_controllers(card_key, kind, found) -> None:
    messages = [list_records.key_message(kind, credential) for credential in found]
    assert list_records.card_keys(card_key, messages) == [
        layout.card_key(card_key, kind, credential) for credential in found
    ]


@pytest.mark.parametrize("credential", [b"", bytes(33)])
def test_a_credential_that_no_controller_knows_has_no_key(credential) -> None:
    with pytest.raises(ValueError, match="length"):
        list_records.key_message(1, credential)
    with pytest.raises(ValueError, match="length"):
        layout.card_key(bytes(32), 1, credential)


def _first(session, model):
    order = (Device.name,) if model is Device else model.__table__.primary_key
    return session.query(model).order_by(*order).first()


def _set(session, model, name: str, value: object) -> None:
    row = _first(session, model)
    if row is not None:
        setattr(row, name, value)


def _drop(session, model) -> None:
    row = _first(session, model)
    if row is not None:
        session.delete(row)


# whatever a list is made from, changed behind the services' back
CHANGES = {
    "profile": lambda session, n: _set(session, Profile, "unlock_ds", n),
    "schedule": lambda session, n: session.merge(
        Schedule(id=1, name="night", windows=f"[[127, {n}, 600]]")
    ),
    "holidays": lambda session, n: setattr(
        session.get_one(Setting, "holidays"), "value", f"[{n + 1}]"
    ),
    "room": lambda session, n: _set(session, Device, "cards_max", n + 1),
    "more room": lambda session, n: _set(session, Device, "cards_max", 100 + n),
    "dates": lambda session, n: _set(session, Card, "until_min", 0xFFFF00 + n),
    "flags": lambda session, n: _set(session, Card, "flags", n % 2 * 4),
    "grant": lambda session, _: _drop(session, Grant),
    "sent card": lambda session, _: _drop(session, SentCard),
}
NUMBERS = st.integers(1, 5)
ACTS = st.one_of(
    st.tuples(st.just("issue"), NUMBERS, st.sampled_from([1, 60, 200]), st.integers(0, 2)),
    st.tuples(st.just("end"), NUMBERS, st.booleans()),
    st.tuples(st.just("grant"), st.integers(0, 1)),
    st.tuples(st.just("push"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("sign"), st.booleans()),
    st.tuples(st.just("days"), st.sampled_from([-40, 1, 89, 91])),
    st.tuples(st.just("change"), st.sampled_from(sorted(CHANGES)), st.integers(0, 3)),
)


class House:
    """A site with two doors, some cards, and a clock of its own."""

    def __init__(self, site, monkeypatch) -> None:
        self.site = site
        self.now_s = clock.now_s()
        self.boards = [Board(site, name) for name in DOORS]
        for module in (cards, list_records, list_signing, list_state, lists):
            monkeypatch.setattr(module, "now_s", lambda: self.now_s)

    def do(self, act: str, *arguments) -> None:
        """One act; one that is refused changes nothing, and is a step all the same."""
        with contextlib.suppress(ToolError):
            getattr(self, act)(*arguments)

    def issue(self, number: int, days: int, doors: int) -> None:
        now_min = self.now_s // 60
        names = DOORS[:doors] or None
        terms = cards.Terms(now_min - 1, now_min + days * 1440, names)
        cards.issue(self.site, credentials.parse(f"{number:010d}"), terms, None)

    def end(self, number: int, lost: bool) -> None:
        (cards.lost if lost else cards.collect)(self.site, f"{number:010d}")

    def grant(self, door: int) -> None:
        card_grants.grant_all(self.site, DOORS[door])

    def push(self, door: int, proven: bool) -> None:
        signed = lists.next_for(self.site, self.boards[door].device)
        if signed is not None:
            self.boards[door].take(signed, proven)

    def sign(self, ahead: bool) -> None:
        (list_batch.prepare if ahead else list_batch.sign_all)(self.site, DOORS)

    def days(self, count: int) -> None:
        self.now_s += count * DAY_S

    def change(self, what: str, value: int) -> None:
        with self.site.registry.writing() as session:
            CHANGES[what](session, value)


def agrees(house: House) -> None:
    """What is made for both doors at a time, for one, plainly, and what is known: all the same."""
    with house.site.registry.writing() as session:
        rows = [session.query(Device).filter_by(name=name).one() for name in DOORS]
        both = list_records.Builder(house.site, session, rows)
        for row in rows:
            plain = list_reference.records(house.site, session, row, house.now_s)
            for builder in (both, list_records.Builder(house.site, session, [row])):
                assert replace(builder.build(row), first_end_min=0) == plain
            content = list_content.collect(house.site, session, row)
            assert list_state.known_hash(session, row) in {None, content.hash()}
            assert list_state.current(house.site, session, row).hash() == content.hash()
            if content.count < row.cards_max:
                list_state.remember(session, row, content)
                assert list_state.known_hash(session, row) == content.hash()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ACTS, max_size=12))
def test_what_is_known_is_what_would_be_made(new_office, tmp_path_factory, acts) -> None:
    folder = new_office(tmp_path_factory.mktemp("site") / "office")
    with (
        contextlib.closing(Site.open(folder, PASSPHRASE)) as site,
        pytest.MonkeyPatch.context() as p,
    ):
        house = House(site, p)
        agrees(house)
        for act in acts:
            house.do(*act)
            agrees(house)


@pytest.fixture
def house(site, monkeypatch) -> House:
    """Two doors with one card, whose lists are known."""
    made = House(site, monkeypatch)
    made.issue(1, 200, 2)
    agrees(made)
    return made


def known(house: House) -> list[str]:
    """The doors whose list need not be made."""
    with house.site.registry.session() as session:
        rows = session.query(Device).order_by(Device.name)
        return [row.name for row in rows if list_state.known_hash(session, row) is not None]


def test_a_list_is_known_until_something_of_it_changes(house) -> None:
    assert known(house) == ["door-1", "door-2"]
    house.issue(2, 200, 1)
    assert known(house) == ["door-2"]
    house.end(1, lost=False)
    assert known(house) == []


@pytest.mark.parametrize("what", ["profile", "schedule", "holidays"])
def test_the_rules_of_the_site_are_part_of_every_list(house, what) -> None:
    house.change(what, 3)
    assert known(house) == []


def test_a_controller_that_is_heard_changes_no_list(house) -> None:
    with house.site.registry.writing() as session:
        _set(session, Device, "last_heard_s", 5)
        _set(session, Device, "list_version_sent", 5)
    assert known(house) == ["door-1", "door-2"]


def test_a_card_leaves_by_time_alone(house) -> None:
    house.days(200 + 90)
    assert known(house) == ["door-1", "door-2"]
    house.days(1)
    assert known(house) == []


def test_a_clock_that_went_back_proves_nothing(house) -> None:
    house.days(-1)
    assert known(house) == []


def test_without_its_trigger_an_old_list_would_be_told(house) -> None:
    """The negative control: `agrees` sees a registry that forgets to forget."""
    raw(house.site, "DROP TRIGGER cards_update_forgets")
    house.end(1, lost=False)
    with pytest.raises(AssertionError):
        agrees(house)


def test_all_lists_are_signed_in_one_go_and_only_once(house) -> None:
    assert list_batch.sign_all(house.site, DOORS).signed == DOORS
    assert list_batch.sign_all(house.site, DOORS).unchanged == DOORS
    for board in house.boards:
        signed = lists.next_for(house.site, board.device)
        assert signed is not None
        assert signed.version == 1
        board.take(signed)
    house.issue(2, 200, 1)
    again = list_batch.sign_all(house.site, DOORS)
    assert (again.signed, again.unchanged) == (("door-1",), ("door-2",))


@pytest.mark.parametrize(
    "plan", [trust_plan.new_epoch, lambda site: trust_plan.rotate(site, "whitelist")]
)
def test_all_lists_are_signed_anew_for_a_new_epoch_or_key(house, plan) -> None:
    list_batch.sign_all(house.site, DOORS)
    trust_change.carry_out(house.site, plan(house.site))
    assert known(house) == list(DOORS), "what they say is the same"
    assert len(list_batch.prepare(house.site, DOORS)) == 2
    assert list_batch.sign_all(house.site, DOORS).signed == DOORS
    assert list_batch.sign_all(house.site, DOORS).unchanged == DOORS


def test_a_controller_that_can_have_no_list_keeps_no_other_from_its_own(house) -> None:
    standing.note(house.site, house.boards[0].device, 1, 7, bytes(32))
    done = list_batch.sign_all(house.site, DOORS)
    assert done.signed == ("door-2",)
    assert [(one.device, one.what) for one in done.failed] == [
        ("door-1", "door-1 holds a list that this registry did not sign")
    ]


def test_what_is_prepared_is_used_while_it_is_true(house, monkeypatch) -> None:
    prepared = list_batch.prepare(house.site, DOORS)
    monkeypatch.setattr(list_content, "collect", None)  # nothing is made anew
    with house.site.registry.writing() as session:
        row = session.query(Device).filter_by(name="door-1").one()
        assert list_state.current(house.site, session, row, prepared).content is prepared[row.id]


def test_what_is_prepared_is_left_when_a_card_ended_meanwhile(house) -> None:
    prepared = list_batch.prepare(house.site, DOORS)
    house.end(1, lost=False)
    with house.site.registry.writing() as session:
        row = session.query(Device).filter_by(name="door-1").one()
        assert list_state.current(house.site, session, row, prepared).content.count == 0


def test_nothing_is_prepared_for_lists_that_are_good(house) -> None:
    list_batch.sign_all(house.site, DOORS)
    assert list_batch.prepare(house.site, DOORS) == {}
    house.days(2)  # more than half of the time to refresh_by
    assert len(list_batch.prepare(house.site, DOORS)) == 2


def test_a_full_controller_is_never_known(house) -> None:
    house.change("room", 0)
    agrees(house)
    assert known(house) == ["door-2"]
