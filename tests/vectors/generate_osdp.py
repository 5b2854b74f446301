"""Captures osdp.json: exchanges of the panel with libosdp as the reader (host).

    python -m tests.vectors.generate_osdp

The panel's nonce is fixed, libosdp's own is not, so each run captures other bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.firmware.osdp_house import NONCE, Beside

KEY = bytes(range(16))
_EXCHANGES = 16
_FIRST_EVENT = 10  # everything else has been said by then


def capture(name: str, key: bytes | None) -> dict[str, object]:
    """One session: greeting, capabilities, what is shown, then a card, keys and tamper."""
    line = Beside(key)
    happens: list[Callable[[], None]] = [
        line.swipe_card,
        lambda: line.reader.press_keys(b"12\r"),
        lambda: line.reader.report_status(1, 0),
    ]
    exchanges, events = [], []
    for turn in range(_EXCHANGES):
        if 0 <= turn - _FIRST_EVENT < len(happens):
            happens[turn - _FIRST_EVENT]()
        answer = line.ask()
        exchanges.append([line.sent.hex(), answer.hex()])
        reply = line.tell(answer)
        if reply:
            data = line.receiver.frame[line.panel.data_at : line.panel.data_end]
            events.append([reply, bytes(data).hex()])
    return {
        "name": name,
        "key": key.hex() if key else None,
        "nonce": NONCE.hex(),
        "exchanges": exchanges,
        "events": events,
        "trouble": line.panel.trouble,
    }


if __name__ == "__main__":
    sessions = [capture("plain", None), capture("secure channel", KEY)]
    target = Path(__file__).with_name("osdp.json")
    target.write_text(json.dumps(sessions, indent=1) + "\n", "utf-8")
