"""Keys are replaced and peers shut out on controllers in service, power or no power (host).

A site of its own: what is revoked or begun anew here must not reach the other stories.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from controller_tool.channel.dial import open_session
from controller_tool.client import Client
from controller_tool.clock import now_s
from controller_tool.errors import DeviceError, ToolError
from controller_tool.services import (
    devices,
    devices_ops,
    export,
    push,
    trust_change,
    trust_plan,
    trust_store,
)
from controller_tool.services.site import Site
from controller_tool.services.virtual_house import SIM_FOLDER, VirtualHouse
from protocol import cbor, codes, cose, trust
from protocol.constants import AAD_TIME, RING_ALARM
from tests.e2e.callers import Callers, events
from tests.e2e.test_story import Door, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller_tool.client import DeviceState

DOOR = "door-1"
PASSPHRASE = "of a house whose keys change"
DESK_PASSPHRASE = "of its front desk"
CARD = "0013345678"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHouse]:
    """Site and door, in service, with a card."""
    folder = tmp_path_factory.mktemp("trust") / "site"
    options = {"until_pid": os.getpid()}
    only = {DOOR: "virtual-door"}
    with VirtualHouse.found(folder, "trust", PASSPHRASE, only, **options) as made:
        made.provision()
        made.issue([CARD])
        assert push.push(made.site)[0].ok
        yield made
        counted = made.boards[DOOR].counters()
        assert not counted["memory_faults"], "ran out of heap"


@pytest.fixture(scope="module")
def callers(house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers(house.site, tmp_path_factory.mktemp("callers"))


@pytest.fixture(scope="module")
def desk(house: VirtualHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The front desk's folder; the boards of the house are its neighbours."""
    folder = tmp_path_factory.mktemp("desk") / "lobby"
    export.export(house.site, "desk", folder, DESK_PASSPHRASE)
    (folder / SIM_FOLDER).symlink_to(house.sim_root)
    opened = Site.open(folder, DESK_PASSPHRASE)
    yield opened
    opened.close()


def trust_events(callers: Callers) -> list[tuple[int, int, int]]:
    with callers.call(DOOR) as client:
        found = [(r.event, r.reason, r.extra) for r in events(client, RING_ALARM)]
    return [e for e in found if e[0] in (codes.EVENT_TRUST_CHANGED, codes.EVENT_TRUST_REFUSED)]


def opens(house: VirtualHouse, callers: Callers) -> bool:
    with callers.call(DOOR) as client:
        shown = Door(house, client, DOOR).present(CARD)
    return (codes.EVENT_GRANTED, codes.REASON_CARD) in shown


def restarted(house: VirtualHouse, callers: Callers) -> None:
    """Power goes and comes back; the door answers again."""
    house.boards[DOOR].stimulate("cut_power")
    house.boards[DOOR].stimulate("restore_power")

    def answers() -> bool:
        try:
            with callers.call(DOOR) as client:
                return bool(client.info())
        except ToolError:
            return False

    assert within(answers)


def test_a_controller_in_service_knows_its_first_object(callers: Callers) -> None:
    assert trust_events(callers) == [(codes.EVENT_TRUST_CHANGED, 0, 1)]


def test_a_replaced_whitelist_key_reaches_the_door_with_a_list_in_between(
    house: VirtualHouse, callers: Callers
) -> None:
    site = house.site
    old = site.signer("whitelist").kid
    trust_change.carry_out(site, trust_plan.rotate(site, "whitelist"))
    trust_change.carry_out(site, trust_plan.retire(site, "whitelist"))
    with callers.call(DOOR) as client:
        client.put_trust(trust_store.objects(site)[2])
        with pytest.raises(DeviceError) as caught:  # its list would not be verified any more
            client.put_trust(trust_store.objects(site)[3])
    assert caught.value.code == codes.ERR_STATE
    [overview] = devices.overview(site)
    assert (overview.trust_version, overview.trust_behind) == (1, True)
    [pushed] = push.push(site)
    assert pushed.ok, pushed
    assert trust_events(callers)[1:] == [
        (codes.EVENT_TRUST_CHANGED, 0, 2),
        (codes.EVENT_TRUST_REFUSED, codes.ERR_STATE, 0),
        (codes.EVENT_TRUST_CHANGED, 0, 3),
    ]
    [overview] = devices.overview(site)
    assert (overview.trust_version, overview.trust_behind) == (3, False)
    assert trust.parse(site.trust_object()).find_key(codes.KEY_WHITELIST, old) is None
    restarted(house, callers)
    assert opens(house, callers)


def test_a_folder_with_the_old_key_is_told_so(house: VirtualHouse, desk: Site) -> None:
    """It was exported before the rotation of this test, and knows of the new object alone."""
    site = house.site
    trust_change.carry_out(site, trust_plan.rotate(site, "whitelist"))
    trust_change.carry_out(site, trust_plan.retire(site, "whitelist"))
    assert push.push(site)[0].ok
    for version in (trust_store.newest(site).version - 1, trust_store.newest(site).version):
        trust_change.apply_file(desk, site.path / "trust" / f"{version}.cbor")
    [refused] = push.push(desk)
    assert not refused.ok
    assert "whitelist key" in refused.what


def test_a_revoked_desk_is_refused_at_its_next_contact_and_the_office_is_not(
    house: VirtualHouse, callers: Callers, desk: Site
) -> None:
    site = house.site
    assert devices_ops.info(desk, DOOR)["trust_behind"] is False
    trust_change.carry_out(site, trust_plan.revoke(site, "lobby"))
    assert devices_ops.info(desk, DOOR), "not before the controller knows"
    assert push.push(site)[0].ok
    with pytest.raises(ToolError):
        devices_ops.info(desk, DOOR)
    said = devices_ops.info(site, DOOR)
    assert said["trust_version"] == trust_store.newest(site).version
    assert opens(house, callers)
    restarted(house, callers)
    with pytest.raises(ToolError):
        devices_ops.info(desk, DOOR)


def test_who_brings_the_news_of_his_own_revocation_gets_its_answer_and_has_to_go(
    house: VirtualHouse, callers: Callers
) -> None:
    site = house.site
    caller = callers.identity(DOOR)
    successor = trust_store.newest(site)
    successor.revoked.append(caller.peer_id)
    plan = trust_plan.Plan("revoke", trust_plan._successor(successor))
    trust_change.carry_out(site, plan)
    with Client(open_session(callers.address(DOOR), caller)) as client:
        client.put_trust(site.trust_object())
        with pytest.raises(ToolError):
            client.ping()
    with callers.call(DOOR) as client:
        assert client.state().trust_version == trust_store.newest(site).version


def test_new_root_keys_speak_after_the_old_ones_have_agreed(
    house: VirtualHouse, callers: Callers
) -> None:
    site = house.site
    trust_change.carry_out(site, trust_plan.rotate_root(site, 2, 2))
    trust_change.carry_out(site, trust_plan.rotate(site, "ticket"))
    assert push.push(site)[0].ok
    with callers.call(DOOR) as client:
        assert client.state().trust_version == trust_store.newest(site).version
    devices_ops.ticket(site, DOOR, codes.TICKET_UNLOCK)
    envelope = cose.open_envelope(push_envelope(site))
    assert envelope.kid == site.signer("whitelist").kid


def push_envelope(site: Site) -> bytes:
    """The newest list that was signed for the door."""
    from controller_tool.services import standing  # noqa: PLC0415

    with site.registry.session() as session:
        newest = standing.newest(session, site.device(DOOR))
    assert newest is not None
    return newest.envelope


def test_a_new_epoch_takes_a_list_of_a_lower_number(house: VirtualHouse, callers: Callers) -> None:
    site = house.site
    trust_change.carry_out(site, trust_plan.new_epoch(site))

    def bring_the_news() -> tuple[DeviceState, DeviceState]:
        with callers.call(DOOR) as client:
            before = client.state()
            if before.trust_version < trust_store.newest(site).version:
                client.put_trust(site.trust_object())
            return before, client.state()

    held, after = devices_ops.again_when_busy(bring_the_news)
    assert (after.epoch, after.version) == (held.epoch, held.version), "its list stays in force"
    assert opens(house, callers)
    [pushed] = push.push(site)
    assert pushed.ok, pushed
    with callers.call(DOOR) as client:
        assert client.state().epoch == held.epoch + 1
    restarted(house, callers)
    assert opens(house, callers)


def test_a_new_epoch_takes_back_a_date_that_was_driven_up(
    house: VirtualHouse, callers: Callers
) -> None:
    site = house.site
    device = site.device(DOOR)
    with callers.call(DOOR) as client:
        far_s = now_s() + 10 * 365 * 86400
        payload = cbor.encode([site.id, device.id_bytes, client.nonce(), far_s])
        client.set_signed_time(site.sign("ticket", AAD_TIME, payload))
    [lost] = push.push(site)
    assert lost.code == codes.ERR_TIME_REACH, "there is no way back within the epoch"
    trust_change.carry_out(site, trust_plan.new_epoch(site))
    [pushed] = push.push(site)
    assert pushed.ok, pushed
    with callers.call(DOOR) as client:
        assert client.time().floor_s < far_s - 86400
        assert abs(client.time().time_s - now_s()) < 60
    assert within(lambda: opens(house, callers)), "once it has locked"
