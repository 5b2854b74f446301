"""The folder for the city's platform: whole, signed, the same each time, no name in it (host)."""

from __future__ import annotations

import csv
import io
import json
from hashlib import sha256
from typing import Any

import pytest

from controller_tool.errors import OperatorError
from controller_tool.services import export as site_export
from controller_tool.services import hzaccess, people
from controller_tool.services.journal_filter import Filter
from protocol import cbor, cose, trust
from protocol.codes import (
    CLOCK_UNSET,
    EVENT_BOOT,
    EVENT_DENIED,
    EVENT_DOOR_OPENED,
    EVENT_FORCED_OPEN,
    EVENT_GRANTED,
    EVENT_REVOKED_CARD_PRESENTED,
    EVENT_REX,
    KEY_CHECKPOINT,
    REASON_CARD,
    REASON_REVOKED,
    REASON_REX,
    REASON_UNKNOWN_CARD,
)
from protocol.constants import RING_ACCESS, RING_ALARM
from tests.unit.test_cards import CARD, issue
from tests.unit.test_journal import pull
from tests.unit.test_journal_reading import key_of

FILES = {
    "access.csv", "access.ndjson", "alarm.csv", "alarm.ndjson", "manifest.json", "manifest.cose",
}  # fmt: skip


@pytest.fixture
def told(site, board) -> None:
    issue(site, holder=people.Holder("张伟"))
    board.update()
    access, alarm = board.pen(RING_ACCESS), board.pen(RING_ALARM)
    key = key_of(site, board)
    access.write(EVENT_GRANTED, REASON_CARD, key)
    access.write(EVENT_DOOR_OPENED, 0)
    access.write(EVENT_REX, REASON_REX, quality=CLOCK_UNSET)
    access.write(EVENT_DENIED, REASON_UNKNOWN_CARD, key_of(site, board, "0012345679"))
    access.write(EVENT_DENIED, REASON_UNKNOWN_CARD, point=255, extra=42)
    alarm.write(EVENT_BOOT, 1)
    alarm.write(EVENT_REVOKED_CARD_PRESENTED, REASON_REVOKED, key)
    alarm.write(EVENT_FORCED_OPEN, 0)
    for pen in (access, alarm):
        pull(site, board, pen)


def lines(path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def content(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(site, told, tmp_path):  # noqa: ARG001 - what was written has to be there
    done = hzaccess.export(site, Filter(), tmp_path / "city")
    assert (done.access, done.alarm) == (4, 2)
    return done.folder


def test_decisions_and_alarms_are_told_apart_and_nothing_else_is_told(site, board, folder) -> None:
    del site
    found = [
        (r["event_id"], r["direction"], r["card_ref"], r["result"], r["reason"], r["method"],
         r["point"], r["count"])
        for r in lines(folder / "access.ndjson")
    ]  # fmt: skip
    ids = [f"{board.device.id}-1-0-{seq}" for seq in range(5)]
    assert found == [
        (ids[0], "in", "K000001", "granted", "card", "card", 0, 1),
        (ids[2], "out", "", "granted", "request_to_exit", "button", 0, 1),
        (ids[3], "in", "", "denied", "unknown_card", "card", 0, 1),
        (ids[4], "in", "", "denied", "unknown_card", "card", None, 42),
    ]
    alarms = [(r["event_id"], r["alarm"], r["card_ref"]) for r in lines(folder / "alarm.ndjson")]
    assert alarms == [
        (f"{board.device.id}-1-1-1", "revoked_card_presented", "K000001"),
        (f"{board.device.id}-1-1-2", "forced_open", ""),
    ]


def test_times_have_their_offset_and_the_clocks_quality(folder) -> None:
    told = [(r["time"], r["clock_quality"]) for r in lines(folder / "access.ndjson")]
    assert told[0] == ("2026-05-04T03:33:20.005+08:00", "synced")
    assert told[1] == ("2026-05-04T03:33:22.005+08:00", "unset")


def test_both_forms_say_the_same(folder) -> None:
    for kind, columns in (("access", hzaccess.ACCESS), ("alarm", hzaccess.ALARM)):
        text = (folder / f"{kind}.csv").read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert tuple(rows[0]) == columns
        as_text = [
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in lines(folder / f"{kind}.ndjson")
        ]
        assert rows == as_text


def test_the_manifest_covers_every_file_and_is_signed(site, board, folder) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) | {"manifest.json", "manifest.cose"} == FILES
    for name, said in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert (said["sha256"], said["bytes"]) == (sha256(data).hexdigest(), len(data))
    assert manifest["files"]["access.ndjson"]["records"] == 4
    assert manifest["ranges"] == [
        {"record": "access", "device": board.device.id, "ring": 0, "first_seq": 0, "last_seq": 4,
         "count": 4},
        {"record": "alarm", "device": board.device.id, "ring": 1, "first_seq": 1, "last_seq": 2,
         "count": 2},
    ]  # fmt: skip
    keys = trust.verify(site.trust_object()).moduli(KEY_CHECKPOINT)
    envelope = (folder / "manifest.cose").read_bytes()
    digest = sha256((folder / "manifest.json").read_bytes()).digest()
    payload = cbor.decode(bytes(cose.verify(envelope, hzaccess.AAD, keys)))
    assert payload == [hzaccess.FORMAT, site.id, digest]
    with pytest.raises(cose.BadSignature):
        cose.verify(envelope, b"checkpoint", keys)


def test_the_same_again_gives_the_same_bytes(site, folder, tmp_path) -> None:
    again = hzaccess.export(site, Filter(), tmp_path / "again").folder
    assert content(again) == content(folder)


def test_records_of_overlapping_exports_have_the_same_ids(site, folder, tmp_path) -> None:
    part = hzaccess.export(site, Filter(result="denied"), tmp_path / "part").folder
    whole = lines(folder / "access.ndjson")
    assert lines(part / "access.ndjson") == [row for row in whole if row["result"] == "denied"]
    assert len({row["event_id"] for row in whole}) == len(whole)


def test_no_name_and_no_card_number_is_in_it(folder) -> None:
    everything = b"".join(content(folder).values())
    assert b"K000001" in everything, "the control"
    for secret in ("张伟", CARD, "bc614e"):
        assert secret.encode() not in everything


def test_the_folder_is_its_owners_alone(folder) -> None:
    assert set(content(folder)) == FILES
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0] * 7


def test_force_replaces_an_earlier_export_only(site, folder, tmp_path) -> None:
    with pytest.raises(OperatorError, match="there already"):
        hzaccess.export(site, Filter(), folder)
    hzaccess.export(site, Filter(result="denied"), folder, force=True)
    assert len(lines(folder / "access.ndjson")) == 2
    (folder / "mine.txt").write_text("mine")
    other = tmp_path / "other"
    other.mkdir()
    for place in (folder, other, tmp_path / "city" / "mine.txt"):
        with pytest.raises(OperatorError, match="there already"):
            hzaccess.export(site, Filter(), place, force=True)
    assert (folder / "mine.txt").read_text() == "mine"


@pytest.mark.usefixtures("told")
def test_an_export_that_fails_leaves_nothing(site, tmp_path) -> None:
    with pytest.raises(OperatorError):
        hzaccess.export(site, Filter(who="nobody"), tmp_path / "city")
    with pytest.raises(OperatorError, match="cannot be written"):
        hzaccess.export(site, Filter(), tmp_path / "no" / "where")
    assert list(tmp_path.glob("city*")) == []


@pytest.mark.usefixtures("told")
def test_a_folder_that_signs_nothing_makes_none(site, tmp_path, open_site) -> None:
    site_export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    auditor = open_site(tmp_path / "auditor", "of the auditor")
    with pytest.raises(OperatorError, match="does not hold the checkpoint key"):
        hzaccess.export(auditor, Filter(), tmp_path / "city")
    assert not (tmp_path / "city").exists()
