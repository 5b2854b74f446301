"""The kinds of record of hzaccess/1 and their columns, docs/hzaccess.md (host, pure).

- things (STATE): what the registry holds now; a change is a new record of the same ``id``
- happenings (RING): what journals hold; a record never changes

A Note is what an acknowledgement writes down, so that the record is not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FORMAT = "hzaccess/1"
_CARD = ("card_ref", "binding_id")  # a reference is one folder's own, an id is nobody else's
_PROOF = ("list_version", "chain_tag", "point")
_THING = ("event_id", "id", "as_of")
COLUMNS = {
    "device": (
        *_THING, "sn", "name", "type", "board", "firmware", "site", "address_code", "house_ids",
        "installer", "enrolled_at", "state", "public_key",
    ),
    "house": (
        *_THING, "ref", "address_code", "address", "type5", "class4", "state", "rooms", "beds",
        "landlord", "grid",
    ),
    "person": (
        *_THING, "doc_type", "doc_no", "name", "sex", "phone", "origin", "in", "out", "state",
    ),
    "binding": (
        *_THING, "card_ref", "person_id", "house_id", "doors", "from", "to", "schedule", "state",
        "reason", "list_version",
    ),
    "heartbeat": (
        *_THING, "time", "firmware", "list_version", "list_behind", "backlog", "door_state",
        "flash_free", "rssi", "clock_offset",
    ),
    "access": (
        "event_id", "time", "clock_quality", "direction", *_CARD, "result", "reason",
        "method", *_PROOF, "count",
    ),
    "alarm": (
        "event_id", "time", "clock_quality", "alarm", "reason", *_CARD, *_PROOF, "extra",
    ),
    "charge_session": (
        "event_id", "device_id", "point", *_CARD, "state", "began", "ended", "clock_quality",
        "minutes", "energy_wh", "begun_by", "end_reason", "quota_min", "quota_wh", "resumed",
        "start_seq", "end_seq",
    ),
    "charge_fault": (
        "event_id", "device_id", "time", "clock_quality", "fault", "reason", *_CARD, *_PROOF,
        "extra",
    ),
}  # fmt: skip
STATE = ("device", "house", "person", "binding", "heartbeat")
RING = ("access", "alarm", "charge_session", "charge_fault")
KINDS = (*STATE[:4], *RING, "heartbeat")  # the order of delivery: what others refer to comes first


@dataclass(frozen=True)
class Thing:
    """A thing as it was sent: its revision at this target, and a keyed digest of its content."""

    id: str
    revision: int
    digest: str


@dataclass(frozen=True)
class Places:
    """Numbers of one ring that were looked at, what was in them or not."""

    device_id: str
    ring: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Once:
    """A record that stands in no ring by itself: its event id."""

    event_id: str


Note = Thing | Places | Once


@dataclass(frozen=True)
class Item:
    """A record to send and what its acknowledgement notes; fields None: there is only to note."""

    kind: str
    note: Note
    fields: dict[str, Any] | None
    device_id: str = ""
    ring: int | None = None
    seq: int = 0

    @property
    def event_id(self) -> str:
        """Its own for good."""
        return "" if self.fields is None else str(self.fields["event_id"])
