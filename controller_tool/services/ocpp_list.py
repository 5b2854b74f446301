"""OCPP local authorization lists as JSON: the payload of SendLocalList, 1.6 and 2.0.1 (host).

Reading judges each field by itself and names every wrong one. Of an entry's information only
status and expiry are kept; groups, languages and messages are read over. An entry that counts on
some outlets only is refused, for here it would count on all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controller_tool.messages import t
from controller_tool.services.desk.sheet_cells import Fault
from controller_tool.services.ocpp_tokens import TOKEN_MAX, TOKEN_TYPES, V16, V201, Token
from protocol.constants import EPOCH_2020_UNIX_S, TIME_END_MIN

ACCEPTED, BLOCKED, EXPIRED = "Accepted", "Blocked", "Expired"
INVALID, CONCURRENT = "Invalid", "ConcurrentTx"
NOT_NOW, UNKNOWN = "NotAtThisTime", "Unknown"
STATUSES: dict[str, tuple[str, ...]] = {V16: (ACCEPTED, BLOCKED, EXPIRED, INVALID, CONCURRENT)}
STATUSES[V201] = (
    *STATUSES[V16], "NoCredit", "NotAllowedTypeEVSE", "NotAtThisLocation", NOT_NOW, UNKNOWN
)  # fmt: skip
FULL, DIFFERENTIAL = "Full", "Differential"
_ENTRIES = "localAuthorizationList"
_UPDATE = "updateType"
_INTEGER_MAX = 2**31 - 1


@dataclass(frozen=True)
class _Names:
    """How one version calls the fields that differ."""

    number: str
    token: str
    info: str
    expiry: str
    read_over: tuple[str, ...] = ()


_NAMES = {
    V16: _Names("listVersion", "idTag", "idTagInfo", "expiryDate", ("parentIdTag",)),
    V201: _Names(
        "versionNumber", "idToken", "idTokenInfo", "cacheExpiryDateTime",
        ("groupIdToken", "language1", "language2", "personalMessage", "chargingPriority",
         "customData"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """status: None takes the token off the list; until_min: first minute in which it is over."""

    token: Token
    status: str | None
    until_min: int | None = None


@dataclass(frozen=True)
class LocalList:
    """One list. number: its version; full: it replaces what a charger has."""

    version: str
    number: int
    full: bool
    entries: tuple[Entry, ...]


def dump(made: LocalList) -> dict[str, Any]:
    """The message's payload as JSON takes it."""
    names = _NAMES[made.version]
    payload = {names.number: made.number, _UPDATE: FULL if made.full else DIFFERENTIAL}
    if made.entries:  # 2.0.1 knows no empty array: a full list without one empties the charger's
        payload[_ENTRIES] = [_dump(made.version, names, entry) for entry in made.entries]
    return payload


def load(data: object) -> tuple[LocalList | None, list[Fault]]:
    """The list and no faults, or None and every fault; a fault's row is the entry's number."""
    if not isinstance(data, dict):
        return None, [Fault(0, _ENTRIES, t("not a local list of OCPP 1.6 or 2.0.1"))]
    version = next((v for v, names in _NAMES.items() if names.number in data), None)
    if version is None:
        return None, [Fault(0, _ENTRIES, t("not a local list of OCPP 1.6 or 2.0.1"))]
    reader = _Reader(version)
    found = reader.read(data)
    return (None, reader.faults) if reader.faults else (found, [])


def _dump(version: str, names: _Names, entry: Entry) -> dict[str, Any]:
    text = entry.token.text
    token = text if version == V16 else {"idToken": text, "type": entry.token.kind}
    if entry.status is None:
        return {names.token: token}
    info = {"status": entry.status}
    if entry.until_min is not None:
        moment = datetime.fromtimestamp(entry.until_min * 60 + EPOCH_2020_UNIX_S, tz=UTC)
        info[names.expiry] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {names.token: token, names.info: info}


class _Reader:
    """Takes a payload apart and keeps what is wrong with it."""

    def __init__(self, version: str) -> None:
        self.faults: list[Fault] = []
        self._version = version
        self._names = _NAMES[version]
        self._row = 0

    def read(self, data: dict[str, Any]) -> LocalList:
        self._known(data, (self._names.number, _UPDATE, _ENTRIES, "customData"))
        number, update = data[self._names.number], data.get(_UPDATE)
        if type(number) is not int or not 0 <= number <= _INTEGER_MAX:
            self._wrong(self._names.number, t("not a whole number"))
        if update not in (FULL, DIFFERENTIAL):
            self._wrong(_UPDATE, t("neither Full nor Differential"))
        rows = data.get(_ENTRIES, [])
        if not isinstance(rows, list):
            self._wrong(_ENTRIES, t("not a list"))
            rows = []
        entries = []
        for self._row, row in enumerate(rows, 1):
            entry = self._entry(row, full=update == FULL)
            if entry is not None:
                entries.append(entry)
        return LocalList(self._version, number, update == FULL, tuple(entries))

    def _entry(self, row: object, full: bool) -> Entry | None:
        if not isinstance(row, dict):
            self._wrong(_ENTRIES, t("not an entry"))
            return None
        names = self._names
        self._known(row, (names.token, names.info, *names.read_over))
        token = self._token(row.get(names.token))
        info = row.get(names.info)
        if info is None:
            if full:
                self._wrong(names.info, t("missing, which only a Differential list may"))
            return Entry(token, None) if token else None
        if not isinstance(info, dict):
            self._wrong(names.info, t("not an entry"))
            return None
        self._known(info, ("status", names.expiry, "evseId", *names.read_over))
        if "evseId" in info:
            self._wrong("evseId", t("counts on some outlets only, which cannot be kept here"))
        status = info.get("status")
        if status not in STATUSES[self._version]:
            self._wrong("status", t("unknown status"))
        until_min = self._expiry(info.get(names.expiry))
        return Entry(token, str(status), until_min) if token else None

    def _token(self, value: object) -> Token | None:
        kind: object = ""
        if self._version == V201:
            fields = value if isinstance(value, dict) else {}
            self._known(fields, ("idToken", "type", "additionalInfo", "customData"))
            value, kind = fields.get("idToken"), fields.get("type")
            if kind not in TOKEN_TYPES:
                self._wrong("type", t("unknown type"))
                return None
        longest = TOKEN_MAX[self._version]
        if not isinstance(value, str) or not value:
            self._wrong(self._names.token, t("empty"))
        elif len(value) > longest or not value.isprintable():
            self._wrong(
                self._names.token, t("longer than {n} characters, or unprintable", n=longest)
            )
        else:
            return Token(value, str(kind))
        return None

    def _expiry(self, value: object) -> int | None:
        """Minutes since 2020; seconds are cut, so that nothing counts longer than it should."""
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            what = t("not a date with its offset, such as 2026-03-31T16:00:00Z")
            self._wrong(self._names.expiry, what)
            return None
        minute = (int(moment.timestamp()) - EPOCH_2020_UNIX_S) // 60
        return max(0, min(minute, TIME_END_MIN))

    def _known(self, row: dict[str, Any], fields: tuple[str, ...]) -> None:
        for name in row:
            if name not in fields:
                self._wrong(str(name), t("unknown field"))

    def _wrong(self, field: str, what: str) -> None:
        self.faults.append(Fault(self._row, field, what))
