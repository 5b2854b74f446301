"""What each exported folder holds and can do, key by key and row by row (host)."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from sqlalchemy import update

from controller_tool import cli, clock, credentials
from controller_tool.channel import dial
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.keys.certificates import certificate_der
from controller_tool.keys.files import key_id
from controller_tool.registry.models import Device, PeerLink, Person
from controller_tool.services import cards, devices, export, lists, people
from controller_tool.services.site import ROLE_CODES, Site
from controller_tool.sim import folder as sim_folder
from protocol import der, preface, trust
from protocol.codes import KEY_AUDIT, KEY_ROOT
from tests.unit.raw_registry import tool
from tests.unit.registry_support import BOARD, PASSPHRASE, Board, private_keys

OTHER_PASSPHRASE = "of the exported folder"
CARD = "0012345678"
SIGNING = ("root-1", "whitelist", "firmware", "ticket", "checkpoint", "device-ca", "peer-ca")


@pytest.fixture
def exported(site, tmp_path, open_site):
    """Exports a role's folder of a site with one controller, one card and one list; opens it."""
    board = Board(site, "door-1")
    now = clock.now_s() // 60
    terms = cards.Terms(now, now + 1440)
    holder = people.Holder("王伟", "330199199001010011", "A-101")
    cards.issue(site, credentials.parse(CARD), terms, holder)
    board.update()

    def make(role: str, **options):
        folder = tmp_path / role
        export.export(site, role, folder, OTHER_PASSPHRASE, **options)
        return open_site(folder, OTHER_PASSPHRASE)

    return make


HOLDS = {
    "installer": {"device-ca", "peer-installer"},
    "desk": {"whitelist", "ticket", "checkpoint", "peer-desk"},
    "technician": {"ticket", "peer-technician"},
    "auditor": {"audit", "peer-auditor"},
    "hub": {"whitelist", "checkpoint", "peer-hub"},
}
DEVICE_SECRETS = {
    "installer": set(),
    "desk": {"card_key", "receipt_key", "k_tool_access", "k_tool_alarm"},
    "technician": set(),
    "auditor": set(),
    "hub": {"card_key", "receipt_key", "k_tool_access", "k_tool_alarm"},
}
ROWS = {
    "installer": set(),
    "desk": {"audit", "audit_pins", "cards", "grants", "list_versions", "operators", "persons",
             "profiles", "receipts", "sent_cards", "settings"},
    "technician": set(),
    "auditor": {"audit_pins"},
    "hub": {"cards", "grants", "list_versions", "profiles", "receipts", "sent_cards", "settings"},
}  # fmt: skip


@pytest.mark.parametrize("role", list(HOLDS))
def test_a_folder_holds_its_roles_keys_and_nothing_more(exported, site, role) -> None:
    folder = exported(role)
    assert private_keys(folder.path) == HOLDS[role]
    expected = {"site.toml", "registry.sqlite", "trust.cbor", "trust", "keys"}
    assert {path.name for path in folder.path.iterdir()} - {
        "registry.sqlite-wal", "registry.sqlite-shm"
    } == expected  # fmt: skip
    certificates = {f"peer-{role}.crt.pem"}
    certificates |= {"device-ca.crt.pem"} if role == "installer" else set()
    certificates |= {"peer-ca.crt.pem"} if role != "technician" else set()
    files = {path.name for path in (folder.path / "keys").iterdir()}
    assert files == {f"{name}.pem" for name in HOLDS[role]} | certificates | {"registry.key"}
    assert folder.trust_object() == site.trust_object()
    assert (folder.role, folder.peers()) == (role, [role])


@pytest.mark.parametrize("role", list(HOLDS))
def test_a_folder_holds_its_roles_secrets_and_rows_and_nothing_more(exported, role) -> None:
    folder = exported(role)
    with folder.registry.session() as session:
        [device] = session.query(Device)
        columns = [c.key for c in Device.__table__.columns if c.key.endswith("_sealed")]
        held = {c.removesuffix("_sealed") for c in columns if getattr(device, c) is not None}
        assert held == DEVICE_SECRETS[role]
        for secret in held:
            assert folder.secret(device, secret)
        assert (device.k_audit_access is not None) == (role in ("auditor", "desk"))
        [link] = session.query(PeerLink)
        assert link.peer_id == folder.peer().id.hex()
    with sqlite3.connect(folder.path / "registry.sqlite") as connection:
        tables = [name for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")]  # fmt: skip
        filled = {
            name
            for name in tables
            if connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        }
    connection.close()
    assert filled - {"alembic_version", "devices", "peer_links"} == ROWS[role]


@pytest.mark.parametrize("role", list(HOLDS))
def test_a_folder_speaks_to_the_controller_with_a_peer_of_its_own(exported, site, role) -> None:
    folder = exported(role)
    peer, device = folder.peer(), folder.device("door-1")
    assert peer.id != site.peer(role).id
    root = site.link_secret(site.device("door-1"))
    assert folder.peer_key(device, peer) == preface.peer_key(root, ROLE_CODES[role], peer.id)
    certificate = x509.load_pem_x509_certificate(peer.cert_path.read_bytes())
    certificate.verify_directly_issued_by(site.certificate("peer-ca"))
    assert der.peer_extension(certificate_der(certificate)) == (ROLE_CODES[role], peer.id)
    assert folder.pinned_certificate(device) == site.device("door-1").certificate_der
    with pytest.raises(OperatorError, match="cannot act as"):
        folder.peer("desk" if role != "desk" else "installer")


@pytest.mark.parametrize("role", ["technician", "installer", "auditor"])
def test_no_registry_key_of_the_office_opens_an_exported_folder(exported, site, role) -> None:
    folder = exported(role)
    office = (site.path / "keys" / "registry.key").read_bytes()
    assert (folder.path / "keys" / "registry.key").read_bytes() != office
    with pytest.raises(OperatorError):
        Site(folder.path, folder.facts, PASSPHRASE).vault  # noqa: B018 - opening it is the act


def test_an_auditor_can_sign_nothing(exported, site) -> None:
    folder = exported("auditor")
    for name in SIGNING:
        with pytest.raises(OperatorError, match="does not hold"):
            folder.sign(name, b"ticket", b"payload")
    # the one RSA key in it speaks for no role that a controller takes signatures of
    made = trust.verify(site.trust_object())
    kid = key_id(folder.rsa_key("audit").public_key())
    assert [role for role in range(KEY_ROOT, KEY_AUDIT) if made.find_key(role, kid)] == []
    assert lists.next_for(folder, folder.device("door-1")) is None
    with pytest.raises(OperatorError):
        devices.create(folder, "door-2", BOARD)


def test_an_installer_can_make_controllers_and_sign_nothing(exported, site) -> None:
    folder = exported("installer")
    new = devices.create(folder, "door-2", BOARD)
    certificate = x509.load_der_x509_certificate(new.cert_der)
    certificate.verify_directly_issued_by(site.certificate("device-ca"))
    assert new.ca_der == certificate_der(site.certificate("peer-ca"))
    assert new.trust == site.trust_object()
    for name in set(SIGNING) - {"device-ca"}:
        with pytest.raises(OperatorError, match="does not hold"):
            folder.sign(name, b"ticket", b"payload")
    with pytest.raises(OperatorError):
        folder.secret(folder.device("door-1"), "card_key")


def test_a_desk_goes_on_where_the_office_stopped(exported) -> None:
    desk = exported("desk")
    status = cards.card_status(desk, CARD)
    assert (status.holder, status.of, status.devices) == ("王伟", 1, ("door-1",))
    assert lists.next_for(desk, desk.device("door-1")) is None, "the list is proven already"
    cards.collect(desk, CARD)
    signed = lists.next_for(desk, desk.device("door-1"))
    assert signed is not None
    assert signed.version == 2


def test_a_hub_signs_lists_and_knows_no_person(exported) -> None:
    hub = exported("hub")
    with hub.registry.session() as session:
        assert session.query(Person).count() == 0
    signed = lists.next_for(hub, hub.device("door-1"), force=True)
    assert signed is not None
    assert signed.count == 1
    assert cards.card_status(hub, CARD).holder == ""


def test_handing_over_leaves_the_audit_key_with_the_auditor_alone(exported, site) -> None:
    folder = exported("auditor", hand_over=True)
    assert "audit" not in private_keys(site.path)
    sealed = folder.device("door-1").k_audit_access
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    assert len(folder.rsa_key("audit").decrypt(sealed, oaep)) == 16


def test_what_was_handed_over_is_said(site, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv(passphrases.VARIABLE, PASSPHRASE)
    monkeypatch.setenv(passphrases.EXPORT_VARIABLE, OTHER_PASSPHRASE)
    for words, said in (((), False), (("--hand-over",), True)):
        folder = tmp_path / f"auditor{len(words)}"
        asked = ["site", "export", "--role", "auditor", *words, str(folder)]
        assert cli.run([*asked, "--site", str(site.path)]) == 0
        out = capsys.readouterr().out
        assert (f"Handed over: the private half of the audit key is in {folder}" in out) == said


def test_an_exported_folder_reaches_a_virtual_board_by_its_network_address(exported, site) -> None:
    """By name only the folder that started it finds it."""
    board = sim_folder.Folder(site.path / "sim" / "door-1")
    board.path.mkdir(parents=True)
    (board.path / "board.json").write_text(
        json.dumps({"board": "virtual-door", "unique": "00", "address": "127.7.7.7"})
    )
    by_name = {"tcp_address": "sim+tcp://door-1", "serial_address": "sim://door-1"}
    with site.registry.writing() as session:
        session.execute(update(Device).values(**by_name))
    found = exported("desk").device("door-1")
    assert (found.tcp_address, found.serial_address) == ("tcp://127.7.7.7:7443", None)
    shutil.rmtree(board.path)
    found = exported("auditor").device("door-1")
    assert (found.tcp_address, found.serial_address) == tuple(by_name.values())
    with pytest.raises(OperatorError, match="no virtual board door-1"):
        dial.dial(exported("technician"), found)


def test_only_the_office_exports(exported, tmp_path) -> None:
    with pytest.raises(OperatorError, match="peer-ca"):
        export.export(exported("desk"), "hub", tmp_path / "x", OTHER_PASSPHRASE)
    assert not (tmp_path / "x").exists()


def test_an_export_is_attributed_and_its_peer_remembered(exported, site) -> None:
    peer = exported("technician").peer()
    with tool(site) as opened:
        [details] = opened.run("SELECT details FROM audit WHERE act = 'site.export'")
        roles = opened.run("SELECT role FROM peers WHERE id = ?", peer.id.hex())
        assert roles == [(ROLE_CODES["technician"],)]
    assert json.loads(details[0]) == {"role": "technician", "peer": peer.id.hex()}
