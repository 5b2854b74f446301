"""Charging sessions as OCPP transactions, for the books of other makes' systems (host).

One session is a pair: StartTransaction and StopTransaction of 1.6, or a Started and an Ended
TransactionEvent of 2.0.1, each as the message's payload. Rules:

- only a session whose both ends are stored, by a clock that was set: a transaction has two times
- only of a card that is known here and whose number the version can hold; one that a ticket began
  has the token that is given for it, in 2.0.1 else none (NoAuthorization)
- the meter counts from 0 in each session, in whole Wh: ports have no register of a lifetime
- a transaction's number is that of the session's first record, which its controller never gives
  again; in 2.0.1 the controller's id stands before it

Sources: OCPP 1.6 sections 6.45 to 6.50 and 7 (Reason), 2.0.1 part 2 (TransactionEventRequest,
ReasonEnumType, TriggerReasonEnumType) with the JSON schemas of both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.services import audit, cards, ocpp_tokens
from controller_tool.services.charge_sessions import ENDED, LOST, RUNNING, Session
from controller_tool.services.journal_read import UNSET
from controller_tool.services.ocpp_tokens import LOCAL, TOKEN_MAX, V16, Token
from protocol import codes as c
from protocol.constants import EPOCH_2020_UNIX_S
from protocol.names import END_NAMES, REASON_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session as Registry

    from controller_tool.services.site import Site

BEHEADED, UNDATED, BY_TICKET, NOBODY, UNHELD = (
    "beheaded",
    "undated",
    "by_ticket",
    "nobody",
    "unheld",
)
_TICKET = REASON_NAMES[c.REASON_TICKET]
_ENDS = {name: code for code, name in END_NAMES.items()}
_OTHER = "Other"
_REASONS_16 = {
    c.END_UNPLUGGED: "EVDisconnected", c.END_REMOTE: "Remote", c.END_CARD: "Local",
    c.END_POWER_LOSS: "PowerLoss", c.END_REVOKED: "DeAuthorized", c.END_WATCHDOG: "Reboot",
    c.END_EMERGENCY_STOP: "EmergencyStop",
}  # fmt: skip
_REASONS_201 = {
    **_REASONS_16, c.END_QUOTA: "EnergyLimitReached", c.END_FULL: "StoppedByEV",
    c.END_OVER_POWER: "OvercurrentFault", c.END_BALANCE: "LocalOutOfCredit",
    c.END_TIME: "TimeLimitReached", c.END_LEAKAGE: "GroundFault",
}  # fmt: skip
_TRIGGERS = {
    c.END_QUOTA: "EnergyLimitReached", c.END_UNPLUGGED: "EVDeparted",
    c.END_FULL: "ChargingStateChanged", c.END_REMOTE: "RemoteStop", c.END_CARD: "StopAuthorized",
    c.END_TIME: "TimeLimitReached", c.END_REVOKED: "Deauthorized",
}  # fmt: skip
_TIME_LIMIT = "TimeLimitReached"


@dataclass(frozen=True)
class Exported:
    """sessions: how many are in it; left_out: how many are not, by why, of `reasons`."""

    version: str
    sessions: int
    left_out: dict[str, int]
    document: dict[str, Any]


def reasons() -> dict[str, tuple[str, str]]:
    """Why a session is no transaction, and what to do about it."""
    pull_again = t("Export again after the next pull")
    return {
        RUNNING: (t("they have not ended yet"), pull_again),
        LOST: (t("their end was never recorded"),
               t("See them with: journal sessions --state lost")),
        BEHEADED: (t("their beginning is not stored here"), pull_again),
        UNDATED: (t("the charger's clock was not set"),
                  t("Nothing can date these any more; for those to come: device time DEVICE")),
        BY_TICKET: (t("a ticket began them, and OCPP 1.6 wants a token"),
                    t("Give one for them: --ticket-tag TEXT")),
        NOBODY: (t("their cards are not known in this folder"), t("Export at the desk")),
        UNHELD: (t("OCPP cannot hold the numbers of their cards"),
                 t("See them with: journal sessions")),
    }  # fmt: skip


def export(
    site: Site, found: Sequence[Session], version: str, ticket_tag: str | None = None
) -> Exported:
    """The transactions of these sessions; ticket_tag: the token of those that a ticket began."""
    site.require_cards()
    tag = None if ticket_tag is None else _tag(version, ticket_tag)
    make = _pair if version == V16 else _events
    made: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    ids = {device.name: device.id for device in site.devices()}
    site.unlock()
    with site.registry.writing() as registry:
        for one in found:
            token = _token(site, registry, one, version, tag)
            if isinstance(token, str):
                left_out[token] += 1
            else:
                made.append(make(one, token, ids[one.controller]))
        # card numbers leave the registry in the clear
        audit.append(registry, site.operator, "session.export", version=version, sessions=len(made))
    document = {"ocpp": version, "transactions": made}
    return Exported(version, len(made), dict(left_out), document)


def _tag(version: str, text: str) -> Token:
    if not 0 < len(text) <= TOKEN_MAX[version] or not text.isprintable():
        raise OperatorError(
            t("A token of OCPP {version} has 1 to {n} characters that can be printed",
              version=version, n=TOKEN_MAX[version]),
            t("Give another one"),
        )  # fmt: skip
    return Token(text, "" if version == V16 else LOCAL)


def _token(
    site: Site, registry: Registry, one: Session, version: str, tag: Token | None
) -> Token | str:
    """The session's token, or why it is no transaction."""
    if one.state != ENDED:
        return one.state
    if one.start_seq is None:
        return BEHEADED
    if one.clock == UNSET:
        return UNDATED
    if one.by == _TICKET and not one.card:
        return tag or (BY_TICKET if version == V16 else Token("", "NoAuthorization"))
    card = cards.by_ref(registry, one.card) if one.card else None
    if card is None:
        return NOBODY
    return ocpp_tokens.token_of(version, cards.credential_of(site, card)) or UNHELD


def _pair(one: Session, token: Token, _: str) -> dict[str, Any]:
    code = _ENDS.get(one.why)
    start = {
        "connectorId": one.point + 1,
        "idTag": token.text,
        "meterStart": 0,
        "timestamp": _moment(one.began_s),
    }
    stop = {
        "transactionId": one.start_seq,
        "meterStop": one.wh or 0,
        "timestamp": _moment(one.ended_s),
        "reason": _REASONS_16.get(code, _OTHER) if code is not None else _OTHER,
    }
    if code == c.END_CARD:  # the card that began it ended it
        stop["idTag"] = token.text
    return {"chargePoint": one.controller, "StartTransaction": start, "StopTransaction": stop}


def _events(one: Session, token: Token, device_id: str) -> dict[str, Any]:
    code = _ENDS.get(one.why, -1)
    transaction = f"{device_id}-{one.start_seq}"
    reason = _REASONS_201.get(code, _OTHER)
    trigger = _TRIGGERS.get(code, "AbnormalCondition")
    if code == c.END_QUOTA and 0 < one.quota_min <= (one.minutes or 0):
        reason = trigger = _TIME_LIMIT
    is_remote = one.by == _TICKET
    started = {
        "eventType": "Started",
        "triggerReason": "RemoteStart" if is_remote else "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": transaction},
        **_common(one, token, one.began_s),
        "meterValue": _meter(one.began_s, 0, "Transaction.Begin"),
    }
    ended = {
        "eventType": "Ended",
        "triggerReason": trigger,
        "seqNo": 1,
        "transactionInfo": {
            "transactionId": transaction,
            "stoppedReason": reason,
            "timeSpentCharging": 60 * (one.minutes or 0),
        },
        **_common(one, token, one.ended_s),
        "meterValue": _meter(one.ended_s, one.wh or 0, "Transaction.End"),
    }
    return {"chargingStation": one.controller, "TransactionEvent": [started, ended]}


def _common(one: Session, token: Token, time_s: int | None) -> dict[str, Any]:
    return {
        "timestamp": _moment(time_s),
        "offline": True,  # it comes out of a journal
        "evse": {"id": one.point + 1, "connectorId": 1},
        "idToken": {"idToken": token.text, "type": token.kind},
    }


def _meter(time_s: int | None, wh: int, context: str) -> list[dict[str, Any]]:
    value = {
        "value": wh, "context": context, "measurand": "Energy.Active.Import.Register",
        "unitOfMeasure": {"unit": "Wh"},
    }  # fmt: skip
    return [{"timestamp": _moment(time_s), "sampledValue": [value]}]


def _moment(time_s: int | None) -> str:
    moment = datetime.fromtimestamp((time_s or 0) + EPOCH_2020_UNIX_S, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
