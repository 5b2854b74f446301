"""Deltas, compare and forks with the real firmware: the registry says what lies there (host)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from controller_tool.registry.records import ListVersion
from controller_tool.services import cards, compare, push
from controller_tool.services.site import Site
from protocol import cose, manifest
from protocol.codes import LIST_DELTA, LIST_FULL
from tests.e2e.conftest import PASSPHRASE
from tests.unit.test_deltas_push import issue, number

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.virtual_house import VirtualHouse

DOOR = "door-1"
FIRST = 50_000  # numbers that no other story uses


def pushed(site: Site, **order: bool) -> push.PushResult:
    [result] = push.push(site, [DOOR], None, None, None, **order)
    assert result.ok, result
    return result


def signed_kinds(site: Site, count: int) -> list[int]:
    """Kinds of the newest lists of the door, the newest last."""
    with site.registry.session() as session:
        query = session.query(ListVersion).filter_by(device_id=site.device(DOOR).id)
        rows = query.order_by(ListVersion.version).all()[-count:]
    return [manifest.parse(bytes(cose.open_envelope(r.envelope).payload)).kind for r in rows]


def in_step(site: Site) -> bool:
    found = compare.compare(site, DOOR)
    return (found.intact, found.against, found.differences) == (True, compare.SIGNED, ())


def test_a_card_that_ends_travels_alone(house: VirtualHouse) -> None:
    site = house.site
    issue(site, *range(FIRST, FIRST + 200))
    pushed(site, force=True)
    cards.collect(site, number(FIRST))
    result = pushed(site)
    assert (result.kind, result.changes, result.payload_bytes) == ("delta", 1, 16)
    assert cards.card_status(site, number(FIRST)).pending in ((), ("pile-1",))
    assert in_step(site)


def test_what_ends_goes_before_many_that_come(house: VirtualHouse) -> None:
    site = house.site
    issue(site, *range(FIRST + 200, FIRST + 350))
    cards.collect(site, number(FIRST + 1))
    assert pushed(site).changes == 151
    assert signed_kinds(site, 2) == [LIST_DELTA, LIST_DELTA]
    assert in_step(site)


def test_a_house_that_moves_in_takes_a_full_list_after_what_ends(house: VirtualHouse) -> None:
    site = house.site
    issue(site, *range(FIRST + 400, FIRST + 1000))
    cards.collect(site, number(FIRST + 2))
    assert pushed(site).kind == "full"
    assert signed_kinds(site, 2) == [LIST_DELTA, LIST_FULL]
    assert in_step(site)


def test_a_restored_backup_revives_nobody(house: VirtualHouse, tmp_path: Path) -> None:
    site = house.site
    shutil.copytree(site.path, tmp_path / "backup", ignore=shutil.ignore_patterns("sim"))
    cards.collect(site, number(FIRST + 3))
    pushed(site)
    (tmp_path / "backup" / "sim").symlink_to(site.path / "sim")
    backup = Site.open(tmp_path / "backup", PASSPHRASE)
    try:
        [refused] = push.push(backup, [DOOR])
        assert "did not sign" in refused.what
        result = pushed(backup, accept_fork=True)
        assert [d.card for d in result.ended] == [cards.card_status(site, number(FIRST + 3)).ref]
        assert in_step(backup)
    finally:
        backup.close()
    # the house's own folder comes back in the same way, for the stories that follow
    pushed(site, accept_fork=True)
    assert in_step(site)
