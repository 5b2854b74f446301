"""Rules of delivery to a platform: batches, pauses, what an answer means (host, pure).

An answer means, in the order in which it is judged:

- 2xx with the JSON of docs/hzaccess.md: as many records from the batch's beginning as it
  acknowledges are taken or rejected for good; none is as if nothing had come
- 2xx with anything else, 408, 425, 429 and 5xx: the same again, after a pause
- 413 and 422: the batch is halved; a single record that is refused so is rejected
- 3xx: never followed, for it would carry the token away
- everything else: a person has to mend it
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Sequence

PAUSE_MIN_S, PAUSE_MAX_S = 1.0, 300.0
RECORDS_MAX, BYTES_MAX = 500, 1 << 20  # of a batch; one record alone may be longer
ANSWER_MAX_BYTES = 1 << 20
REASON_MAX = 200

TAKEN, AGAIN, SMALLER, STOP = "taken", "again", "smaller", "stop"
_SUCCESS, _THEIR_FAULT = 2, 5  # hundreds
_LATER = (408, 425, 429)
_TOO_MUCH = (413, 422)
_DOUBLINGS_MAX = 9  # 2^9 s is beyond the longest pause


@dataclass(frozen=True)
class Verdict:
    """What an answer means: TAKEN, AGAIN, SMALLER or STOP, and why.

    acknowledged: records from the batch's beginning that need not be sent again; rejected: event
    ids among them that the platform refuses, each with its reason.
    """

    kind: str
    why: str = ""
    acknowledged: int = 0
    rejected: tuple[tuple[str, str], ...] = ()


def pause_s(failures: int, chance: float, asked_s: float | None = None) -> float:
    """Seconds to wait after so many failures in a row, 1 at least.

    chance: 0 to 1, drawn anew each time, so that many senders do not come back all at once;
    asked_s: what the platform asked for, honoured within the same bounds.
    """
    most_s = min(PAUSE_MAX_S, 2.0 ** min(failures, _DOUBLINGS_MAX))
    own_s = most_s / 2 + chance * most_s / 2
    return min(PAUSE_MAX_S, max(PAUSE_MIN_S, own_s, asked_s or 0.0))


def retry_after_s(text: str | None, now_unix_s: float) -> float | None:
    """A Retry-After header (RFC 9110 section 10.2.3) in seconds from now; None for nonsense."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now_unix_s)


def fits(records: int, size_bytes: int, more_bytes: int) -> bool:
    """Whether one more record goes into a batch; the first always does."""
    return not records or (records < RECORDS_MAX and size_bytes + more_bytes <= BYTES_MAX)


def judge(status: int, body: bytes, event_ids: Sequence[str]) -> Verdict:
    """What the answer to a batch of these records means."""
    named = t("it answered {status}", status=status)
    if status // 100 == _SUCCESS:
        return _taken(body, event_ids)
    if status in _LATER or status // 100 == _THEIR_FAULT:
        return Verdict(AGAIN, named)
    if status in _TOO_MUCH:
        return Verdict(SMALLER, named)
    return Verdict(STOP, named)


def _taken(body: bytes, event_ids: Sequence[str]) -> Verdict:
    garbage = Verdict(AGAIN, t("its answer makes no sense"))
    if len(body) > ANSWER_MAX_BYTES:
        return garbage
    try:
        said = json.loads(body)
        count, rejected = said["acknowledged"], said.get("rejected", [])
        named = tuple((one["event_id"], _reason(one.get("reason"))) for one in rejected)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return garbage
    if type(count) is not int or not 0 <= count <= len(event_ids):
        return garbage
    if not {event_id for event_id, _ in named if isinstance(event_id, str)} <= set(
        event_ids[:count]
    ) or not all(isinstance(event_id, str) for event_id, _ in named):
        return garbage
    if not count:
        return Verdict(AGAIN, t("it acknowledged nothing"))
    return Verdict(TAKEN, "", count, named)


def _reason(said: Any) -> str:
    """What a platform gives as its reason, as a screen can show it."""
    text = "".join(c if c.isprintable() else " " for c in str(said or ""))
    return text[:REASON_MAX].strip()
