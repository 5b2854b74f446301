"""Local authorization lists of OCPP 1.6 and 2.0.1: format, export, import (host).

Field names, lengths and values: JSON schemas SendLocalList (1.6) and SendLocalListRequest (2.0.1).
"""

from __future__ import annotations

import copy
import json
import shutil
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from controller_tool import clock, credentials
from controller_tool.cli import run
from controller_tool.credentials import Credential
from controller_tool.errors import OperatorError
from controller_tool.registry.models import Card
from controller_tool.registry.records import AuditEntry
from controller_tool.services import (
    cards,
    explain,
    ocpp_cards,
    ocpp_list,
    ocpp_tokens,
    profiles,
    roster,
)
from controller_tool.services.ocpp_list import Entry, LocalList
from controller_tool.services.ocpp_tokens import V16, V201, Token
from protocol.constants import TIME_END_MIN
from protocol.names import CREDENTIAL_NAMES
from tests.unit import ocpp_schemas
from tests.unit.registry_support import PASSPHRASE, Board

CARD, OTHER = "iso14443a:04a2b3c4d5e680", "0012345678"
VERSIONS = st.sampled_from([V16, V201])
LATER = "2040-01-01T00:00:00Z"
CREDENTIALS = st.builds(
    Credential,
    st.sampled_from(sorted({*CREDENTIAL_NAMES} - {*credentials.PIN_TYPES})),
    st.binary(min_size=1, max_size=32),
).filter(lambda one: len(one.data) in credentials._LENGTHS.get(one.type, range(33)))


@pytest.mark.parametrize("text", ["pin:4711", "0012345678+4711"])
def test_a_pin_goes_to_no_charger_and_comes_from_none(text) -> None:
    pin = credentials.parse(text)
    for version in (V16, V201):
        assert ocpp_tokens.token_of(version, pin) is None
    assert ocpp_tokens.credential_of(Token("pin:4711")) is None


@given(VERSIONS, CREDENTIALS)
def test_a_token_stands_for_its_card_and_no_other(version, credential) -> None:
    token = ocpp_tokens.token_of(version, credential)
    if token is None:
        assert len(f"{credential}") > {V16: 20, V201: 36}[version], "only what has no room"
    else:
        assert len(token.text) <= {V16: 20, V201: 36}[version]
        assert ocpp_tokens.credential_of(token) == credential


@pytest.mark.parametrize(
    ("text", "v16", "v201"),
    [
        ("iso14443a:04a2b3c4", "04A2B3C4", ("04A2B3C4", "ISO14443")),
        ("iso14443a:04a2b3c4d5e680", "04A2B3C4D5E680", ("04A2B3C4D5E680", "ISO14443")),
        ("iso14443b:0102030405060708", "0102030405060708", ("0102030405060708", "ISO14443")),
        ("0012345678", "0000BC614E", ("0000BC614E", "Local")),
        ("188,24910", "BC614E", ("BC614E", "Local")),
        ("wiegand34:01020304", "wiegand34:01020304", ("wiegand34:01020304", "Local")),
        ("text:524f4f4d2d31", "ROOM-1", ("ROOM-1", "Local")),
        ("osdp_raw:010203040506", None, ("osdp_raw:010203040506", "Local")),
        ("text:" + "aa" * 32, None, None),
    ],
)
def test_tokens_are_what_a_charger_reads(text, v16, v201) -> None:
    credential = credentials.parse(text)
    assert ocpp_tokens.token_of(V16, credential) == (v16 and Token(v16))
    assert ocpp_tokens.token_of(V201, credential) == (v201 and Token(*v201))


@pytest.mark.parametrize(
    "token",
    [
        Token("04A2B3C4D5E680", "ISO15693"),
        Token("1234", "KeyCode"),
        Token("ROOM-1", "ISO14443"),
        Token("0000BC614E", "ISO14443"),
        Token("em4100:00"),
        Token(" "),
        Token("卡"),
    ],
)
def test_a_token_that_no_reader_of_ours_reports_is_no_card(token) -> None:
    assert ocpp_tokens.credential_of(token) is None


def lists() -> st.SearchStrategy[LocalList]:
    """Lists as either version can say them."""

    @st.composite
    def made(draw) -> LocalList:
        version, full = draw(VERSIONS), draw(st.booleans())
        kinds = st.sampled_from(ocpp_tokens.TOKEN_TYPES) if version == V201 else st.just("")
        texts = st.text("0123456789ABCDEFabc-", min_size=1, max_size=20)
        statuses = st.sampled_from(ocpp_list.STATUSES[version])
        minutes = st.none() | st.integers(0, TIME_END_MIN)
        entry = st.builds(Entry, st.builds(Token, texts, kinds), statuses, minutes)
        if not full:
            entry |= st.builds(Entry, st.builds(Token, texts, kinds), st.none())
        entries = tuple(draw(st.lists(entry, max_size=6)))
        return LocalList(version, draw(st.integers(0, 2**31 - 1)), full, entries)

    return made()


@given(lists())
def test_what_is_written_is_read_as_it_was(made) -> None:
    text = json.dumps(ocpp_list.dump(made))
    assert ocpp_schemas.problems(made.version, "SendLocalList", json.loads(text)) == []
    assert ocpp_list.load(json.loads(text)) == (made, [])


GOOD16 = {
    "listVersion": 7,
    "updateType": "Full",
    "localAuthorizationList": [
        {"idTag": "04A2B3C4", "idTagInfo": {"status": "Accepted", "expiryDate": LATER}}
    ],
}
GOOD201 = {
    "versionNumber": 7,
    "updateType": "Full",
    "localAuthorizationList": [
        {
            "idToken": {"idToken": "04A2B3C4", "type": "ISO14443"},
            "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": LATER},
        }
    ],
}


def test_lists_have_the_names_of_the_standard() -> None:
    entry = Entry(Token("04A2B3C4"), "Accepted", 10_519_200)
    assert ocpp_list.dump(LocalList(V16, 7, True, (entry,))) == GOOD16
    entry = Entry(Token("04A2B3C4", "ISO14443"), "Accepted", 10_519_200)
    assert ocpp_list.dump(LocalList(V201, 7, True, (entry,))) == GOOD201


def test_an_empty_list_has_no_array() -> None:
    """2.0.1 wants at least one item in it."""
    made = LocalList(V201, 1, True, ())
    assert ocpp_list.dump(made) == {"versionNumber": 1, "updateType": "Full"}


def _put(value: object, *path: str | int):
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        if value is None:
            del data[path[-1]]
        else:
            data[path[-1]] = value

    return change


_FIRST = ("localAuthorizationList", 0)


@pytest.mark.parametrize(
    ("good", "change", "fault"),
    [
        (GOOD16, _put("7", "listVersion"), (0, "listVersion")),
        (GOOD16, _put(True, "listVersion"), (0, "listVersion")),
        (GOOD16, _put("full", "updateType"), (0, "updateType")),
        (GOOD16, _put({}, "localAuthorizationList"), (0, "localAuthorizationList")),
        (GOOD16, _put(1, "more"), (0, "more")),
        (GOOD16, _put("A", *_FIRST), (1, "localAuthorizationList")),
        (GOOD16, _put("A" * 21, *_FIRST, "idTag"), (1, "idTag")),
        (GOOD16, _put("", *_FIRST, "idTag"), (1, "idTag")),
        (GOOD16, _put(None, *_FIRST, "idTagInfo"), (1, "idTagInfo")),
        (GOOD16, _put("NoCredit", *_FIRST, "idTagInfo", "status"), (1, "status")),
        (GOOD16, _put("2040-01-01", *_FIRST, "idTagInfo", "expiryDate"), (1, "expiryDate")),
        (GOOD16, _put(5, *_FIRST, "idTagInfo", "expiryDate"), (1, "expiryDate")),
        (GOOD201, _put("A" * 37, *_FIRST, "idToken", "idToken"), (1, "idToken")),
        (GOOD201, _put("RFID", *_FIRST, "idToken", "type"), (1, "type")),
        (GOOD201, _put("04A2B3C4", *_FIRST, "idToken"), (1, "type")),
        (GOOD201, _put([1], *_FIRST, "idTokenInfo", "evseId"), (1, "evseId")),
        (GOOD201, _put(1, *_FIRST, "idTokenInfo", "expiryDate"), (1, "expiryDate")),
    ],
)
def test_each_wrong_field_is_named(good, change, fault) -> None:
    data = copy.deepcopy(good)
    assert ocpp_list.load(data)[1] == [], "the negative control: it was good before"
    change(data)
    found, faults = ocpp_list.load(data)
    assert found is None
    assert [(one.row, one.field) for one in faults] == [fault]


@pytest.mark.parametrize("data", [None, 5, [], {}, {"updateType": "Full"}])
def test_what_is_no_list_is_told(data) -> None:
    found, [fault] = ocpp_list.load(data)
    assert (found, fault.what) == (None, "not a local list of OCPP 1.6 or 2.0.1")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "listVersion",
                        "updateType",
                        "idTag",
                        "idTagInfo",
                        "localAuthorizationList",
                        "status",
                        "x",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_nothing_that_is_json_breaks_the_reader(data) -> None:
    found, faults = ocpp_list.load(data)
    assert (found is None) == bool(faults)


# --- the registry ---------------------------------------------------------------------------


@pytest.fixture
def site(site):
    """An office folder with one door."""
    Board(site, "door-1")
    return site


def issue(site, number: str, days: int = 30, begins_in: int = -1) -> cards.CardStatus:
    now_min = clock.now_s() // 60
    terms = cards.Terms(now_min + begins_in, now_min + days * 1440)
    return cards.issue(site, credentials.parse(number), terms, None)


def statuses(made: ocpp_cards.Exported) -> dict[str, str]:
    rows = made.message.get("localAuthorizationList", [])
    if made.version == V16:
        return {row["idTag"]: row["idTagInfo"]["status"] for row in rows}
    return {row["idToken"]["idToken"]: row["idTokenInfo"]["status"] for row in rows}


@pytest.mark.parametrize(("version", "waiting"), [(V16, "Invalid"), (V201, "NotAtThisTime")])
def test_states_of_cards_are_told_as_statuses(site, version, waiting) -> None:
    issue(site, "iso14443a:00000001")
    issue(site, "iso14443a:00000002", begins_in=600)
    for number in ("iso14443a:00000003", "iso14443a:00000004", "iso14443a:00000005"):
        issue(site, number)
    cards.collect(site, "iso14443a:00000003")
    cards.lost(site, "iso14443a:00000004")
    with site.registry.writing() as session:
        over = session.query(Card).filter_by(ref="K000005").one()
        over.until_min = over.from_min + 1
    assert statuses(ocpp_cards.export(site, version)) == {
        "00000001": "Accepted", "00000002": waiting, "00000003": "Invalid",
        "00000004": "Blocked", "00000005": "Expired",
    }  # fmt: skip


def test_a_lost_card_is_imported_by_no_list(site, file) -> None:
    issue(site, CARD)
    cards.lost(site, CARD)
    with pytest.raises(roster.RosterRefused) as refused:
        ocpp_cards.import_list(site, file(("04A2B3C4D5E680", "Accepted", LATER)))
    [fault] = refused.value.faults
    assert "lost (nobody K000001)" in fault.what


def test_a_card_issued_anew_is_told_once_and_as_it_is(site) -> None:
    issue(site, CARD)
    cards.collect(site, CARD)
    issue(site, CARD)
    assert statuses(ocpp_cards.export(site, V16)) == {"04A2B3C4D5E680": "Accepted"}


def test_only_the_cards_of_the_controller_are_told(site) -> None:
    issue(site, CARD)
    Board(site, "pile-1")
    assert ocpp_cards.export(site, V16, "pile-1").cards == 0
    assert ocpp_cards.export(site, V16, "door-1").cards == 1


def test_what_no_token_holds_is_left_out_whole_and_named(site) -> None:
    long = issue(site, "text:" + b"a text of more than 20".hex())
    issue(site, "text:" + b"Room".hex())
    same = issue(site, "text:" + b"room".hex())  # a charger compares without regard to case
    made = ocpp_cards.export(site, V16)
    assert (list(statuses(made)), made.left_out) == (["Room"], (long.ref, same.ref))
    assert ocpp_cards.export(site, V201).left_out == (same.ref,)


def test_an_export_is_on_record(site) -> None:
    issue(site, CARD)
    ocpp_cards.export(site, V16, "door-1")
    with site.registry.session() as session:
        acts = [entry.act for entry in session.query(AuditEntry)]
    assert acts[-1] == "card.export"


@pytest.fixture
def file(tmp_path):
    """Writes a list of 1.6 with these entries (idTag, status or None, expiry or None)."""

    def write(*rows: tuple[str, str | None, str | None], update: str = "Differential"):
        entries = []
        for tag, status, expiry in rows:
            info = {"status": status} | ({"expiryDate": expiry} if expiry else {})
            entries.append({"idTag": tag} | ({"idTagInfo": info} if status else {}))
        path = tmp_path / "list.json"
        data = {"listVersion": 1, "updateType": update, "localAuthorizationList": entries}
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return write


def words(site) -> dict[str, str]:
    return {status.credential: status.state for status in cards.list_cards(site)}


@pytest.mark.parametrize("version", [V16, V201])
def test_what_was_exported_is_imported_elsewhere(
    site, made_site, open_site, tmp_path, version
) -> None:
    for number in (CARD, OTHER, "188,24910", "wiegand37:0102030405"):
        issue(site, number)
    path = tmp_path / "list.json"
    path.write_text(json.dumps(ocpp_cards.export(site, version).message), encoding="utf-8")
    assert ocpp_cards.import_list(site, path).unchanged == 4, "all are there already"
    other = open_site(shutil.copytree(made_site, tmp_path / "other"))
    assert ocpp_cards.import_list(other, path, dry_run=True).issued == 4
    assert cards.list_cards(other) == [], "a dry run changes nothing"
    ocpp_cards.import_list(other, path)
    ends = [
        sorted((card.credential, card.until_min, card.word) for card in cards.list_cards(one))
        for one in (site, other)
    ]
    assert ends[0] == ends[1]


def test_accepted_cards_are_issued_on_the_named_controllers(site, file) -> None:
    Board(site, "pile-1")
    path = file(("04A2B3C4", "Accepted", LATER), ("0000BC614E", "ConcurrentTx", LATER))
    done = ocpp_cards.import_list(site, path, ("pile-1",))
    assert (done.issued, done.devices) == (2, ("pile-1",))
    status = cards.card_status(site, OTHER)
    assert (status.until_min, status.devices) == (10_519_200, ("pile-1",))


def test_a_list_has_no_limits_of_charging_so_a_profile_gives_them(site, file) -> None:
    Board(site, "pile-1", board="virtual_charger")
    profiles.add(site, "visitor", profiles.Wish(points="1", quota_wh=500, day_wh=900))
    path = file(("04A2B3C4", "Accepted", LATER))
    with pytest.raises(OperatorError, match="no profile king"):
        ocpp_cards.import_list(site, path, profile="king")
    ocpp_cards.import_list(site, path, profile="visitor")
    [found] = explain.explain(site, "iso14443a:04a2b3c4", "pile-1")
    assert found.profile is not None
    assert (found.profile.name, found.profile.quota_wh, found.profile.day_wh) == (
        "visitor", 500, 900,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Blocked", "lost"), ("Invalid", "collected"), ("Expired", "collected"),
        (None, "collected"), ("Accepted", "issued"), ("ConcurrentTx", "issued"),
    ],
)  # fmt: skip
def test_statuses_end_cards_or_leave_them(site, file, status, state) -> None:
    issue(site, CARD)
    path = file(("04a2b3c4d5e680", status, None))
    ocpp_cards.import_list(site, path, dry_run=True)
    assert cards.card_status(site, CARD).state == "issued", "a dry run changes nothing"
    ocpp_cards.import_list(site, path)
    assert cards.card_status(site, CARD).state == state


def test_cards_that_a_full_list_does_not_name_stay(site, file) -> None:
    issue(site, CARD)
    done = ocpp_cards.import_list(site, file(("04A2B3C4", "Accepted", LATER), update="Full"))
    assert (done.issued, done.ended) == (1, 0)
    assert cards.card_status(site, CARD).state == "issued"


def test_ends_that_are_missing_are_asked_for_and_those_that_passed_issue_nothing(
    site, file
) -> None:
    path = file(("04A2B3C4", "Accepted", None), ("04A2B3C5", "Accepted", "2021-01-01T00:00:00Z"))
    with pytest.raises(roster.RosterRefused) as refused:
        ocpp_cards.import_list(site, path)
    assert [fault.what for fault in refused.value.faults] == [
        "it has no end: give one with --until"
    ]
    done = ocpp_cards.import_list(site, path, until_min=10_519_200)
    assert (done.issued, done.over) == (1, 1)


def test_one_wrong_entry_keeps_all_others_out(site, file) -> None:
    issue(site, CARD)
    path = file(
        ("04A2B3C4", "Accepted", LATER), ("04a2b3c4", "Blocked", None),
        ("04A2B3C4D5E680", "Accepted", LATER), ("卡", "Accepted", LATER),
    )  # fmt: skip
    with pytest.raises(roster.RosterRefused) as refused:
        ocpp_cards.import_list(site, path)
    assert [(fault.row, fault.field) for fault in refused.value.faults] == [
        (2, "04a2b3c4"), (3, "04A2B3C4D5E680"), (4, "卡"),
    ]  # fmt: skip
    assert list(words(site).values()) == ["issued"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_in_one_line(site, tmp_path, content) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match="no JSON file"):
        ocpp_cards.import_list(site, path)


def test_the_commands(site, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CONTROLLER_TOOL_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CONTROLLER_TOOL_SITE", str(site.path))
    issue(site, CARD)
    left_out = issue(site, "osdp_raw:010203040506")
    path = tmp_path / "list.json"
    assert (
        run(["--lang", "en", "card", "export-ocpp", "--version", "1.6", "--output", str(path)]) == 0
    )
    said = capsys.readouterr()
    assert said.out == "1 cards in list.json\n"
    assert said.err.startswith(f"1 cards are not in it: {left_out.ref}\n")
    assert path.stat().st_mode & 0o077 == 0, "card numbers are nobody else's"
    assert run(["card", "import-ocpp", str(path), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == 1
    path.write_text(json.dumps(GOOD16 | {"updateType": "Some"}), encoding="utf-8")
    assert run(["card", "import-ocpp", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"][0]["field"] == "updateType"
