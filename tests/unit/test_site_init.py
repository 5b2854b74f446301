"""What `site init` makes: keys, authorities, trust object (host)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from controller_tool.errors import OperatorError
from controller_tool.keys.certificates import certificate_der
from controller_tool.keys.files import key_id, new_rsa_keys, save_public_keys
from controller_tool.services import site_init
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


def test_every_key_is_there_and_opens_with_the_passphrase_only(made_site) -> None:
    assert private_keys(made_site) == ALL_KEYS
    for path in (made_site / "keys").glob("*.pem"):
        if "." in path.stem:
            continue
        with pytest.raises(TypeError):
            serialization.load_pem_private_key(path.read_bytes(), None)
        with pytest.raises(ValueError, match=r"password|decrypt"):
            serialization.load_pem_private_key(path.read_bytes(), b"another passphrase")
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


def test_a_folder_with_something_in_it_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OperatorError, match="not empty"):
        site_init.init(tmp_path, wish(), PASSPHRASE)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


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
