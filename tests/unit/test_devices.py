"""Controllers in the registry: what provisioning gets, and what running it again does (host)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from controller_tool.channel import dial as dialling
from controller_tool.errors import LinkError, OperatorError
from controller_tool.services import devices
from protocol import cbor, chain, keyslot, trust
from tests.unit.registry_support import BOARD, Board
from tests.unit.test_cards import issue


def test_a_new_controller_gets_all_it_needs(site) -> None:
    new = devices.create(site, "door-1", BOARD, wifi=("宿舍", "long enough"))
    config = cbor.decode(new.config)
    assert (config[1], config[2], config[3]) == (site.id, new.device.id_bytes, "door-1")
    secrets = [site.secret(new.device, name) for name in ("link_root", "card_key", "receipt_key")]
    assert [config[4], config[5], config[6]] == secrets
    assert len(set(secrets)) == 3
    assert (config[7], config[8]) == (["宿舍", "long enough"], 1)
    assert trust.verify(new.trust).site == site.id
    assert (new.device.kind, new.device.points, new.device.cards_max) == ("door", 1, 20_000)


def test_its_certificate_is_a_servers_and_its_own(site) -> None:
    new = devices.create(site, "door-1", BOARD)
    certificate = x509.load_der_x509_certificate(new.cert_der)
    certificate.verify_directly_issued_by(site.certificate("device-ca"))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [f"{new.device.id}.controller"]
    key = serialization.load_der_private_key(new.key_der, None)
    assert key.public_key() == certificate.public_key()


@pytest.mark.parametrize("ring", [0, 1])
def test_the_key_cells_begin_the_chains(site, ring) -> None:
    new = devices.create(site, "door-1", BOARD)
    slot = keyslot.unpack(new.seed_slots[ring])
    assert slot is not None
    assert (slot.state, slot.next_seq, slot.epoch) == (keyslot.STATE_SEED, 0, 1)
    assert slot.c == chain.start(site.id, new.device.id_bytes, ring)
    assert slot.k_tool == site.secret(new.device, ("k_tool_access", "k_tool_alarm")[ring])


def test_an_interrupted_provisioning_goes_on_with_the_same_controller(site) -> None:
    first = devices.create(site, "door-1", BOARD)
    again = devices.create(site, "door-1", BOARD)
    assert (again.device.id, again.config, again.seed_slots, again.key_der) == (
        first.device.id, first.config, first.seed_slots, first.key_der
    )  # fmt: skip
    with_wifi = devices.create(site, "door-1", BOARD, wifi=("a", "b"))
    assert cbor.decode(with_wifi.config)[7] == ["a", "b"]
    assert len(site.devices()) == 1


def test_the_name_of_an_enrolled_controller_is_taken(site, board) -> None:
    with pytest.raises(OperatorError, match="enrolled already"):
        devices.create(site, "door-1", BOARD)
    assert [d.id for d in site.devices(enrolled=True)] == [board.device.id]


def test_a_replacement_is_another_controller_with_the_same_cards(site, board) -> None:
    issue(site)
    old = board.device
    new = Board(site, "door-1", again=True)
    assert new.device.id != old.id
    assert new.update().count == 1
    assert [d.name for d in site.devices(enrolled=True)] == ["door-1"]
    assert [d.name for d in site.devices(enrolled=False)] == [f"door-1~{old.id[:6]}"]


@pytest.mark.parametrize("name", ["", "-x", "a b", "door/1", "../x", "x" * 32, "door~1", "a\n"])
def test_names_that_cannot_be_typed_or_filed_are_refused(site, name) -> None:
    with pytest.raises(OperatorError, match="cannot be the name"):
        devices.create(site, name, BOARD)


@pytest.mark.parametrize("name", ["door-1", "东门", "Pile_2.b", "7"])
def test_names_of_any_script_are_taken(site, name) -> None:
    assert cbor.decode(devices.create(site, name, BOARD).config)[3] == name


def test_an_unknown_board_is_refused(site) -> None:
    with pytest.raises(OperatorError, match="No board is named"):
        devices.create(site, "door-1", "toaster")
    assert site.devices() == []


def test_what_is_heard_of_a_controller_is_kept(site, board) -> None:
    devices.note_address(site, board.device, serial="sim://door-1")
    devices.note_address(site, board.device, tcp="sim+tcp://door-1")
    devices.note_heard(site, board.device, {"firmware": "1", "unique_id": b"\x01\x02"})
    [seen] = devices.overview(site)
    assert (seen.serial_address, seen.tcp_address) == ("sim://door-1", "sim+tcp://door-1")
    assert board.device.info == '{"firmware": "1", "unique_id": "0102"}'
    assert seen.last_heard_s is not None


def test_secrets_do_not_show_when_a_controller_is_printed(site) -> None:
    new = devices.create(site, "door-1", BOARD)
    shown = repr(new)
    for secret in (new.key_der, new.config, new.seed_slots[0]):
        assert repr(secret) not in shown


def test_an_address_that_names_nothing_does_not_bar_the_cable(site, board, monkeypatch) -> None:
    asked: list[str] = []

    def open_session(address, *_):
        asked.append(str(address))
        raise LinkError("nobody answers", "look")

    monkeypatch.setattr(dialling, "open_session", open_session)
    devices.note_address(site, board.device, serial="/dev/ttyUSB0", tcp="http://nonsense")
    with pytest.raises(LinkError, match="nobody answers"):
        dialling.dial(site, board.device)
    assert asked == ["/dev/ttyUSB0"]
    with pytest.raises(OperatorError, match="Unknown kind of address: http://nonsense"):
        dialling.dial(site, board.device, dialling.Way("wifi"))
