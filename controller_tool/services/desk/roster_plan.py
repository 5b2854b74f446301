"""What a roster means for each person on it, by the rules of rules.stay (host).

- nobody of that ID number in the house: a new stay
- in another room of it, or in another house by the same source: the stay moves
- a later end: it is extended; an earlier one is refused, for that is a check-out
- another card: the former ones of the stay end; a card that is out to somebody else is refused,
  unless this roster or its leavers free it; so is one that was lost
- a stay that is there keeps its begin; its bed is free for others once it ends or moves
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool import date_forms
from controller_tool.messages import t
from controller_tool.rules import stay as rules
from controller_tool.rules import words
from controller_tool.services import card_holder
from controller_tool.services.desk import places

if TYPE_CHECKING:
    from controller_tool.registry.houses import House, Room
    from controller_tool.registry.models import Card, Person
    from controller_tool.registry.stays import Lease
    from controller_tool.rules.refusal import Refusal
    from controller_tool.services.desk.roster_books import Books
    from controller_tool.services.desk.sheet_cells import Fault
    from controller_tool.services.roster_file import Roster, Row
    from controller_tool.services.site_time import SiteTime

# which column a rule is about
_COLUMN = {"document": "id_number", "duplicate": "room", "capacity": "room", "dates": "until",
           "elsewhere": "id_number", "ceiling": "until", "extension": "until",
           "bed": "bed"}  # fmt: skip


@dataclass
class Step:
    """A row and what is done for it. what: codes of rules.words; none: nothing.

    lease: the stay that is there; held: its cards that are out; own: a card that the person has
    without a stay, which goes on with it.
    """

    row: Row
    house: House
    room: Room
    person: Person | None
    lease: Lease | None
    held: list[Card]
    from_min: int
    own: Card | None = None
    what: list[str] = field(default_factory=list)

    @property
    def begins(self) -> bool:
        """Whether there is a stay in this room that was not there."""
        return self.lease is None or words.MOVED_ON in self.what


@dataclass
class Plan:
    """Steps of good rows; faults that the registry and the rules know of; who is not on it."""

    steps: list[Step]
    faults: list[Fault]
    leavers: list[Lease]


class Planner:
    """Compares a roster with the books; ``source``, ``kind`` and ``leavers`` as the desk says."""

    def __init__(self, books: Books, roster: Roster, source: str, now_min: int) -> None:
        self._books, self._roster = books, roster
        self._source = source
        self._now_min = now_min
        self._faults: list[Fault] = []
        self._freed: set[str] = set()  # ids of cards that end by this roster
        self._leaving: set[str] = set()  # ids of stays that do

    def plan(self, kind: str, leavers_end: bool, local: SiteTime) -> Plan:
        """kind: of stays that begin; leavers_end: who is not on the roster frees bed and card."""
        found = [self._step(row) for row in self._roster.rows]
        steps = [step for step in found if step is not None]
        on_it = {step.lease.id for step in steps if step.lease}
        leavers = [lease for lease in self._books.from_source if lease.id not in on_it]
        self._free(steps, leavers if leavers_end else [])
        for step in steps:
            self._judge(step, kind, local)
        return Plan(steps, self._faults, leavers)

    def _step(self, row: Row) -> Step | None:
        house = self._books.house(row)
        if house is None:
            self._wrong(row, "house", t("There is no house {house}", house=row.house), row.house)
            return None
        room = self._books.rooms.get((house.id, row.room))
        person = self._books.person(row)
        if person is not None and person.name != row.name:
            self._wrong(row, "name", t("this ID number belongs to somebody of another name"),
                        row.name)  # fmt: skip
        if room is None:
            self._wrong(row, "room", t("House {house} has no room {room}", house=house.ref,
                                       room=row.room), row.room)  # fmt: skip
            return None
        lease = self._lease(person, house, room) if person else None
        begin = row.from_min if row.from_min is not None else self._now_min
        step = Step(row, house, room, person, lease, self._books.held(lease) if lease else [],
                    lease.from_min if lease else begin)  # fmt: skip
        if lease is None:
            step.what.append(words.NEW)
        elif lease.room_id != room.id:
            step.what.append(words.MOVED_ON)
            step.from_min = max(lease.from_min, self._now_min)
        if lease and row.until_min > lease.until_min:
            step.what.append(words.EXTENDED)
        return step

    def _lease(self, person: Person, house: House, room: Room) -> Lease | None:
        """The stay that goes on: in this room, else in this house, else by the same source."""
        found = [one for one in self._books.stays[person.id] if one.kind != words.VISITOR and (
            one.house_id == house.id or one.roster == self._source)]  # fmt: skip
        return max(
            found, key=lambda one: (one.room_id == room.id, one.house_id == house.id, one.ref),
            default=None,
        )  # fmt: skip

    def _free(self, steps: list[Step], leaving: list[Lease]) -> None:
        """Beds and cards that are free once this roster holds."""
        taken = self._books.taken
        self._leaving = {lease.id for lease in leaving}
        for lease in leaving:
            taken[lease.room_id] -= 1
            self._leave_bed(lease)
            self._freed |= {card.id for card in self._books.held(lease)}
        for step in steps:
            if step.lease and words.MOVED_ON in step.what:
                taken[step.lease.room_id] -= 1
            if step.lease and (words.MOVED_ON in step.what or step.row.bed):
                self._leave_bed(step.lease)
            card = self._books.card(step.row)
            if step.lease and step.row.credential and card not in step.held:
                step.what.append(words.OTHER_CARD)
                self._freed |= {one.id for one in step.held}

    def _leave_bed(self, lease: Lease) -> None:
        self._books.in_beds.pop((lease.room_id, lease.bed), None)

    def _judge(self, step: Step, kind: str, local: SiteTime) -> None:
        row, lease = step.row, step.lease
        wish = rules.Wish(
            lease.kind if lease else kind, row.document, step.from_min, row.until_min,
            there_already=self._there_already(step), living=self._living(step),
        )  # fmt: skip
        house = places.facts(step.house)
        if lease and row.until_min < lease.until_min:
            last, asked = (
                local.text(minute * 60 - 60)[:10] for minute in (lease.until_min, row.until_min)
            )
            what = t("the stay lasts until {day} already: check out, or give that day",
                     day=date_forms.shown(last))  # fmt: skip
            self._wrong(row, "until", what, asked)
        elif step.begins:
            taken = self._books.taken[step.room.id]
            facts = rules.Room(step.room.number, step.room.beds, taken)
            self._refuse(row, rules.refusals(house, facts, wish, self._now_min))
            self._books.taken[step.room.id] = taken + 1
        elif lease and words.EXTENDED in step.what:
            refused = rules.extension(house, wish, lease.until_min, self._now_min)
            self._refuse(row, [refused] if refused else [])
        elif words.OTHER_CARD in step.what:
            refused = rules.admission(house)
            self._refuse(row, [refused] if refused else [])
        self._judge_bed(step)
        self._judge_card(step)

    def _judge_bed(self, step: Step) -> None:
        """A bed is nobody else's once all of the roster holds."""
        key = (step.room.id, step.row.bed)
        mine = step.lease.ref if step.lease else f"#{step.row.line}"
        if not step.row.bed:
            return
        taken = self._books.in_beds.setdefault(key, mine)
        if taken.startswith("#") and taken != mine:
            what = t("the same as in row {row}", row=int(taken[1:]))
            self._wrong(step.row, "bed", what, step.row.bed)
        elif taken != mine:
            refused = rules.bed(rules.Room(step.room.number, 0, 0, {step.row.bed: taken}),
                                rules.Wish("", "", 0, 0, bed=step.row.bed))  # fmt: skip
            self._refuse(step.row, [refused] if refused else [])

    def _there_already(self, step: Step) -> str | None:
        """A stay in the room that is not the one that goes on, such as a visit."""
        if step.person is None or not step.begins:
            return None
        mine = self._books.stays[step.person.id]
        return next((one.ref for one in mine if one.room_id == step.room.id), None)

    def _living(self, step: Step) -> tuple[rules.Living, ...]:
        """Where else the person lives once this roster holds; most do nowhere."""
        if step.person is None:
            return ()
        ending = {*self._leaving, step.lease.id if step.lease else ""}
        other = [one for one in self._books.stays[step.person.id]
                 if one.id not in ending and one.kind != words.VISITOR]  # fmt: skip
        return self._books.living(other) if other else ()

    def _judge_card(self, step: Step) -> None:
        if step.row.credential is None:
            return
        card = self._books.card(step.row)
        shown = step.row.credential.masked()
        if card is not None and card not in step.held and card.id not in self._freed:
            if card.lease_id is None and step.person and card.person_id == step.person.id:
                step.own = card
            else:
                what = t("this card is issued to somebody else ({holder})",
                         holder=self._books.holder(card))  # fmt: skip
                self._wrong(step.row, "card", what, shown)
        lost = self._books.lost(step.row)
        if lost is not None:
            what = card_holder.lost_in_row(lost, self._books.holder(lost))
            self._wrong(step.row, "card", what, shown)
        if step.what and not self._books.doors(step.house, step.room):
            self._wrong(step.row, "card", t("House {house} has no door that a card could open",
                                            house=step.house.ref), shown)  # fmt: skip

    def _refuse(self, row: Row, refused: list[Refusal]) -> None:
        for one in refused:
            column = _COLUMN.get(one.rule, "house" if row.house else "room")
            value = {"room": row.room, "house": row.house, "bed": row.bed}.get(column, "")
            self._wrong(row, column, one.what, value)

    def _wrong(self, row: Row, column: str, what: str, value: str = "") -> None:
        self._faults.append(self._roster.fault(row, column, what, value))
