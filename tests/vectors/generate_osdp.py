"""Captures osdp.json: exchanges of the panel with libosdp as the reader (host).

    python -m tests.vectors.generate_osdp

The panel's nonce is fixed, libosdp's own is not, so each run captures other bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

import osdp

from protocol.osdp_frame import Receiver
from protocol.osdp_panel import Panel
from tests.both.block_cipher import aes

NONCE = bytes(range(0xA0, 0xA8))
KEY = bytes(range(16))


class Wire(osdp.Channel):
    """What the panel said, and what the reader answered."""

    def __init__(self) -> None:
        super().__init__()
        self.said = self.answer = b""

    def read(self, max_bytes: int) -> bytes:
        data, self.said = self.said[:max_bytes], self.said[max_bytes:]
        return data

    def write(self, buf: bytes) -> int:
        self.answer += bytes(buf)
        return len(buf)

    def flush(self) -> None:
        return None


EVENTS = [
    {
        "event": osdp.Event.CardRead,
        "reader_no": 0,
        "direction": 0,
        "format": osdp.CardFormat.Wiegand,
        "length": 26,
        "data": bytes.fromhex("8123ab40"),
    },
    {"event": osdp.Event.KeyPress, "reader_no": 0, "data": b"12\x0d"},
    {
        "event": osdp.Event.Status,
        "type": osdp.StatusReportType.Local,
        "report": b"\x01\x00",
    },
]


def capture(name: str, key: bytes | None) -> dict[str, object]:
    """One session: greeting, capabilities, what is shown, then three events."""
    wire = Wire()
    capabilities = osdp.PDCapabilities([(code, 1, 1) for code in (4, 5, 6, 9)])
    info = osdp.PDInfo(5, wire, scbk=key, flags=[osdp.LibFlag.EnforceSecure] if key else [])
    reader = osdp.PeripheralDevice(info, capabilities, log_level=osdp.LogLevel.Emergency)
    panel = Panel(5, key, 9600, False, aes, lambda _: NONCE)
    receiver, out = Receiver(), bytearray(128)
    exchanges, events = [], []
    for turn in range(16):
        if 10 <= turn < 13:
            reader.ctx.submit_event(EVENTS[turn - 10])
        length = panel.compose(out)
        wire.said, wire.answer = bytes(out[:length]), b""
        reader.ctx.refresh()
        exchanges.append([wire.said.hex() or bytes(out[:length]).hex(), wire.answer.hex()])
        receiver.clear()
        reply = panel.receive(receiver.frame, receiver.take(wire.answer, len(wire.answer)))
        if reply:
            events.append([reply, bytes(receiver.frame[panel.data_at : panel.data_end]).hex()])
    return {
        "name": name,
        "key": key.hex() if key else None,
        "nonce": NONCE.hex(),
        "exchanges": exchanges,
        "events": events,
        "trouble": panel.trouble,
    }


if __name__ == "__main__":
    sessions = [capture("plain", None), capture("secure channel", KEY)]
    target = Path(__file__).with_name("osdp.json")
    target.write_text(json.dumps(sessions, indent=1) + "\n", "utf-8")
