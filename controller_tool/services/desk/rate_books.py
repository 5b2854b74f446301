"""Rates by house, added up by area, with their gaps (host).

No registry: facts in (rate_facts), figures out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.rules import rates as rules
from controller_tool.rules import required_doors
from controller_tool.rules.rates import Gap, Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.registry.houses import Area, House
    from controller_tool.services.desk.rate_facts import Danger, Facts

HOUSE, SITE, NOWHERE = "house", "site", "nowhere"  # kinds of unit beside areas
_DAY_S = 86400
_LANDLORD_ACTS = (rules.HOUSES, rules.PEOPLE, rules.HAZARDS)
Rates = dict[str, Rate]


@dataclass(frozen=True)
class Unit:
    """Rates of one place: kind of area, HOUSE, SITE, or NOWHERE for cards of no stay."""

    kind: str
    code: str
    name: str
    rates: Rates


class Books:
    """Rates by house, added up by area."""

    def __init__(self, facts: Facts, at_s: int) -> None:
        self._facts, self._at_s = facts, at_s
        self._areas = {area.code: area for area in facts.areas}
        self._parts: dict[str | None, list[Area]] = defaultdict(list)
        for area in facts.areas:
            self._parts[area.parent_code].append(area)
        self._houses = {house.id: house for house in facts.houses}
        self._within: dict[str, list[House]] = defaultdict(list)
        for house in facts.houses:
            self._within[house.grid_code].append(house)
        self._staying = {house.id: set[str]() for house in facts.houses}
        for entry in facts.entries:
            self._staying[entry.house_id].add(entry.person_id)
        self._of: dict[str | None, Rates] = defaultdict(_nothing)
        self._gaps: list[Gap] = []
        self._count()
        self._of_area = dict[str, Rates]()
        for area in self._parts[None]:
            self._add_up(area)

    def scope(self, area: str | None, house: str | None) -> Unit:
        """What was asked for."""
        if house is not None:
            found = next((one for one in self._houses.values() if one.ref == house.upper()), None)
            if found is None:
                raise OperatorError(
                    t("There is no house {house}", house=house), t("See them with: house list")
                )
            return self._house_unit(found)
        if area is None:
            roots = [self._of_area[one.code] for one in self._parts[None]]
            return Unit(SITE, "", "", _sum([*roots, self._of[None]]))
        if area not in self._areas:
            raise OperatorError(
                t("There is no area {code}", code=area), t("See them with: area list")
            )
        return self._area_unit(self._areas[area])

    def units(self, by: str, whole: Unit) -> Iterator[Unit]:
        """Of one kind within the scope, by code; last what belongs nowhere."""
        if by == HOUSE:
            yield from (self._house_unit(one) for one in self._in_scope(whole) if self._is_let(one))
        else:
            codes = self._codes(whole)
            yield from (self._area_unit(one) for one in self._facts.areas
                        if one.kind == by and one.code in codes)  # fmt: skip
        if whole.kind == SITE and self._of[None][rules.CARDS].denominator:
            yield Unit(NOWHERE, "", "", self._of[None])

    def gaps_of(self, whole: Unit) -> dict[str, list[Gap]]:
        """By rate, in the order of their houses."""
        codes = self._codes(whole)
        found: dict[str, list[Gap]] = {name: [] for name in rules.RATES}
        for gap in self._gaps:
            if whole.kind == HOUSE:
                here = gap.house == whole.code
            else:
                here = whole.kind == SITE or gap.place in codes
            if here and not self._is_counted_above(gap, codes):
                found[gap.rate].append(gap)
        return found

    def entry_days(self, whole: Unit) -> list[int]:
        """Days since each entry was compared with its person, or made."""
        here = {house.id for house in self._in_scope(whole)}
        last = {
            (one.house_id, one.person_id): max(one.created_at_s, one.verified_at_s or 0)
            for one in self._facts.entries
            if one.house_id in here
        }
        return [self._days(moment) for moment in last.values()]

    def survey_days(self, whole: Unit) -> list[int]:
        """Days since each let house was counted on foot."""
        return [
            self._days(house.surveyed_at_s)
            for house in self._in_scope(whole)
            if house.surveyed_at_s is not None and self._is_let(house)
        ]

    def _count(self) -> None:
        """All rates of each house, and what is missing to them."""
        for house in self._houses.values():
            if self._is_let(house):
                self._take(rules.HOUSES, house, house.ref, rules.house_reason(house.state))
                self._count_people(house)
        seen = set[tuple[str, str]]()
        for entry in self._facts.entries:
            if (entry.house_id, entry.person_id) not in seen:
                seen.add((entry.house_id, entry.person_id))
                reason = rules.entry_reason(entry.verified_good, entry.missing)
                self._take(rules.ACCURACY, self._houses[entry.house_id], entry.ref, reason,
                           room=entry.room, who=entry.name,
                           detail=",".join(entry.missing))  # fmt: skip
        for danger in self._facts.dangers:
            self._count_danger(danger)
        for breach in self._facts.breaches:
            self._take(rules.BREACHES, self._houses[breach.house_id], breach.ref,
                       rules.breach_reason(breach.sanctioned, breach.closed),
                       detail=breach.party)  # fmt: skip
        for house_id, count in self._facts.departures.items():
            self._of[house_id][rules.CARDS] += Rate(count, count)
        for one in self._facts.undone:
            reason = rules.departure_reason(one.still_issued, len(one.devices))
            self._of[one.house_id][rules.CARDS] += Rate(-1)
            self._miss(rules.CARDS, self._houses.get(one.house_id or ""), one.subject, reason or "",
                       room=one.room, who=one.name, proven=one.of - len(one.devices), of=one.of,
                       devices=one.devices)  # fmt: skip

    def _count_people(self, house: House) -> None:
        count = len(self._staying[house.id])
        rate = rules.counted(house.people_surveyed, Rate(count, count), is_part=True)
        self._of[house.id][rules.PEOPLE] += rate
        if rate.uncounted:
            self._miss(rules.PEOPLE, house, house.ref, rules.NOT_SURVEYED, count=0)
        if rate.missing:
            self._miss(rules.PEOPLE, house, house.ref, rules.NOT_REGISTERED, count=rate.missing)

    def _count_danger(self, danger: Danger) -> None:
        house = self._houses[danger.house_id]
        reason = rules.hazard_reason(
            danger.found_at_s, danger.mended_at_s, danger.due_s, self._at_s, danger.same_visit
        )
        self._take(rules.HAZARDS, house, danger.ref, reason, detail=danger.what, due_s=danger.due_s)
        if rules.counts_as_due(danger.due_s, self._at_s, reason is None):
            self._of[house.id][rules.DUE] += Rate(int(reason is None), 1)

    def _take(self, rate: str, house: House, subject: str, reason: str | None, **more: Any) -> None:
        self._of[house.id][rate] += Rate(int(reason is None), 1)
        if reason is not None:
            self._miss(rate, house, subject, reason, **more)

    def _miss(self, rate: str, house: House | None, subject: str, reason: str, **more: Any) -> None:
        place, ref = (house.grid_code, house.ref) if house else ("", "")
        if house and rate in _LANDLORD_ACTS:
            more["who"] = house.landlord_name
        self._gaps.append(Gap(rate, place, ref, subject, reason, **more))

    def _add_up(self, area: Area) -> Rates:
        below = [self._add_up(part) for part in self._parts[area.code]]
        made = _sum([*below, *(self._of[house.id] for house in self._within[area.code])])
        for rate, own, is_part in (
            (rules.HOUSES, area.houses_surveyed, not below),
            (rules.PEOPLE, area.migrants_surveyed, False),
        ):
            parts = made[rate]
            made[rate] = rules.counted(own, parts, is_part=is_part)
            place = Gap(rate, area.code, "", area.code, rules.NOT_SURVEYED, count=0)
            if made[rate].uncounted > parts.uncounted:
                self._gaps.append(place)
            if made[rate].denominator > parts.denominator:
                count = made[rate].denominator - parts.denominator
                self._gaps.append(replace(place, reason=rules.NOT_REGISTERED, count=count))
        self._of_area[area.code] = made
        return made

    def _is_counted_above(self, gap: Gap, codes: set[str]) -> bool:
        """Whether an area within the scope was counted as a whole, so that no part needs to be."""
        if gap.reason != rules.NOT_SURVEYED:
            return False
        code: str | None = gap.place
        while code in codes and code is not None:
            area = self._areas[code]
            own = area.houses_surveyed if gap.rate == rules.HOUSES else area.migrants_surveyed
            if own is not None:
                return True
            code = area.parent_code
        return False

    def _codes(self, whole: Unit) -> set[str]:
        """Codes of all areas in the scope."""
        if whole.kind == HOUSE:
            return set()
        found: set[str] = set()
        wanted = [whole.code] if whole.code else [one.code for one in self._parts[None]]
        while wanted:
            found.add(code := wanted.pop())
            wanted += [part.code for part in self._parts[code]]
        return found

    def _in_scope(self, whole: Unit) -> list[House]:
        codes = self._codes(whole)
        return [
            house
            for house in self._facts.houses
            if house.grid_code in codes or (whole.kind == HOUSE and house.ref == whole.code)
        ]

    def _is_let(self, house: House) -> bool:
        return required_doors.is_let(house.state, len(self._staying[house.id]))

    def _house_unit(self, house: House) -> Unit:
        return Unit(HOUSE, house.ref, house.address, self._of[house.id])

    def _area_unit(self, area: Area) -> Unit:
        return Unit(area.kind, area.code, area.name, self._of_area[area.code])

    def _days(self, moment_s: int) -> int:
        return max(0, self._at_s - moment_s) // _DAY_S


def _nothing() -> Rates:
    return dict.fromkeys((*rules.RATES, rules.DUE), Rate())


def _sum(rates: list[Rates]) -> Rates:
    made = _nothing()
    for one in rates:
        for name, rate in one.items():
            made[name] += rate
    return made
