"""Keys that are replaced, peers that are shut out, epochs: in the office's folder (host)."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.keys.files import key_id, new_rsa_keys
from controller_tool.keys.signing import Signer
from controller_tool.registry.records import AuditEntry
from controller_tool.services import (
    export,
    peers,
    site_init,
    trust_change,
    trust_draft,
    trust_plan,
    trust_store,
)
from protocol import cbor, cose, trust
from protocol.codes import (
    ERR_SIGNATURE,
    KEY_CHECKPOINT,
    KEY_ROOT,
    KEY_TICKET,
    KEY_WHITELIST,
)
from protocol.messages import Refused
from tests.unit.registry_support import PASSPHRASE, private_keys

if TYPE_CHECKING:
    from controller_tool.services.site import Site

EXPORT_PASSPHRASE = "of the exported folder"


def change(site: Site, plan: trust_plan.Plan) -> trust_change.Outcome:
    return trust_change.carry_out(site, plan)


def kid(site: Site, name: str) -> bytes:
    return key_id(site.rsa_key(name).public_key())


def chain_holds(site: Site) -> list[int]:
    """Versions of the folder's objects, each proven to follow the one before."""
    before = None
    versions = []
    for version, data in trust_store.objects(site).items():
        before = trust.verify(data, before)
        versions.append(version)
    assert site.trust_object() == trust_store.objects(site)[versions[-1]]
    return versions


def acts(site: Site) -> list[tuple[str, dict[str, Any]]]:
    with site.registry.session() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(e.act, json.loads(e.details)) for e in entries if e.act.startswith("trust.")]


# --- keys of roles --------------------------------------------------------------------------


def test_a_new_site_keeps_its_first_object(site) -> None:
    assert chain_holds(site) == [1]


@pytest.mark.parametrize("role", ["whitelist", "ticket", "checkpoint", "firmware"])
def test_a_rotated_key_signs_and_the_old_one_stays_until_it_is_retired(site, role) -> None:
    code, old = trust_plan.ROLES[role], kid(site, role)
    done = change(site, trust_plan.rotate(site, role))
    new = kid(site, role)
    held = trust_store.newest(site)
    assert old != new
    assert [cose.key_id(m) for m in held.moduli(code)] == [old, new]
    assert (done.in_force, done.new_keys, done.old_keys) == (True, {role: [new.hex()]}, {})
    change(site, trust_plan.retire(site, role))
    assert [cose.key_id(m) for m in trust_store.newest(site).moduli(code)] == [new]
    assert chain_holds(site) == [1, 2, 3]
    assert [act for act, _ in acts(site)] == ["trust.change"] * 2
    assert acts(site)[1][1]["old_keys"] == {role: [old.hex()]}


def test_only_the_row_of_the_role_changes(site) -> None:
    before = trust_store.newest(site)
    change(site, trust_plan.rotate(site, "ticket"))
    after = trust_store.newest(site)
    assert [(a, b) for a, b in zip(before.keys, after.keys, strict=True) if a != b] == [
        (before.keys[KEY_TICKET], after.keys[KEY_TICKET])
    ]


def test_one_old_key_at_a_time(site) -> None:
    with pytest.raises(OperatorError, match="No older ticket key"):
        trust_plan.retire(site, "ticket")
    change(site, trust_plan.rotate(site, "ticket"))
    with pytest.raises(OperatorError, match="An older ticket key is still trusted"):
        trust_plan.rotate(site, "ticket")


def test_a_dry_run_changes_nothing(site) -> None:
    files = {p: p.read_bytes() for p in site.path.rglob("*") if p.suffix in (".pem", ".cbor")}
    would = trust_change.outcome(site, trust_plan.rotate(site, "whitelist"))
    assert (would.version, would.in_force) == (2, False)
    assert {p: p.read_bytes() for p in files} == files
    assert chain_holds(site) == [1]
    assert acts(site) == []


def test_a_list_of_the_old_key_is_signed_anew(site, board) -> None:
    old = board.update()
    assert cose.open_envelope(old.envelope).kid == kid(site, "whitelist")
    assert board.site.device("door-1").list_version_receipted == old.version
    change(site, trust_plan.rotate(site, "whitelist"))
    new = board.next()
    assert new.version == old.version + 1
    assert cose.open_envelope(new.envelope).kid == kid(site, "whitelist")
    board.take(new)


def test_two_rotations_want_a_list_of_the_first_on_every_controller(site, board) -> None:
    board.update()
    change(site, trust_plan.rotate(site, "whitelist"))
    change(site, trust_plan.retire(site, "whitelist"))
    with pytest.raises(OperatorError, match="an older key: door-1"):
        trust_plan.rotate(site, "whitelist")
    assert trust_plan.rotate(site, "whitelist", force=True).keys
    board.update()
    assert trust_plan.rotate(site, "whitelist").keys


def test_an_exported_folder_gets_every_object_and_the_new_key(site, tmp_path, open_site) -> None:
    change(site, trust_plan.rotate(site, "whitelist"))
    export.export(site, "desk", tmp_path / "desk", EXPORT_PASSPHRASE)
    desk = open_site(tmp_path / "desk", EXPORT_PASSPHRASE)
    assert trust_store.objects(desk) == trust_store.objects(site)
    assert kid(desk, "whitelist") == kid(site, "whitelist")


def test_a_stop_before_site_toml_is_mended(site, open_site) -> None:
    facts = site.facts
    change(site, trust_plan.new_epoch(site))
    facts.write(site.path)
    again = open_site(site.path)
    assert (again.epoch, again.facts.trust_version) == (1, 1)
    trust_store.newest(again)
    assert (again.epoch, again.facts.trust_version) == (2, 2)
    assert open_site(site.path).epoch == 2


# --- root keys ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_of_three(tmp_path_factory):
    """An office whose root is 2 of 3."""
    folder = tmp_path_factory.mktemp("sites") / "three"
    site_init.init(folder, site_init.Wish("x", "y", 3, 2), PASSPHRASE).close()
    return folder


@pytest.fixture
def machines(made_of_three, tmp_path, open_site):
    """Three copies of that office, each with one of its root keys."""

    def one(number: int) -> Any:
        folder = shutil.copytree(made_of_three, tmp_path / f"machine-{number}")
        for other in {1, 2, 3} - {number}:
            (folder / "keys" / f"root-{other}.pem").unlink()
        return open_site(folder)

    return [one(number) for number in (1, 2, 3)]


def test_new_root_keys_need_the_old_ones_and_replace_them(site) -> None:
    old = kid(site, "root-1")
    change(site, trust_plan.rotate_root(site, 3, 2))
    held = trust_store.newest(site)
    assert held.keys[0][:2] == (KEY_ROOT, 2)
    assert held.find_key(KEY_ROOT, old) is None
    assert (site.facts.root_keys, site.facts.root_threshold) == (3, 2)
    assert {name for name in private_keys(site.path) if "root" in name} == {
        "root-1", "root-2", "root-3"
    }  # fmt: skip
    change(site, trust_plan.rotate_root(site, 1, 1))
    assert {name for name in private_keys(site.path) if "root" in name} == {"root-1"}
    assert chain_holds(site) == [1, 2, 3]


def test_one_machine_of_two_is_not_enough(machines) -> None:
    with pytest.raises(OperatorError, match="1 of the root keys in force"):
        change(machines[0], trust_plan.rotate(machines[0], "ticket"))
    assert chain_holds(machines[0]) == [1]
    assert not list((machines[0].path / "keys").glob("*.next.pem"))


def test_signatures_are_collected_machine_by_machine(machines, tmp_path) -> None:
    first, second, third = machines
    file = tmp_path / "draft"
    done = trust_change.carry_out(first, trust_plan.rotate(first, "ticket"), file)
    assert (done.missing_old, done.missing_new, done.in_force) == (1, 1, False)
    with pytest.raises(OperatorError, match="1 of the root keys in force"):
        trust_change.apply_file(first, file)
    with pytest.raises(OperatorError, match="No root key of this folder is wanted"):
        trust_change.sign_file(first, file)
    assert trust_change.sign_file(second, file).missing_old == 0
    with pytest.raises(OperatorError, match="No root key of this folder is wanted"):
        trust_change.sign_file(third, file)
    for machine in (first, second):
        assert trust_change.apply_file(machine, file).in_force
    assert chain_holds(first) == chain_holds(second) == [1, 2]


def test_an_office_does_not_put_into_force_what_it_cannot_sign_for(machines, tmp_path) -> None:
    """The old key of the other machine stays trusted after a rotation, and ends when retired."""
    first, second, _ = machines
    for number, plan in enumerate((trust_plan.rotate, trust_plan.retire)):
        file = tmp_path / f"draft-{number}"
        trust_change.carry_out(first, plan(first, "ticket"), file)
        trust_change.sign_file(second, file)
        trust_change.apply_file(first, file)
        if plan is trust_plan.rotate:
            trust_change.apply_file(second, file)
    with pytest.raises(OperatorError, match="lacks the private ticket key"):
        trust_change.apply_file(second, file)
    assert (chain_holds(first), chain_holds(second)) == ([1, 2, 3], [1, 2])


def test_a_folder_without_any_root_key_writes_drafts(machines, tmp_path) -> None:
    offline, other = machines[1], machines[2]
    office = machines[0]
    office.forget("root-1")
    file = tmp_path / "draft"
    done = trust_change.carry_out(office, trust_plan.rotate_root(office, 1, 1), file)
    assert (done.missing_old, done.missing_new) == (2, 0)
    for machine in (offline, other):
        trust_change.sign_file(machine, file)
    assert trust_change.apply_file(office, file).in_force
    assert office.facts.root_keys == 1
    assert chain_holds(office) == [1, 2]


@pytest.fixture
def drafted(machines):
    """New root keys, 2 of 2: old root, successor and a signer of each key by its name."""
    office = machines[0]
    held = trust_store.newest(office)
    plan = trust_plan.rotate_root(office, 2, 2)
    signers = {f"old {n}": machine.signer(f"root-{n}") for n, machine in enumerate(machines, 1)}
    signers |= {f"new {name[-1]}": Signer.of(key) for name, key in plan.keys.items()}
    return held, trust_draft.begin(plan.successor), signers


@pytest.mark.parametrize(
    ("names", "good"),
    [
        (["old 1", "old 2", "new 1", "new 2"], True),
        (["old 1", "old 3", "new 1", "new 2"], True),
        (["old 1", "new 1", "new 2"], False),
        (["old 1", "old 2", "new 1"], False),
        (["old 1", "old 2"], False),
        (["new 1", "new 2"], False),
    ],
)
def test_thresholds_of_both_are_needed(drafted, names, good) -> None:
    held, draft, signers = drafted
    signed = trust_draft.sign(draft, held, [signers[name] for name in names])
    assert (trust_draft.missing(signed, held) == (0, 0)) == good
    if good:
        assert trust.verify(signed.data(), held).version == 2
    else:
        with pytest.raises(Refused) as caught:
            trust.verify(signed.data(), held)
        assert caught.value.code == ERR_SIGNATURE


def test_one_key_that_signs_twice_counts_once(drafted) -> None:
    held, draft, signers = drafted
    good = trust_draft.sign(draft, held, [signers["old 1"], signers["new 1"], signers["new 2"]])
    pairs = [list(pair) for pair in good.signatures.items()]
    twice = cbor.encode([good.payload, [pairs[0], *pairs]])
    with pytest.raises(Refused) as caught:
        trust.verify(twice, held)
    assert caught.value.code == ERR_SIGNATURE


def test_signatures_that_are_not_good_are_dropped(drafted, tmp_path) -> None:
    held, draft, signers = drafted
    good = trust_draft.sign(draft, held, [signers["old 1"]])
    [(one, signature)] = good.signatures.items()
    stranger = Signer.of(new_rsa_keys(1)[0])
    spoilt = {one: signature[:-1] + bytes([signature[-1] ^ 1]), stranger.kid: signature}
    trust_draft.write(tmp_path / "d", trust_draft.Draft(draft.successor, draft.payload, spoilt))
    assert trust_draft.read(tmp_path / "d", held).signatures == {}
    trust_draft.write(tmp_path / "d", good)
    assert trust_draft.read(tmp_path / "d", held).signatures == good.signatures


def test_files_that_do_not_follow_are_refused(site, tmp_path, drafted) -> None:
    held, draft, _ = drafted
    path = tmp_path / "d"
    for content in (b"", b"nonsense", cbor.encode([1, 2]), cbor.encode([draft.payload])):
        path.write_bytes(content)
        with pytest.raises(OperatorError, match="not a trust object"):
            trust_draft.read(path, held)
    trust_draft.write(path, draft)
    with pytest.raises(OperatorError, match="does not follow"):
        trust_draft.read(path, trust_store.newest(site))  # of another site
    path.write_bytes(site.trust_object())
    with pytest.raises(OperatorError, match="version_not_higher"):
        trust_draft.read(path, trust_store.newest(site))


def test_a_draft_that_was_overtaken_is_refused(site, tmp_path) -> None:
    trust_change.carry_out(site, trust_plan.rotate(site, "ticket"), tmp_path / "d")
    assert chain_holds(site) == [1]
    change(site, trust_plan.rotate(site, "checkpoint"))
    with pytest.raises(OperatorError, match="does not follow"):
        trust_change.apply_file(site, tmp_path / "d")
    assert len(trust_store.newest(site).moduli(KEY_TICKET)) == 1
    assert len(trust_store.newest(site).moduli(KEY_CHECKPOINT)) == 2


def test_an_exported_folder_takes_the_office_s_newer_object(site, tmp_path, open_site) -> None:
    export.export(site, "desk", tmp_path / "desk", EXPORT_PASSPHRASE)
    desk = open_site(tmp_path / "desk", EXPORT_PASSPHRASE)
    change(site, trust_plan.new_epoch(site))
    trust_change.apply_file(desk, site.path / "trust" / "2.cbor")
    assert (desk.epoch, desk.facts.trust_version) == (2, 2)
    assert kid(desk, "whitelist") in [
        cose.key_id(m) for m in trust_store.newest(desk).moduli(KEY_WHITELIST)
    ]


# --- peers ----------------------------------------------------------------------------------


def test_a_lost_folder_is_revoked_by_what_it_is_called(site, tmp_path) -> None:
    made = export.export(site, "desk", tmp_path / "lobby", EXPORT_PASSPHRASE)
    for wanted in ("desk", "lobby", made.peer_id, made.peer_id[:8].upper()):
        assert trust_plan.revoke(site, wanted).successor.revoked == [bytes.fromhex(made.peer_id)]
    done = change(site, trust_plan.revoke(site, "lobby"))
    assert done.revoked == [made.peer_id]
    assert [p.id for p in peers.overview(site) if p.revoked] == [made.peer_id]
    with pytest.raises(OperatorError, match="revoked already"):
        trust_plan.revoke(site, made.peer_id)
    assert acts(site)[-1][1]["revoked"] == [made.peer_id]


def test_of_two_of_a_kind_one_must_be_named(site, tmp_path) -> None:
    made = [export.export(site, "desk", tmp_path / n, EXPORT_PASSPHRASE) for n in ("a", "b")]
    with pytest.raises(OperatorError, match=r"(?s)Several peers.*") as caught:
        trust_plan.revoke(site, "desk")
    assert all(one.peer_id in caught.value.next_step for one in made)
    change(site, trust_plan.revoke(site, "a"))
    assert trust_plan.revoke(site, "desk").successor.revoked[-1].hex() == made[1].peer_id


def test_the_folder_s_own_peers_and_strangers_are_not_revoked(site) -> None:
    with pytest.raises(OperatorError, match="this folder's own"):
        trust_plan.revoke(site, "desk")
    with pytest.raises(OperatorError, match="No peer is called nobody"):
        trust_plan.revoke(site, "nobody")
