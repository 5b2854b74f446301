"""Two verifiers that share no code judge the same bundles, sound and damaged, and agree (host).

The damage is done systematically and with a fixed seed: by somebody without a key, and by a desk
that says so in a new manifest and signs it.
"""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.services import bundle_layout, bundle_verify, export
from protocol.constants import RECORD_BYTES, RING_ACCESS, RING_ALARM
from tests import independent_arguments, independent_verifier
from tests.unit.bundle_support import (
    Journals,
    bundle,
    name_in,
    read,
    said_anew,
    signed_anew,
    write,
)
from tests.unit.registry_support import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Files = dict[str, bytes]
KINDS = ("records.bin", "heads.bin", "sectors.bin", "audit-key.bin", "tool-t.bin",
         "checkpoints.cbor", "device.der", "trust.cbor", "maker.der", "peer-ca.der",
         "conflicts.bin", "masks.bin", "cards.json")  # fmt: skip
# what only a folder that knows the controller, or the cards, can judge once a manifest vouches
UNJUDGED = ("device.der", "masks.bin", "cards.json")


@dataclass
class Court:
    """A site, the auditor's folder that pulled nothing, and its keys for the other verifier."""

    site: Any
    auditor: Any
    good: Files
    folder: Path
    why: list[str] = field(default_factory=list)  # of the bundle that was judged last

    def ours(self, files: Files) -> tuple[bool, dict[str, list[tuple[int, int]]]]:
        """Good or bad, and the numbers that are named, by controller and ring."""
        path = self.folder / str(len(list(self.folder.iterdir())))
        try:
            done = bundle_verify.verify(self.auditor, write(path, files))
        except OperatorError:
            return False, {}
        named: dict[str, list[tuple[int, int]]] = {}
        ids = {device.name: device.id for device in self.site.devices()}
        for controller in done.controllers:
            for f in controller.findings:
                if f.kind != "overwritten" and f.first_seq is not None and f.last_seq is not None:
                    spans = named.setdefault(f"{ids[controller.device]}/{f.ring}", [])
                    spans.append((f.first_seq, f.last_seq))
                    if f.kind == "swapped" and f.other_seq is not None:
                        spans.append((f.other_seq, f.other_seq))
        self.why = [str(flaw) for flaw in done.flaws]
        return done.ok, named

    def theirs(self, files: Files) -> list[tuple[str, str, int | None]]:
        """Faults: place, what, number."""
        key, ca = self.site.rsa_key("audit"), self.site.certificate("peer-ca")
        try:
            return [tuple(fault) for fault in independent_verifier.judge(files, key, ca)]
        except Exception as error:  # noqa: BLE001 - its main() does the same
            return [("", repr(error), None)]

    def agree(self, files: Files) -> bool:
        """Both say the same, which is returned; where both name a record, it is the same."""
        (ok, named), faults = self.ours(files), self.theirs(files)
        assert ok == (not faults), (ok, named, self.why, faults)
        for place, what, number in faults:
            spans = named.get(place, [])
            if number is not None and spans:
                assert any(first <= number <= last for first, last in spans), (
                    place,
                    what,
                    number,
                    spans,
                )
        return ok


@pytest.fixture(scope="module")
def court(made_site, tmp_path_factory) -> Iterator[Court]:
    import shutil  # noqa: PLC0415

    from controller_tool.services.site import Site  # noqa: PLC0415
    from tests.unit.registry_support import PASSPHRASE  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("court")
    site = Site.open(shutil.copytree(made_site, folder / "office"), PASSPHRASE)
    first, second = Journals(Board(site, "door-1")), Journals(Board(site, "door-2"))
    export.export(site, "auditor", folder / "auditor", "of the auditor")
    first.write(access=120, alarm=1300).pull(site).write(access=60, alarm=100).pull(site)
    second.write(access=40, alarm=9).pull(site)
    auditor = Site.open(folder / "auditor", "of the auditor")
    (folder / "bundles").mkdir()
    good = read(bundle(site, folder / "good", cards=True))
    yield Court(site, auditor, good, folder / "bundles")
    site.close()
    auditor.close()


# --- sound ones -----------------------------------------------------------------------------


def test_both_find_a_sound_bundle_sound(court) -> None:
    assert court.agree(court.good)
    assert court.agree(signed_anew(court.site, court.good))


def other_verifier(words: list[str], phrase: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(independent_verifier.__file__), *words]
    known = {**os.environ, passphrase.VARIABLE: phrase}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=known)


@pytest.mark.parametrize("shape", ["folder", "b.zip"])
def test_the_other_verifier_runs_by_itself(court, tmp_path, shape) -> None:
    """As docs/bundle.md shows it, from files alone; then with one bit that is not right."""
    key, ca = tmp_path / "audit.pem", tmp_path / "ca.pem"
    key.write_bytes(
        court.site.rsa_key("audit").private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    ca.write_bytes(court.site.certificate("peer-ca").public_bytes(serialization.Encoding.PEM))
    bad = {**court.good, name_in(court.good, RING_ACCESS, "records.bin"): b""}
    for files, code in ((court.good, 0), (bad, 1)):
        (tmp_path / str(code)).mkdir()
        made = write(tmp_path / str(code) / shape, files)
        done = other_verifier([str(made), "--audit-key", str(key), "--peer-ca", str(ca)])
        assert (done.returncode, json.loads(done.stdout)["ok"]) == (code, code == 0), done.stderr


def test_the_other_verifier_is_short_and_shares_no_code() -> None:
    for module in (independent_verifier, independent_arguments):
        text = Path(str(module.__file__)).read_text("utf-8")
        assert "controller_tool" not in text
        assert not any(
            line.startswith(("from protocol", "from tests")) for line in text.splitlines()
        )
        assert len([line for line in text.splitlines() if line.strip()]) < 150


@pytest.mark.parametrize("words", [[], ["b", "--audit-key"], ["b", "--wrong", "x"], ["nowhere"]])
def test_wrong_arguments_of_the_other_verifier_are_one_line(court, words) -> None:
    words = [str(court.folder) if word == "b" else word for word in words]
    done = other_verifier(words)
    [line] = done.stderr.splitlines()
    assert (done.returncode, done.stdout, line.startswith("usage: ")) == (2, "", True)


@pytest.mark.parametrize("where", ["in the auditor's folder", "encrypted", "in clear"])
def test_the_other_verifier_opens_the_auditors_key_as_it_lies(court, tmp_path, where) -> None:
    """With the passphrase from the variable that the tool itself reads; and not with another."""
    key, phrase = court.auditor.path / "keys" / "audit.pem", "of the auditor"
    if where != "in the auditor's folder":
        key = tmp_path / "audit.pem"
        how = serialization.BestAvailableEncryption(phrase.encode())
        key.write_bytes(
            court.site.rsa_key("audit").private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                how if where == "encrypted" else serialization.NoEncryption(),
            )
        )  # fmt: skip
    name = name_in(court.good, RING_ACCESS, "records.bin")
    audit_tag = bytearray(court.good[name])
    audit_tag[45] ^= 1  # which the disclosed keys do not judge
    made = write(tmp_path / "b", signed_anew(court.site, {**court.good, name: bytes(audit_tag)}))
    words = [str(made), "--audit-key", str(key)]
    assert json.loads(other_verifier(words[:1]).stdout)["ok"], "nothing but that key shows it"
    done = other_verifier(words, phrase)
    assert not json.loads(done.stdout)["ok"], done.stderr
    assert other_verifier(words, "another one").returncode == (1 if where == "in clear" else 2)


# --- damage by whoever has no key ------------------------------------------------------------


def flip(data: bytes, at: random.Random) -> bytes:
    changed = bytearray(data)
    changed[at.randrange(len(data))] ^= 1 << at.randrange(8)
    return bytes(changed)


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "flipped": flip,
    "cut": lambda data, at: data[: at.randrange(len(data))],
    "longer": lambda data, at: data + at.randbytes(at.choice((1, 48, 96))),
    "emptied": lambda _data, _at: b"",
    "removed": lambda _data, _at: None,
}


def damaged(court: Court, kind: str, how: str, seed: int) -> Files | None:
    at = random.Random(f"{kind} {how} {seed}")
    names = [n for n in sorted(court.good) if n.endswith(kind) and court.good[n]]
    if not names:
        return None
    name = at.choice(names)
    data = DAMAGES[how](court.good[name], at)
    rest = {n: d for n, d in court.good.items() if n != name}
    return rest if data is None else {**rest, name: data}


@pytest.mark.parametrize("how", list(DAMAGES))
@pytest.mark.parametrize("kind", [*KINDS, "manifest.json", "manifest.cose"])
def test_damage_without_a_key_is_found_by_both(court, kind, how, full) -> None:
    for seed in range(5 if full else 1):
        files = damaged(court, kind, how, seed)
        assert files is None or not court.agree(files)


@pytest.mark.parametrize("how", list(DAMAGES))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNJUDGED])
def test_both_agree_on_damage_that_a_new_manifest_vouches_for(court, kind, how, full) -> None:
    for seed in range(5 if full else 1):
        files = damaged(court, kind, how, seed)
        if files is not None:
            court.agree(signed_anew(court.site, files))


def test_a_file_that_is_not_in_the_manifest_is_found_by_both(court) -> None:
    assert not court.agree({**court.good, "letter.txt": b"hello"})


def test_a_bundle_of_no_controller_is_found_by_both(court) -> None:
    said = json.loads(court.good["manifest.json"])
    files = {name: data for name, data in court.good.items() if "/" not in name}
    assert not court.agree(said_anew(court.site, files, {**said, "controllers": []}))


def test_a_record_that_nobody_would_hash_on_to_is_found_by_both(court) -> None:
    """Neither makes a step for it: 67 million of them would take a minute and more."""
    liar = (1 << 26).to_bytes(4, "big") + bytes(44)
    assert not court.agree(edited(court, RING_ACCESS, lambda held: held.append(liar)))
    assert {fault[1] for fault in court.theirs(edited(court, RING_ALARM,
            lambda held: held.append(liar)))} == {"too far"}  # fmt: skip


# --- records, by a desk that signs ------------------------------------------------------------


def edited(court: Court, ring: int, edit: Callable[[list[bytes]], Any]) -> Files:
    """The records of one ring through ``edit``, in a bundle that is signed anew."""
    name = name_in(court.good, ring, "records.bin")
    held = bundle_layout.pieces(court.good[name], RECORD_BYTES)
    edit(held)
    return signed_anew(court.site, {**court.good, name: b"".join(held)})


def altered(held: list[bytes], at: int, byte: int) -> None:
    record = bytearray(held[at])
    record[byte] ^= 1
    held[at] = bytes(record)


def two_altered(held: list[bytes], which: list[int]) -> None:
    for at in which:
        altered(held, at, 9)


def exchanged(held: list[bytes], a: int, b: int) -> None:
    held[a], held[b] = held[b], held[a]


EDITS: dict[str, Callable[..., Any]] = {
    "body altered": lambda r, at: altered(r, at.randrange(len(r)), at.randrange(4, 32)),
    "tool tag altered": lambda r, at: altered(r, at.randrange(len(r)), at.randrange(32, 40)),
    "audit tag altered": lambda r, at: altered(r, at.randrange(len(r)), at.randrange(40, 48)),
    "number altered": lambda r, at: altered(r, at.randrange(len(r)), at.randrange(4)),
    "exchanged": lambda r, at: exchanged(r, *at.sample(range(len(r)), 2)),
    "deleted": lambda r, at: r.pop(at.randrange(len(r) - 1)),
    "row deleted": lambda r, at: r.__delitem__(slice(5, at.randrange(7, len(r) - 1))),
    "beginning deleted": lambda r, at: r.__delitem__(slice(0, at.randrange(1, len(r) - 1))),
    "end cut": lambda r, at: r.__delitem__(slice(at.randrange(len(r)), None)),
    "replayed": lambda r, at: r.__setitem__(at.randrange(5), r[at.randrange(6, len(r))]),
    "inserted": lambda r, at: r.insert(at.randrange(len(r)), r[0]),
    "appended": lambda r, at: r.append(r[at.randrange(len(r))]),
    "last one twice": lambda r, at: r.append(r[-1]),  # noqa: ARG005 - as the others
    "two altered": lambda r, at: two_altered(r, at.sample(range(len(r)), 2)),
}


@pytest.mark.parametrize("ring", [RING_ACCESS, RING_ALARM])
@pytest.mark.parametrize("how", list(EDITS))
def test_records_that_a_desk_edited_are_found_by_both(court, how, ring) -> None:
    for seed in range(3):
        at = random.Random(f"{how} {ring} {seed}")
        files = edited(court, ring, functools.partial(EDITS[how], at=at))
        assert not court.agree(files)


def moved(court: Court, kind: str, places: tuple[str, str]) -> Files:
    """Two files of a kind change places."""
    names = [n for n in sorted(court.good) if n.endswith(kind)]
    a, b = (next(n for n in names[i:] if place in n) for i, place in enumerate(places))
    return {**court.good, a: court.good[b], b: court.good[a]}


@pytest.mark.parametrize("kind", ["records.bin", "heads.bin", "sectors.bin", "audit-key.bin"])
def test_files_of_one_ring_in_another_are_found_by_both(court, kind) -> None:
    assert not court.agree(signed_anew(court.site, moved(court, kind, ("access", "alarm"))))


@pytest.mark.parametrize(
    "kind", ["access/records.bin", "alarm/heads.bin", "device.der", "checkpoints.cbor",
             "access/sectors.bin", "alarm/audit-key.bin"],
)  # fmt: skip
def test_files_of_one_controller_at_another_are_found_by_both(court, kind) -> None:
    assert not court.agree(signed_anew(court.site, moved(court, kind, ("/", "/"))))


HEADS: dict[str, Callable[[list[bytes]], Any]] = {
    "newest removed": lambda h: h.pop(),
    "oldest removed": lambda h: h.pop(0),
    "in another order": lambda h: h.reverse(),
    "doubled": lambda h: h.append(h[-1]),
    "oldest again": lambda h: h.append(h[0]),
}


@pytest.mark.parametrize("how", list(HEADS))
@pytest.mark.parametrize("ring", [RING_ACCESS, RING_ALARM])
def test_both_agree_on_heads_that_a_desk_left_out_or_moved(court, how, ring) -> None:
    for with_checkpoints in (True, False):
        files = dict(court.good)
        name = next(n for n in sorted(files) if n.endswith(("access", "alarm")[ring] + "/heads.bin")
                    and len(files[n]) > 96)  # fmt: skip
        heads = bundle_layout.pieces(files[name], 96)
        HEADS[how](heads)
        files[name] = b"".join(heads)
        if not with_checkpoints:
            files = {n: b"" if n.endswith("checkpoints.cbor") else d for n, d in files.items()}
        court.agree(signed_anew(court.site, files))


def test_old_records_that_a_checkpoint_vouches_for_are_missed_by_both(court) -> None:
    """The ring let them go since; without the checkpoints nothing says that the desk had them."""
    files = dict(court.good)
    name = max((n for n in files if n.endswith("alarm/records.bin")), key=lambda n: len(files[n]))
    heads = bundle_layout.heads(bundle_layout.pieces(files[name.replace("records", "heads")], 96))
    gone = heads[-1].oldest_seq
    assert 0 < heads[0].oldest_seq < gone
    held = bundle_layout.pieces(files[name], RECORD_BYTES)
    kept = [record for record in held if int.from_bytes(record[:4], "big") >= gone]
    left = len(held) - len(kept)
    files[name] = b"".join(kept)
    tag_keys = name.replace("records", "tool-t")
    files[tag_keys] = files[tag_keys][32 * left :]
    assert not court.agree(signed_anew(court.site, files))
    bare = {n: b"" if n.endswith("checkpoints.cbor") else d for n, d in files.items()}
    assert court.agree(signed_anew(court.site, bare))


# --- the court itself -------------------------------------------------------------------------


def test_a_verifier_that_is_blind_would_be_seen(court, monkeypatch) -> None:
    """Negative control: with tags that always fit, the two do not agree any more."""
    from controller_tool.services import journal_tags  # noqa: PLC0415

    monkeypatch.setattr(
        journal_tags, "follow", lambda c, held, first, _ts: journal_tags._link(c, held, first)
    )
    files = edited(court, RING_ACCESS, lambda held: altered(held, 7, 45))
    with pytest.raises(AssertionError):
        court.agree(files)
