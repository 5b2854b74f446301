"""The city's platform as docs/hzaccess.md has it, over TLS, as bad as servers can be (host).

It keeps one record for each event id. What it does with the next requests is a list of moves; when
there is none left it behaves.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.unit.file_server import HOST, TlsServer

TOKEN = "of-the-platform"


@dataclass(frozen=True)
class Move:
    """What happens to one request. do: name of a method of the handler; value: its argument."""

    do: str
    value: Any = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Platform:
    """stored: lines by event id; arrivals: how often each came; asked: (kind, records, headers) of
    each request; refuses: event id prefixes or a test of the record that are rejected.
    """

    moves: list[Move] = field(default_factory=list)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrivals: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refuses: Any = None
    most: int = 10_000
    port: int = 0
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ca: Path = Path()

    @property
    def address(self) -> str:
        """Where records go."""
        return f"https://{HOST}:{self.port}/hzaccess"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What it has stored of one kind."""
        return [row for row in self.stored.values() if row["_kind"] == kind]

    def take(self, kind: str, body: bytes, most: int | None = None) -> dict[str, Any]:
        """Store what is new; the answer."""
        rows = [json.loads(line) for line in body.splitlines()][:most]
        rejected = []
        with self.lock:
            for row in rows:
                event_id = row["event_id"]
                self.arrivals[event_id] = self.arrivals.get(event_id, 0) + 1
                if self.refuses is not None and self.refuses(kind, row):
                    rejected.append({"event_id": event_id, "reason": "not to our liking"})
                else:
                    self.stored.setdefault(event_id, {**row, "_kind": kind})
        return {"acknowledged": len(rows), "rejected": rejected}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    platform: Platform

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        """As the next move says."""
        platform = self.platform
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Hzaccess-Record"]
        lines = body.splitlines()
        self.close_connection = True
        with platform.lock:
            platform.asked.append((kind, len(lines), dict(self.headers)))
            platform.bodies.append(body)
            move = platform.moves.pop(0) if platform.moves else Move("well")
        digest = base64.b64encode(sha256(body).digest()).decode()
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._say(401, b"{}")
        elif self.headers["Content-Digest"] != f"sha-256=:{digest}:":
            self._say(400, b"{}")
        elif len(lines) > platform.most:
            self._say(413, b"{}")
        else:
            getattr(self, f"_{move.do}")(move, kind, body)

    def _well(self, move: Move, kind: str, body: bytes) -> None:
        """Takes everything. value: only so many records."""
        self._say(200, json.dumps(self.platform.take(kind, body, move.value)).encode())

    def _half(self, move: Move, kind: str, body: bytes) -> None:
        del move
        half = max(1, len(body.splitlines()) // 2)
        self._say(200, json.dumps(self.platform.take(kind, body, half)).encode())

    def _status(self, move: Move, kind: str, body: bytes) -> None:
        """Takes nothing, and says so."""
        del kind, body
        self._say(move.value, b"{}", move.headers)

    def _takes_and_fails(self, move: Move, kind: str, body: bytes) -> None:
        """Has stored everything and answers with an error."""
        self.platform.take(kind, body)
        self._say(move.value, b"oops", move.headers)

    def _says(self, move: Move, kind: str, body: bytes) -> None:
        """Stores everything, and answers with these bytes."""
        self.platform.take(kind, body)
        self._say(200, move.value)

    def _drops(self, move: Move, kind: str, body: bytes) -> None:
        """Hangs up in the middle of the answer. value: whether it has stored what came."""
        answer = self.platform.take(kind, body) if move.value else {}
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text) + 10))
        self.end_headers()
        self.wfile.write(text[: len(text) // 2])

    def _drips(self, move: Move, kind: str, body: bytes) -> None:
        """A byte now and then, for ever."""
        del move
        self.platform.take(kind, body)
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(400):
            self.wfile.write(b" ")
            time.sleep(0.02)

    def _hangs(self, move: Move, kind: str, body: bytes) -> None:
        """Stores everything, and says nothing any more. value: an event that is set then."""
        self.platform.take(kind, body)
        move.value.set()
        time.sleep(20)

    def _silent(self, move: Move, kind: str, body: bytes) -> None:
        """Says nothing for so long, then all is well."""
        time.sleep(move.value)
        self._well(Move("well"), kind, body)

    def _say(self, status: int, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running(folder: Path) -> Iterator[Platform]:
    """A platform that runs while the block does; `context` trusts it and nobody else."""
    platform = Platform()
    server = TlsServer(type("Handler", (_Handler,), {"platform": platform}), folder)
    platform.port, platform.context = server.server_port, server.context
    platform.ca = server.certificate
    with server.running():
        yield platform
