"""A process that is killed at any point leaves a whole registry, and the next push completes.

The short form kills each operation at MOST of its points, `./dev test --full` at all of them.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from controller_tool import clock, credentials
from controller_tool.registry.houses import House
from controller_tool.registry.models import Card, Grant
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.services import audit, backup, card_change, cards, people, push, roster
from controller_tool.services.desk import (
    card_found,
    change_stay,
    check_in,
    check_out,
    houses,
    inspections,
    operator_secret,
    operators,
    pair_acts,
    retention,
)
from tests.unit.house_support import add_areas, add_house
from tests.unit.kill_points import Scenario, Stage, killed_everywhere, sample
from tests.unit.operator_support import HEAD, SECRETS, prove
from tests.unit.test_deltas_push import issue, number

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of this process")

ROSTER = """姓名,身份证号,房间,卡号,入住日期,到期日期
王伟,330199199001010011,A-101,0012000001,2026-03-01,2045-08-31
李娜,330199199202020021,A-102,0012000002,2026-03-01,2045-08-31
"""
MOST = 4
NOW_MIN = clock.now_s() // 60  # the same in every process
HOLDER = people.Holder("张伟", "11010519491231002X", "203", "")


def terms(days: int = 30) -> cards.Terms:
    return cards.Terms(NOW_MIN - 1, NOW_MIN + days * 1440)


def housed(stage: Stage) -> None:
    """Five cards that the door knows."""
    issue(stage.site, *range(5))
    pushed(stage)


def changed(stage: Stage) -> None:
    """One ended and one came since."""
    housed(stage)
    cards.collect(stage.site, number(3))
    issue(stage.site, 20)


def pushed(stage: Stage) -> None:
    [result] = push.push(stage.site, ["door-1"])
    assert result.ok, result


def issue_one(stage: Stage) -> None:
    cards.issue(stage.site, credentials.parse(number(30)), terms(), HOLDER)


def import_roster(stage: Stage) -> None:
    roster.import_roster(stage.site, stage.folder / "roster.csv")


def with_roster(stage: Stage) -> None:
    (stage.folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    housed(stage)


def lengthen(stage: Stage) -> None:
    wish = card_change.Wish(until_min=NOW_MIN + 50 * 1440)
    card_change.change(stage.site, number(3), wish)


def back_up(stage: Stage) -> None:
    (stage.folder / "backups").mkdir(exist_ok=True)
    backup.make(stage.site, stage.folder / "backups", keep=2)


def with_house(stage: Stage) -> None:
    add_areas(stage.site)
    add_house(stage.site, surveyed_at_s=1)
    housed(stage)


def move_in(stage: Stage) -> None:
    """From tomorrow on: what a rule counts from now would be another minute in another process."""
    begin = NOW_MIN + 1440
    wish = check_in.Request(HOLDER, "H00001", "101", begin, begin + 100 * 1440,
                            cards=(credentials.parse(number(30)),))  # fmt: skip
    check_in.check_in(stage.site, wish)


def stayed(stage: Stage) -> None:
    with_house(stage)
    move_in(stage)
    pushed(stage)


def left(stage: Stage) -> None:
    """Two years ago, and the door has proven it."""
    stayed(stage)
    move_out(stage)
    pushed(stage)
    with stage.site.registry.writing() as session:
        for row in (session.query(Lease).one(), session.query(Card).filter_by(ref="K000006").one()):
            row.ended_at_s = clock.now_s() - 730 * 86_400


def move_out(stage: Stage) -> None:
    check_out.check_out(stage.site, "L000001")


def extend(stage: Stage) -> None:
    change_stay.extend(stage.site, "L000001", NOW_MIN + 150 * 1440)


def classify(stage: Stage) -> None:
    done = houses.classify(stage.site, "H00001", words.STRICT, "屡次整改")
    assert done.shortened == ("L000001",)


def not_admitted(stage: Stage) -> None:
    with_house(stage)
    inspections.inspect(stage.site, "H00001", inspections.Written(words.ADMISSION, passed=True))
    with stage.site.registry.writing() as session:
        session.query(House).one().state = words.KNOWN


def lost_and_asked(stage: Stage) -> None:
    """A clerk with a secret of their own asks; the head has one too."""
    housed(stage)
    operators.add(stage.site, "李明", words.CLERK)
    given = operators.reset_secret(stage.site, "李明").first_secret
    operators.set_secret(stage.site, SECRETS[HEAD])
    cards.lost(stage.site, number(3))
    stage.site.operator = "李明"
    operators.set_secret(stage.site, SECRETS["李明"], given)
    prove(stage.site)
    card_found.ask(stage.site, number(3), "报案回执7号")
    stage.site.operator = HEAD
    pushed(stage)


def erase(stage: Stage) -> None:
    assert len(retention.erase_due(stage.site).erased) == 1


SCENARIOS = [
    Scenario("issue", issue_one, 15, housed),
    Scenario("collect", lambda s: cards.collect(s.site, number(3)), 8, housed),
    Scenario("lost", lambda s: cards.lost(s.site, number(3)), 8, housed),
    Scenario("change", lengthen, 15, housed),
    Scenario("import", import_roster, 25, with_roster),
    Scenario("first push", pushed, 30, lambda s: issue(s.site, *range(5)), whole=False),
    Scenario("push of changes", pushed, 30, changed, whole=False),
    Scenario("backup", back_up, 10, housed, whole=False),
    Scenario("check-in", move_in, 20, with_house),
    Scenario("check-out", move_out, 10, stayed),
    Scenario("extend", extend, 20, stayed),
    Scenario("move", lambda s: change_stay.move(s.site, "L000001", "H00001", "102"), 20, stayed),
    Scenario("house admit", lambda s: houses.admit(s.site, "H00001"), 8, not_admitted),
    Scenario("house classify", classify, 20, stayed),
    Scenario(
        "found", lambda s: pair_acts.decide(s.site, 1, True, SECRETS[HEAD]), 15, lost_and_asked
    ),
    Scenario("retention", erase, 15, left),
    Scenario("backup of stays", back_up, 10, stayed, whole=False),
]


@pytest.fixture
def stage(site, board, images, tmp_path, monkeypatch) -> Stage:
    monkeypatch.setattr(operator_secret, "_COST_LOG2", 4)
    return Stage(site, board, images, tmp_path, monkeypatch)


@pytest.mark.both_registries
@pytest.mark.parametrize("scenario", SCENARIOS[::4], ids=lambda scenario: scenario.name)
def test_killed_anywhere_on_either_registry(scenario, stage, record_property, full) -> None:
    killed(scenario, stage, record_property, full)


@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one not in SCENARIOS[::4]], ids=lambda one: one.name
)
def test_killed_anywhere_the_registry_is_whole_and_the_next_push_completes(
    scenario, stage, record_property, full
) -> None:
    """On both kinds of registry in the long form."""
    killed(scenario, stage, record_property, full)


def killed(scenario: Scenario, stage: Stage, record_property: Any, full: bool) -> None:
    done = killed_everywhere(scenario, stage, None if full else MOST)
    total = done.kinds.total()
    record_property("points", f"{done.tried} of {total}")
    print(f"{scenario.name}: killed at {done.tried} of {total} points, {dict(done.kinds)}")
    assert done.kinds["before commit"] == done.kinds["after commit"] > 0
    assert done.tried == (total if full else min(MOST, total))


def test_some_points_are_those_around_the_commits_and_the_rest_evenly() -> None:
    points = ["statement"] * 4 + ["before commit", "after commit"] + ["file"] * 4
    assert sample(points, 10) == list(range(1, 11))
    assert sample(points, 4) == [4, 5, 6, 10]
    assert sample(["before commit", "after commit"] * 9, 6) == [7, 8, 17, 18]


# --- negative controls ----------------------------------------------------------------------


def issue_in_two(stage: Stage) -> None:
    """On purpose: the card in one transaction, its grants in another."""
    site = stage.site
    with site.registry.writing() as session:
        card = cards.add(site, session, credentials.parse(number(30)), terms(), None)
        audit.append(session, site.operator, "card.issue", ref=card.ref)
    with site.registry.writing() as session:
        devices = cards.grant_devices(session, None)
        session.add_all(Grant(card_id=card.id, device_id=row.id) for row in devices)


@pytest.mark.parametrize(("whole", "said"), [(True, "half done"), (False, "granted nowhere")])
def test_an_operation_in_two_transactions_is_noticed(stage, whole, said) -> None:
    with pytest.raises(AssertionError, match=said):
        killed_everywhere(Scenario("in two", issue_in_two, 5, housed, whole), stage, MOST)


def remembered(stage: Stage) -> None:
    changed(stage)
    stage.images.take(stage.site, stage.folder / "before")


def send_before_it_is_written(stage: Stage) -> None:
    """On purpose: what was signed for the door is forgotten while the door holds it."""
    pushed(stage)
    with stage.points.spared():
        stage.images.put_back(stage.site, stage.folder / "before")


def test_a_door_that_knows_more_than_the_registry_is_noticed(stage) -> None:
    with pytest.raises(AssertionError, match="a fork of its own"):
        killed_everywhere(
            Scenario("sent first", send_before_it_is_written, 5, remembered, whole=False), stage
        )


def test_a_scenario_with_too_few_points_is_no_proof(stage) -> None:
    with pytest.raises(AssertionError, match="points only"):
        killed_everywhere(Scenario("nothing", lambda _: None, 1), stage)
