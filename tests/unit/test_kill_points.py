"""A process that is killed at any point leaves a whole registry, and the next push completes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from controller_tool import clock, credentials
from controller_tool.registry.models import Grant
from controller_tool.services import audit, backup, card_change, cards, people, push, roster
from tests.unit.kill_points import Scenario, Stage, killed_everywhere
from tests.unit.test_deltas_push import issue, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of this process")

ROSTER = """姓名,身份证号,房间,卡号,入住日期,到期日期
王伟,330199199001010011,A-101,0012000001,2026-03-01,2045-08-31
李娜,330199199202020021,A-102,0012000002,2026-03-01,2045-08-31
"""
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


SCENARIOS = [
    Scenario("issue", issue_one, 15, housed),
    Scenario("collect", lambda s: cards.collect(s.site, number(3)), 8, housed),
    Scenario("lost", lambda s: cards.lost(s.site, number(3)), 8, housed),
    Scenario("change", lengthen, 15, housed),
    Scenario("import", import_roster, 25, with_roster),
    Scenario("first push", pushed, 30, lambda s: issue(s.site, *range(5)), whole=False),
    Scenario("push of changes", pushed, 30, changed, whole=False),
    Scenario("backup", back_up, 10, housed, whole=False),
]


@pytest.fixture
def stage(tmp_path: Path, made_site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(tmp_path, made_site, monkeypatch)
    yield made
    made.site.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_killed_anywhere_the_registry_is_whole_and_the_next_push_completes(
    scenario, stage, record_property
) -> None:
    kinds = killed_everywhere(scenario, stage)
    record_property("points", kinds.total())
    print(f"{scenario.name}: {kinds.total()} points, {dict(kinds)}")
    assert kinds["before commit"] == kinds["after commit"] > 0


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
        killed_everywhere(Scenario("in two", issue_in_two, 5, housed, whole), stage)


def send_before_it_is_written(stage: Stage) -> None:
    """On purpose: what was signed for the door is forgotten while the door holds it."""
    kept = stage.folder / "before"
    shutil.copyfile(stage.site.path / "registry.sqlite", kept)
    pushed(stage)
    stage.site.registry.close()
    shutil.copyfile(kept, stage.site.path / "registry.sqlite")


def test_a_door_that_knows_more_than_the_registry_is_noticed(stage) -> None:
    with pytest.raises(AssertionError, match="a fork of its own"):
        killed_everywhere(
            Scenario("sent first", send_before_it_is_written, 5, changed, whole=False), stage
        )


def test_a_scenario_with_too_few_points_is_no_proof(stage) -> None:
    with pytest.raises(AssertionError, match="points only"):
        killed_everywhere(Scenario("nothing", lambda _: None, 1), stage)
