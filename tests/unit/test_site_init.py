"""What `site init` makes: keys, authorities, trust object (host)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from controller_tool.errors import OperatorError
from controller_tool.keys.certificates import certificate_der
from controller_tool.keys.files import key_id, new_rsa_keys, save_public_keys
from controller_tool.services import site_folder, site_init
from controller_tool.services.site import ROLE_CODES
from protocol import cose, der, trust
from protocol.codes import KEY_AUDIT, ROLE_DESK
from protocol.messages import Refused
from tests.unit.registry_support import PASSPHRASE, private_keys

ALL_KEYS = {
    "root-1", "whitelist", "firmware", "ticket", "checkpoint", "audit", "device-ca", "peer-ca",
    *(f"peer-{role}" for role in ROLE_CODES),
}  # fmt: skip


def wish(**changes) -> site_init.Wish:
    return site_init.Wish(**{"name": "x", "operator": "y", **changes})


def test_every_key_is_there_and_opens_through_the_registry_key_only(made_site, site) -> None:
    """PKCS#8 stretches a passphrase too little: what opens the files must not be guessable."""
    assert private_keys(made_site) == ALL_KEYS
    assert len(bytes.fromhex(site.vault.key_password)) == 32
    for path in (made_site / "keys").glob("*.pem"):
        if "." in path.stem:
            continue
        with pytest.raises(TypeError):
            serialization.load_pem_private_key(path.read_bytes(), None)
        for wrong in (PASSPHRASE, "another passphrase"):
            # one wrong key in 256 leaves a padding that looks right, and then no key behind it
            with pytest.raises(ValueError, match=r"password|decrypt|deserialize"):
                serialization.load_pem_private_key(path.read_bytes(), wrong.encode())
        assert path.stat().st_mode & 0o077 == 0


def test_the_first_trust_object_verifies_and_names_each_role(site) -> None:
    made = trust.verify(site.trust_object())
    assert (made.site, made.epoch, made.version) == (site.id, 1, 1)
    assert [role for role, _, _ in made.keys] == [0, 1, 2, 3, 4, 5]
    for name, role in (*site_init.SIGNING_KEYS.items(), ("audit", KEY_AUDIT)):
        assert made.find_key(role, key_id(site.rsa_key(name).public_key())) is not None


def test_two_of_three_roots_are_needed(tmp_path) -> None:
    made = site_init.init(tmp_path / "s", wish(root_keys=3, root_threshold=2), PASSPHRASE)
    made.close()
    payload, signatures = trust._split(made.trust_object())
    assert len(signatures) == 3
    assert trust.verify(trust.assemble(payload, signatures[1:])).keys[0][1] == 2
    with pytest.raises(Refused):
        trust.verify(trust.assemble(payload, signatures[:1]))
    with pytest.raises(Refused):
        trust.verify(trust.assemble(payload, signatures[:1] * 2))


@pytest.mark.parametrize(("needed", "keys"), [(0, 1), (2, 1), (1, 0), (1, 6)])
def test_impossible_thresholds_are_refused(tmp_path, needed, keys) -> None:
    with pytest.raises(OperatorError, match="root keys is not possible"):
        site_init.init(tmp_path / "s", wish(root_keys=keys, root_threshold=needed), PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "named", [{"name": "x\x1b[2J"}, {"operator": "y\u200b"}, {"operator": "\u3164"}]
)
def test_names_that_nobody_can_read_are_refused_before_keys_are_made(tmp_path, named) -> None:
    with pytest.raises(OperatorError, match="unprintable"):
        site_init.init(tmp_path / "site", wish(**named), PASSPHRASE)
    assert not (tmp_path / "site").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OperatorError, match="not empty"):
        site_init.init(tmp_path, wish(), PASSPHRASE)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_looks_like_a_draft_is_left_alone(tmp_path) -> None:
    """Only the draft itself is ever removed, however making it ends."""
    (tmp_path / "s.new").mkdir()
    (tmp_path / "s.new" / "mine.txt").write_text("mine")
    with pytest.raises(KeyboardInterrupt), site_folder.draft(tmp_path / "s", PASSPHRASE):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["s.new"]
    with site_folder.draft(tmp_path / "s", PASSPHRASE) as made:
        assert made.path.stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir()} == {"s.new", "s"}
    assert (tmp_path / "s.new" / "mine.txt").read_text() == "mine"


def test_a_draft_that_ends_before_it_is_filled_leaves_nothing(tmp_path, monkeypatch) -> None:
    def stopped(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(site_folder, "wrap_key", stopped)
    with pytest.raises(KeyboardInterrupt), site_folder.draft(tmp_path / "s", PASSPHRASE):
        pass
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_made_is_told_before_keys_are(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(site_init, "new_rsa_keys", pytest.fail)
    (tmp_path / "file").write_text("")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (tmp_path / "file" / "s", Path(), tmp_path / "here"):
        with pytest.raises(OperatorError) as refused:
            site_init.init(folder, wish(), PASSPHRASE)
        assert refused.value.next_step == "Name a new folder"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("registry.sqlite", None, "missing or empty"),
        ("registry.sqlite", b"", "missing or empty"),
        ("keys/registry.key", None, "cannot be read"),
        ("keys/peer-desk.crt.pem", None, "cannot be read"),
        ("keys/peer-desk.crt.pem", b"no certificate", "damaged"),
        ("keys/peer-desk.crt.pem", "keys/peer-hub.crt.pem", "damaged"),
        ("keys/peer-desk.pem", "keys/peer-hub.pem", "damaged"),
        ("trust.cbor", None, "cannot be read"),
        ("site.toml", "peers = 5", "damaged"),
        ("site.toml", "peers = []", "damaged"),
    ],
)
def test_what_is_gone_or_damaged_is_told_in_one_line(
    made_site, tmp_path, open_site, name, content, what
) -> None:
    folder = shutil.copytree(made_site, tmp_path / "office")
    path = folder / name
    if content is None:
        path.unlink()
    elif name == "site.toml":
        kept = [line for line in path.read_text().splitlines() if not line.startswith("peers")]
        path.write_text("\n".join([*kept, content]))
    else:
        path.write_bytes((folder / content).read_bytes() if isinstance(content, str) else content)

    def use() -> None:
        site = open_site(folder)
        site.peer("desk")
        site.trust_object()

    for _ in range(2):
        with pytest.raises(OperatorError, match=what):
            use()


def test_the_registry_is_for_its_owner_alone(site) -> None:
    for path in site.path.glob("registry.sqlite*"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_short_passphrase_is_refused(tmp_path) -> None:
    with pytest.raises(OperatorError, match="shorter than 8"):
        site_init.init(tmp_path / "s", wish(), "1234567")


def test_a_wrong_passphrase_is_told_in_one_line(made_site, open_site) -> None:
    site = open_site(made_site, "another passphrase")
    for act in (lambda: site.vault, lambda: site.rsa_key("ticket")):
        with pytest.raises(OperatorError) as refused:
            act()
        assert "passphrase" in str(refused.value)
        assert "\n" not in str(refused.value)


def test_an_auditor_may_keep_the_private_key_from_the_start(tmp_path) -> None:
    [auditors] = new_rsa_keys(1)
    save_public_keys(tmp_path, [("auditor", auditors.public_key())])
    site = site_init.init(tmp_path / "s", wish(audit_key=tmp_path / "auditor.pub.pem"), PASSPHRASE)
    site.close()
    assert not site.holds("audit")
    [modulus] = trust.verify(site.trust_object()).moduli(KEY_AUDIT)
    assert cose.key_id(modulus) == key_id(auditors.public_key())


def test_a_weak_audit_key_is_refused(tmp_path) -> None:
    weak = rsa.generate_private_key(public_exponent=3, key_size=1024)  # noqa: S505
    save_public_keys(tmp_path, [("weak", weak.public_key())])
    with pytest.raises(OperatorError, match="not an RSA-3072 key"):
        site_init.init(tmp_path / "s", wish(audit_key=tmp_path / "weak.pub.pem"), PASSPHRASE)
    assert not (tmp_path / "s").exists()


def test_peers_carry_role_and_id_in_their_certificates(site) -> None:
    authority = site.certificate("peer-ca")
    for role in site.peers():
        peer = site.peer(role)
        certificate = site.certificate(f"peer-{role}")
        certificate.verify_directly_issued_by(authority)
        assert der.peer_extension(certificate_der(certificate)) == (ROLE_CODES[role], peer.id)
    assert site.peer().role == ROLE_DESK, "who names no role acts as the desk"
