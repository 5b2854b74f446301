"""A controller's list engine in a MicroPython process that lives through many histories (host)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from controller_tool.keys.files import new_rsa_keys
from controller_tool.keys.signing import Signer
from controller_tool.sim.micropython import find
from protocol import codes as c
from protocol import cose, deltas, manifest
from protocol.card_digest import digest
from protocol.constants import AAD_MANIFEST, CARD_RECORD_BYTES

ROOT = Path(__file__).resolve().parents[2]
RIG = Path(__file__).with_name("history_rig.py")
HEAP_BYTES = 2 * 1024 * 1024  # the chips and uncompiled source are in it
MARK = "\x01"
PROFILES = (1, 2, 3)
REFRESH_S = 86400
_STARTED_S = 240_000_000


class Crash(AssertionError):
    """The firmware raised what none of its callers expects."""


@dataclass(frozen=True)
class Offered:
    """One signed list as it goes over the wire, and the records that it signs."""

    version: int
    envelope: bytes
    payload: bytes
    records: bytes
    issued_at_s: int = 0


class HistoryBoard:
    """The process; close() ends it."""

    def __init__(self) -> None:
        self.rsa = True  # else a digest stands in: RSA is about half of the time
        keys = new_rsa_keys(2)
        self.signer, self.stranger = (Signer.of(key) for key in keys)
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
        command = find().argv(str(RIG), esp32_heap_bytes=HEAP_BYTES)
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        hello = self._exchange(self.signer.modulus.hex())
        self.site, self.device = hello["site"].encode(), hello["device"].encode()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        self.errors.close()

    def _exchange(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        for answer in self.process.stdout:
            if answer.startswith(MARK):
                reply: dict[str, Any] = json.loads(answer[1:])
                return reply
        raise RuntimeError(f"MicroPython ended: {self._said()}")

    def _said(self) -> str:
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def do(self, act: str, ask: list[str], **how: Any) -> dict[str, Any]:
        """One step and what is seen after it; raises Crash."""
        told = {name: value for name, value in how.items() if value is not None}
        reply = self._exchange(json.dumps({"do": act, "ask": ask, **told}))
        if "crash" in reply:
            raise Crash(f"{reply['crash']}\n{self._said()}")
        return reply

    # --- what an office signs -----------------------------------------------------------------

    def draft(self, version: int, records: bytes, payload: bytes, now_s: int) -> manifest.Manifest:
        """A full list's manifest; whoever wants another one changes it before it is signed."""
        m = manifest.Manifest()
        m.site, m.device, m.epoch, m.version = self.site, self.device, 1, version
        m.kind, m.base_version, m.base_digest = c.LIST_FULL, 0, b""
        m.result_digest, m.count = digest(records), len(records) // CARD_RECORD_BYTES
        m.payload_bytes, m.payload_sha256 = len(payload), sha256(payload).digest()
        m.issued_at_s, m.refresh_by_s = _STARTED_S + now_s, _STARTED_S + now_s + REFRESH_S
        m.profiles = [(number, 1, 0, 50, 0, 0, 0, 0, 0) for number in PROFILES]
        m.schedules, m.policy, m.utc_offsets, m.holidays = [], (0, 0), [], []
        m.trust_version, m.audit_head = 1, bytes(32)
        return m

    def delta(
        self, version: int, base: int, old: bytes, new: bytes, now_s: int
    ) -> tuple[manifest.Manifest, bytes]:
        """An honest delta's manifest and payload."""
        payload = deltas.between(old, new)
        m = self.draft(version, new, payload, now_s)
        m.kind, m.base_version, m.base_digest = c.LIST_DELTA, base, digest(old)
        return m, payload

    def signed(
        self, m: manifest.Manifest, payload: bytes, records: bytes, signer: Signer | None = None
    ) -> Offered:
        """By the site's key unless another is given; without `rsa` as list_rig.Verifier wants."""
        signer = signer or self.signer
        sign = signer.sign if self.rsa else lambda data: sha256(data).digest() * 12
        envelope = cose.build(signer.kid, manifest.encode(m), AAD_MANIFEST, sign)
        return Offered(m.version, envelope, payload, records, m.issued_at_s)
