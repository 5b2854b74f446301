"""Everything for the city's platform: each kind of record, full and what changed since (host)."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller_tool.clock import now_s
from controller_tool.errors import OperatorError
from controller_tool.registry.houses import House, Room
from controller_tool.registry.models import Card, Person
from controller_tool.registry.stays import Lease
from controller_tool.rules import words
from controller_tool.services import people
from controller_tool.services.city import delivery, doc_no, kinds
from controller_tool.services.city.delivery import Wish
from protocol import cbor, cose, trust
from protocol import codes as c
from protocol.codes import KEY_CHECKPOINT
from tests.unit.house_support import add_areas, add_house
from tests.unit.test_cards import CARD, issue
from tests.unit.test_journal import pull
from tests.unit.test_journal_reading import key_of
from tests.unit.test_sessions import HOUR_S, Pile

NUMBER = "330199199001010011"


def lines(path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def add_lease(site, ref: str = "L00001", **facts) -> str:
    """The holder of K000001 stays in room 101 of H00001."""
    with site.registry.writing() as session:
        card = session.query(Card).filter_by(ref="K000001").one()
        house = session.query(House).filter_by(ref="H00001").one()
        room = session.query(Room).filter_by(house_id=house.id, number="101").one()
        lease = Lease(
            id=os.urandom(8).hex(), ref=ref, person_id=card.person_id, house_id=house.id,
            room_id=room.id, kind=words.TENANT, from_min=now_s() // 60 - 60,
            until_min=now_s() // 60 + 1000, profile_id=card.profile_id, contract="HT-1",
            created_at_s=now_s(), **facts,
        )  # fmt: skip
        session.add(lease)
        session.flush()
        card.lease_id = lease.id
        return lease.id


@pytest.fixture
def house(site, board) -> House:
    """A house with a door and a tenant whose card was used, refused elsewhere and once lost."""
    add_areas(site)
    made = add_house(site)
    issue(site, holder=people.Holder("张伟", NUMBER, "101", "13800000001"))
    board.update()
    add_lease(site)
    access, alarm = board.pen(0), board.pen(1)
    key = key_of(site, board)
    access.write(c.EVENT_GRANTED, c.REASON_CARD, key)
    access.write(c.EVENT_DOOR_OPENED, 0)
    access.write(c.EVENT_DENIED, c.REASON_UNKNOWN_CARD, bytes(8))
    alarm.write(c.EVENT_BOOT, 1)
    alarm.write(c.EVENT_FORCED_OPEN, 0)
    board.pens = (access, alarm)
    for pen in board.pens:
        pull(site, board, pen)
    return made


def to_folder(site, tmp_path, name: str = "city", **wish):
    return delivery.to_folder(site, tmp_path / name, Wish(**wish))


def test_every_kind_of_record_is_there_with_its_columns(site, board, house, tmp_path) -> None:
    done = to_folder(site, tmp_path)
    assert done.records == {
        "device": 1, "house": 1, "person": 1, "binding": 1, "access": 2, "alarm": 1,
        "charge_session": 0, "charge_fault": 0, "heartbeat": 1,
    }  # fmt: skip
    for kind, columns in kinds.COLUMNS.items():
        for row in lines(tmp_path / "city" / f"{kind}.ndjson"):
            assert tuple(row) == columns
        text = (tmp_path / "city" / f"{kind}.csv").read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert (tuple(rows[0]), len(rows)) == (columns, done.records[kind] + 1)
    [binding] = lines(tmp_path / "city" / "binding.ndjson")
    assert (binding["card_ref"], binding["house_id"]) == ("K000001", house.id)
    used, refused_ = lines(tmp_path / "city" / "access.ndjson")
    assert (used["card_ref"], used["binding_id"]) == ("K000001", binding["id"])
    assert (refused_["card_ref"], refused_["binding_id"]) == ("", ""), "nobody's"
    assert binding["doors"] == [f"{board.device.id}/0"]
    assert binding["list_version"] == [f"{board.device.id}:1"]
    [device] = lines(tmp_path / "city" / "device.ndjson")
    assert (device["house_ids"], device["address_code"]) == ([house.id], "A-H00001")
    [person] = lines(tmp_path / "city" / "person.ndjson")
    assert (person["name"], person["state"], person["out"]) == ("张伟", "here", "")


def test_one_signed_manifest_covers_all_files(site, house, tmp_path) -> None:
    del house
    to_folder(site, tmp_path)
    text = (tmp_path / "city" / "manifest.json").read_bytes()
    manifest = json.loads(text)
    assert len(manifest["files"]) == 2 * len(kinds.KINDS)
    for name, said in manifest["files"].items():
        data = (tmp_path / "city" / name).read_bytes()
        assert (said["sha256"], said["bytes"]) == (sha256(data).hexdigest(), len(data))
    keys = trust.verify(site.trust_object()).moduli(KEY_CHECKPOINT)
    envelope = (tmp_path / "city" / "manifest.cose").read_bytes()
    payload = cbor.decode(bytes(cose.verify(envelope, b"hzaccess/1", keys)))
    assert payload == ["hzaccess/1", site.id, sha256(text).digest()]


def test_what_was_told_is_not_told_again(site, board, house, tmp_path) -> None:
    del house
    to_folder(site, tmp_path)
    assert sum(to_folder(site, tmp_path, "again").records.values()) == 0
    board.pens[0].write(c.EVENT_REX, c.REASON_REX)
    pull(site, board, board.pens[0])
    with site.registry.writing() as session:
        session.query(Person).one().name = "张伟明"
    done = to_folder(site, tmp_path, "third")
    assert {kind: n for kind, n in done.records.items() if n} == {"person": 1, "access": 1}
    [first], [second] = (lines(tmp_path / n / "person.ndjson") for n in ("city", "third"))
    assert first["id"] == second["id"]
    assert first["event_id"] != second["event_id"]
    [row] = lines(tmp_path / "third" / "access.ndjson")
    assert row["event_id"].endswith("-1-0-3")


def test_full_tells_everything_under_the_same_ids(site, house, tmp_path) -> None:
    del house
    to_folder(site, tmp_path)
    to_folder(site, tmp_path, "full", full=True)
    for kind in kinds.KINDS:
        first, second = (lines(tmp_path / n / f"{kind}.ndjson") for n in ("city", "full"))
        assert [row["event_id"] for row in first] == [row["event_id"] for row in second]


def test_a_thing_that_becomes_what_it_was_is_told_anew(site, house, tmp_path) -> None:
    del house
    ids = []
    for number, name in enumerate(("张伟", "张三", "张伟")):
        with site.registry.writing() as session:
            session.query(Person).one().name = name
        to_folder(site, tmp_path, f"n{number}")
        [row] = lines(tmp_path / f"n{number}" / "person.ndjson")
        ids.append(row["event_id"])
    assert len(set(ids)) == 3


def test_a_record_that_is_pulled_late_is_told_late(site, board, house, tmp_path) -> None:
    del house
    pen = board.pens[0]
    for _ in range(5):
        pen.write(c.EVENT_REX, c.REASON_REX)
    from controller_tool.services import journal_store  # noqa: PLC0415

    journal_store.append(site, board.device, 0, pen.written[6])
    assert to_folder(site, tmp_path).records["access"] == 3
    for late in (3, 4, 5, 7):
        journal_store.append(site, board.device, 0, pen.written[late])
    assert to_folder(site, tmp_path, "late").records["access"] == 4
    assert to_folder(site, tmp_path, "none").records["access"] == 0


def test_each_target_has_marks_of_its_own(site, house, tmp_path) -> None:
    del house
    delivery.to_folder(site, tmp_path / "a", target="street")
    assert delivery.to_folder(site, tmp_path / "b", target="city").records["access"] == 2
    assert delivery.count(site, "street").records["access"] == 0
    assert delivery.count(site, "third").records["access"] == 2


def test_a_folder_that_cannot_be_made_moves_no_mark(site, house, tmp_path) -> None:
    del house
    with pytest.raises(OperatorError):
        delivery.to_folder(site, tmp_path / "no" / "where")
    assert delivery.count(site, "folder").records["access"] == 2


# --- ID numbers -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def platform_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key) -> bytes:
    form = PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(Encoding.PEM, form))


def opened(key: rsa.RSAPrivateKey, person_id: str, text: str) -> str:
    """As docs/hzaccess.md says."""
    version, _, *parts = text.split(".")
    assert version == "1"
    wrapped, data = (base64.urlsafe_b64decode(part + "==") for part in parts)
    secret = AESGCM(key.decrypt(wrapped, doc_no.oaep()))
    return secret.decrypt(data[:12], data[12:], f"hzaccess/1 doc_no {person_id}".encode()).decode()


def test_without_a_recipient_no_id_number_leaves(site, house, tmp_path) -> None:
    del house
    assert not to_folder(site, tmp_path).numbers_sealed
    everything = b"".join(path.read_bytes() for path in (tmp_path / "city").iterdir())
    assert "张伟".encode() in everything, "the control"
    for secret in (NUMBER, CARD, "bc614e"):
        assert secret.encode() not in everything
    assert lines(tmp_path / "city" / "person.ndjson")[0]["doc_no"] == ""


def test_the_recipient_alone_reads_an_id_number(site, house, tmp_path, platform_key) -> None:
    del house
    (tmp_path / "platform.pem").write_bytes(pem(platform_key))
    to_folder(site, tmp_path, "before")
    doc_no.choose(site, tmp_path / "platform.pem")
    done = to_folder(site, tmp_path)
    assert (done.numbers_sealed, done.records["person"]) == (True, 1), "it could not read it before"
    text = (tmp_path / "city" / "person.ndjson").read_text(encoding="utf-8")
    assert NUMBER not in text
    [row] = [json.loads(text)]
    assert opened(platform_key, row["id"], row["doc_no"]) == NUMBER
    with pytest.raises(InvalidTag):
        opened(platform_key, "0" * 16, row["doc_no"])
    with pytest.raises(ValueError, match="ecryption failed"):
        opened(rsa.generate_private_key(65537, 2048), row["id"], row["doc_no"])
    assert to_folder(site, tmp_path, "again").records["person"] == 0, "chance is no change"


def test_only_a_fair_rsa_key_is_a_recipient(site, tmp_path) -> None:
    path = tmp_path / "key.pem"
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    for bad in (b"", b"nonsense", pem(ec.generate_private_key(ec.SECP256R1())), pem(weak),
                b"\xff" * 100):  # fmt: skip
        path.write_bytes(bad)
        with pytest.raises(OperatorError, match="no RSA public key"):
            doc_no.choose(site, path)
    with pytest.raises(OperatorError, match="cannot be read"):
        doc_no.choose(site, tmp_path / "none.pem")
    assert doc_no.read(site) is None


# --- chargers ---------------------------------------------------------------------------------


def test_sessions_are_told_once_they_have_ended(site, tmp_path) -> None:
    issue(site, holder=people.Holder("张伟"))
    pile = Pile(site)
    pile.board.update()
    key = key_of(site, pile.board)
    pile.start(0, key)
    pile.pull()
    assert to_folder(site, tmp_path).records["charge_session"] == 0, "it runs"
    pile.end(HOUR_S, key, c.END_FULL, 60, 412)
    pile.start(2 * HOUR_S, key)
    pile.start(3 * HOUR_S, key)
    pile.alarm.write(c.EVENT_OVER_TEMPERATURE, c.END_TEMPERATURE, extra=700)
    pile.pull()
    done = to_folder(site, tmp_path, "then")
    assert (done.records["charge_session"], done.records["charge_fault"]) == (2, 1)
    ended, lost = lines(tmp_path / "then" / "charge_session.ndjson")
    assert (ended["state"], ended["energy_wh"], ended["card_ref"]) == ("ended", 412, "K000001")
    assert len(ended["binding_id"]) == 16
    assert (lost["state"], lost["event_id"]) == ("lost", f"{pile.board.device.id}-lost-2")
    [fault] = lines(tmp_path / "then" / "charge_fault.ndjson")
    [alarm] = lines(tmp_path / "then" / "alarm.ndjson")
    assert fault["event_id"] == alarm["event_id"]
    pile.end(4 * HOUR_S, key, c.END_FULL, 60, 100)
    pile.pull()
    assert to_folder(site, tmp_path, "last").records["charge_session"] == 1
