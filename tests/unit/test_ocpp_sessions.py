"""Charging sessions as OCPP transactions, held to the published schemas (host)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller_tool.errors import OperatorError
from controller_tool.registry.records import AuditEntry
from controller_tool.services import charge_sessions, export, ocpp_sessions, people
from controller_tool.services.charge_sessions import ENDED, Session, Wish
from controller_tool.services.ocpp_tokens import V16, V201, Token
from protocol import codes as c
from protocol.constants import TIME_END_S
from protocol.names import END_NAMES
from tests.unit import ocpp_schemas
from tests.unit.test_cards import issue
from tests.unit.test_journal_reading import key_of
from tests.unit.test_sessions import HOUR_S, day, pile, run

__all__ = ["day", "pile", "run"]  # fixtures
LONG_CARD = "osdp_raw:" + "0102030405060708090a0b"


def problems(version: str, document: dict[str, Any]) -> list[str]:
    """All that the schemas find wrong with a document."""
    assert document["ocpp"] == version
    found = []
    for one in document["transactions"]:
        if version == V16:
            for action in ("StartTransaction", "StopTransaction"):
                found += ocpp_schemas.problems(version, action, one[action])
        else:
            assert len(one["TransactionEvent"]) == 2
            for event in one["TransactionEvent"]:
                found += ocpp_schemas.problems(version, "TransactionEvent", event)
    return found


def exported(site, version: str, **more: Any) -> ocpp_sessions.Exported:
    return ocpp_sessions.export(site, charge_sessions.sessions(site, Wish()), version, **more)


def test_a_session_is_a_pair_of_1_6(site, day) -> None:
    made = exported(site, V16, ticket_tag="OFFICE")
    assert problems(V16, made.document) == []
    first, second = made.document["transactions"]
    assert first == {
        "chargePoint": "pile-1",
        "StartTransaction": {
            "connectorId": 1, "idTag": "0000BC614E", "meterStart": 0,
            "timestamp": "2026-05-03T19:33:20Z",
        },
        "StopTransaction": {
            "transactionId": 0, "meterStop": 412, "timestamp": "2026-05-03T20:33:20Z",
            "reason": "Other",
        },
    }  # fmt: skip
    assert second["StartTransaction"]["idTag"] == "OFFICE"
    assert second["StopTransaction"]["reason"] == "Remote"
    assert (made.sessions, made.left_out) == (2, {"running": 1})
    assert day


def test_a_session_is_two_events_of_2_0_1(site, day) -> None:
    made = exported(site, V201)
    assert problems(V201, made.document) == []
    first, second = made.document["transactions"]
    started, ended = first["TransactionEvent"]
    ids = {event["transactionInfo"]["transactionId"] for event in (started, ended)}
    assert ids == {f"{day.board.device.id}-0"}
    assert (started["eventType"], started["triggerReason"]) == ("Started", "Authorized")
    assert ended["transactionInfo"]["stoppedReason"] == "StoppedByEV"
    assert ended["transactionInfo"]["timeSpentCharging"] == HOUR_S
    assert ended["meterValue"][0]["sampledValue"][0]["value"] == 412
    assert started["idToken"] == {"idToken": "0000BC614E", "type": "Local"}
    by_ticket = second["TransactionEvent"][0]
    assert by_ticket["idToken"] == {"idToken": "", "type": "NoAuthorization"}
    assert by_ticket["triggerReason"] == "RemoteStart"


def test_the_card_that_ends_a_session_is_named(site, pile) -> None:
    key = key_of(site, pile.board)
    pile.start(0, key)
    pile.end(60, key, c.END_CARD, 1, 3)
    pile.start(120, key)
    pile.end(180, key, c.END_REVOKED, 1, 3)
    pile.pull()
    first, second = (one["StopTransaction"] for one in exported(site, V16).document["transactions"])
    assert (first["reason"], first["idTag"]) == ("Local", "0000BC614E")
    assert second["reason"] == "DeAuthorized"
    assert "idTag" not in second


def test_which_limit_ended_it_is_told_apart_where_it_can_be(site, pile) -> None:
    key = key_of(site, pile.board)
    for minutes, wh in ((60, 100), (20, 500)):
        pile.start(0, key, minutes=60, wh=500)
        pile.end(60 * minutes, key, c.END_QUOTA, minutes, wh)
    pile.pull()
    ends = [one["TransactionEvent"][1] for one in exported(site, V201).document["transactions"]]
    assert [(e["triggerReason"], e["transactionInfo"]["stoppedReason"]) for e in ends] == [
        ("TimeLimitReached", "TimeLimitReached"),
        ("EnergyLimitReached", "EnergyLimitReached"),
    ]


def test_what_is_no_transaction_is_left_out_and_told(site, pile) -> None:
    issue(site, LONG_CARD, people.Holder("王伟"))
    pile.board.update()
    key, long_key = (key_of(site, pile.board, card) for card in ("0012345678", LONG_CARD))
    pile.end(0, key, c.END_CARD, 1, 1)
    pile.start(60, key, quality=c.CLOCK_UNSET)
    pile.end(120, key, c.END_CARD, 1, 1)
    for other in (long_key, b"stranger", bytes(8)):
        reason = c.REASON_CARD if any(other) else c.REASON_TICKET
        pile.start(180, other, reason=reason)
        pile.end(240, other, c.END_REMOTE, 1, 1)
    pile.start(300, key)
    pile.start(360, key)
    pile.pull()
    made = exported(site, V16)
    assert made.document["transactions"] == []
    assert made.left_out == {
        "beheaded": 1, "undated": 1, "unheld": 1, "nobody": 1, "by_ticket": 1, "lost": 1,
        "running": 1,
    }  # fmt: skip
    assert set(made.left_out) == set(ocpp_sessions.reasons())


@pytest.mark.parametrize("tag", ["", "x" * 21, "a\nb"])
def test_a_token_that_no_message_holds_is_refused(site, day, tag) -> None:
    with pytest.raises(OperatorError):
        exported(site, V16, ticket_tag=tag)
    assert day


def test_card_numbers_do_not_leave_unrecorded_nor_from_any_folder(
    site, day, tmp_path, open_site
) -> None:
    exported(site, V16)
    with site.registry.session() as session:
        assert session.query(AuditEntry).filter_by(act="session.export").count() == 1
    export.export(site, "auditor", tmp_path / "auditor", "of the auditor")
    with pytest.raises(OperatorError):
        exported(open_site(tmp_path / "auditor", "of the auditor"), V16)
    assert day


@pytest.mark.parametrize("version", [V16, V201])
def test_the_command_writes_what_the_schemas_take(run, day, tmp_path, version) -> None:
    path = tmp_path / "transactions.json"
    words = ("sessions", "--ocpp", version, "--output", str(path))
    code, out, err = run(*words)
    count = 1 if version == V16 else 2
    assert (code, out) == (0, [f"{count} sessions written to {path}"])
    assert "1 sessions are not in it: they have not ended yet" in err
    assert ("--ticket-tag" in err) == (version == V16)
    assert problems(version, json.loads(path.read_bytes())) == []
    assert run(*words)[0] == 1, "it is there already"
    assert run(*words, "--force", "--ticket-tag", "OFFICE")[1][0].startswith("2 sessions")
    assert run("sessions", "--ticket-tag", "OFFICE")[0] == 2
    told = json.loads("\n".join(run("sessions", "--ocpp", version, "--json")[1]))
    assert told["left_out"]["running"] == 1
    assert day


# --- every session there can be -----------------------------------------------------------------

NUMBERS = st.integers(0, 0xFFFF)
MOMENTS = st.integers(0, TIME_END_S)
SESSIONS = st.builds(
    Session, st.just("pile-1"), st.integers(0, 15), st.just(ENDED), st.just("K000001"), st.just(""),
    st.sampled_from(["card", "ticket", "emergency_card"]), st.just(""), st.just(""),
    st.just("synced"), NUMBERS, NUMBERS, st.sampled_from([*END_NAMES.values(), "99", ""]), NUMBERS,
    NUMBERS, st.just(0), st.integers(0, 1 << 26), st.just(1), MOMENTS, MOMENTS,
)  # fmt: skip


@settings(max_examples=200)
@given(SESSIONS, st.text(min_size=1, max_size=20))
def test_whatever_a_session_was_its_transaction_fits_the_schemas(one, text) -> None:
    pair = ocpp_sessions._pair(one, Token(text), "0123456789abcdef")
    assert problems(V16, {"ocpp": V16, "transactions": [pair]}) == []
    events = ocpp_sessions._events(one, Token(text, "Local"), "0123456789abcdef")
    assert problems(V201, {"ocpp": V201, "transactions": [events]}) == []


def test_the_schemas_find_what_is_wrong(site, day) -> None:
    for version, spoil in (
        (V16, lambda one: one["StopTransaction"].update(reason="Full")),
        (V16, lambda one: one["StartTransaction"].update(idTag="x" * 21)),
        (V16, lambda one: one["StartTransaction"].update(timestamp="yesterday")),
        (V201, lambda one: one["TransactionEvent"][1].update(triggerReason="Full")),
        (V201, lambda one: one["TransactionEvent"][0].pop("seqNo")),
        (V201, lambda one: one["TransactionEvent"][0]["evse"].update(port=1)),
    ):
        document = exported(site, version).document
        assert problems(version, document) == []
        spoil(document["transactions"][0])
        assert problems(version, document), (version, spoil)
    assert day
