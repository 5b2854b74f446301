"""libosdp as readers on a pseudo terminal, our driver in MicroPython at its other end (host)."""

from __future__ import annotations

import os
import pty
import queue
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import osdp

from controller_tool.sim.micropython import find
from protocol.osdp import FRAME_MAX_BYTES
from protocol.osdp_frame import Receiver
from protocol.osdp_panel import Panel
from tests.both.block_cipher import aes

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60  # of a test for something that must happen; a busy machine is slow
NONCE = bytes(range(0xA0, 0xA8))
_LEAD = b"\xff"
_REFRESH_S = 0.002


class Wire(osdp.Channel):  # type: ignore[misc]  # published without types
    """One reader's ear and mouth. Its answers pass through `change` on their way."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self.heard = b""
        self.answers: list[bytes] = []
        self.change: Callable[[bytes], bytes] = lambda answer: answer
        self._send = send

    def read(self, max_bytes: int) -> bytes:
        data, self.heard = self.heard[:max_bytes], self.heard[max_bytes:]
        return data

    def write(self, buf: bytes) -> int:
        frame = bytes(buf).removeprefix(_LEAD)  # it leads in where the panel does
        self.answers.append(frame)
        changed = self.change(frame)
        if changed:
            self._send(_LEAD + changed)
        return len(buf)

    def flush(self) -> None:
        return None


class Reader:
    """One libosdp peripheral device; without power until `start`."""

    def __init__(self, wire: Wire, address: int, key: bytes | None, *, install: bool) -> None:
        self.wire = wire
        self.commands: list[dict[str, Any]] = []
        self.said: list[bytes] = []
        self._address = address
        self.key = key
        self._install = install
        self._lock = threading.Lock()
        self._device: Any = None

    def start(self) -> None:
        """Power on: it knows nothing of a session."""
        flags = [] if self.key is None else [osdp.LibFlag.EnforceSecure]
        if self._install:
            flags = [osdp.LibFlag.InstallMode]
        info = osdp.PDInfo(self._address, self.wire, scbk=self.key, flags=flags)
        capabilities = osdp.PDCapabilities([(code, 1, 1) for code in (4, 5, 6, 9)])
        with self._lock:
            self.wire.heard = b""
            self._device = osdp.PeripheralDevice(
                info,
                capabilities,
                log_level=osdp.LogLevel.Emergency,
                command_handler=self._command,
            ).ctx

    def stop(self) -> None:
        """Power off."""
        with self._lock:
            self._device = None

    def _command(self, command: dict[str, Any]) -> tuple[int, Any]:
        self.commands.append(command)
        if command["command"] == osdp.Command.Keyset:
            self.key, self._install = command["data"], False
        return 0, None

    def refresh(self, heard: bytes) -> None:
        with self._lock:
            if self._device is not None:
                self.wire.heard += heard
                self._device.refresh()

    def submit(self, **event: Any) -> None:
        with self._lock:
            self._device.submit_event(event)

    def swipe_card(self, bits: str, card_format: int = osdp.CardFormat.Wiegand) -> None:
        """Bits as a text of 0 and 1."""
        padded = bits + "0" * (-len(bits) % 8)
        data = int(padded, 2).to_bytes(len(padded) // 8, "big")
        self.submit(
            event=osdp.Event.CardRead,
            reader_no=0,
            direction=0,
            format=card_format,
            length=len(bits),
            data=data,
        )

    def press_keys(self, keys: bytes) -> None:
        self.submit(event=osdp.Event.KeyPress, reader_no=0, data=keys)

    def report_status(self, tamper: int, power: int) -> None:
        report = bytes((tamper, power))
        self.submit(event=osdp.Event.Status, type=osdp.StatusReportType.Local, report=report)

    def is_secured(self) -> bool:
        with self._lock:
            return bool(self._device.is_sc_active())


class Beside:
    """A panel and one libosdp reader in the same process, without a line between them."""

    def __init__(self, key: bytes | None) -> None:
        self.wire = Wire(lambda _: None)
        self.reader = Reader(self.wire, 5, key, install=False)
        self.reader.start()
        self.panel = Panel(5, key, 9600, False, aes, lambda count: NONCE[:count])
        self.sent = b""
        self.receiver = Receiver()
        self._out = bytearray(FRAME_MAX_BYTES)

    def ask(self) -> bytes:
        """libosdp's answer to the panel's next command."""
        self.sent = bytes(self._out[: self.panel.compose(self._out)])
        self.wire.answers.clear()
        self.reader.refresh(self.sent)
        return b"".join(self.wire.answers)

    def tell(self, answer: bytes) -> int:
        """What the panel believes of an answer: a card, a key, or nothing (0)."""
        self.receiver.clear()
        length = self.receiver.take(answer, len(answer))
        if length > 0:
            return self.panel.receive(self.receiver.frame, length)
        self.panel.unanswered()
        return 0

    def run(self, exchanges: int) -> None:
        for _ in range(exchanges):
            self.tell(self.ask())

    def swipe_card(self) -> None:
        self.reader.swipe_card("00110011100011110000111111")


class House:
    """Readers by number, and what the panel says of them."""

    def __init__(self, readers: list[Reader], process: subprocess.Popen[str]) -> None:
        self.readers = readers
        self.said: list[str] = []
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def end(self) -> None:
        """Stop the panel."""
        process = self._process
        process.kill()
        process.wait()
        self._listener.join(5)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()

    def tell(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def expect(self, *wanted: str) -> None:
        """Wait until the panel has said lines that begin so, in whatever order."""
        end = time.monotonic() + PATIENCE_S
        missing = list(wanted)
        said = []
        while missing and (left := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            said.append(line)
            missing = [start for start in missing if not line.startswith(start)]
        self.said += said
        assert not missing, f"not said: {missing}; but:\n" + "\n".join(said[-20:])

    def cards(self) -> list[str]:
        """All cards and keys that it said until now."""
        while True:
            try:
                self.said.append(self._lines.get_nowait())
            except queue.Empty:
                return [line for line in self.said if line.startswith(("card", "key"))]

    def wait(self, what: Callable[[], object]) -> None:
        """Until `what` is so."""
        end = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.01)


@contextmanager
def house(
    *keys: bytes | None,
    reader_keys: list[bytes | None] | None = None,
    install: bool = False,
    chinese: bool = False,
    on: bool = True,
) -> Iterator[House]:
    """As many readers as keys, addresses 3 and up; `reader_keys`: what they themselves know."""
    outside, inside = pty.openpty()
    tty.setraw(outside)
    tty.setraw(inside)
    os.set_blocking(inside, False)
    os.set_blocking(outside, False)
    send_lock = threading.Lock()

    def send(data: bytes) -> None:
        with send_lock:
            os.write(outside, data)

    known = list(keys) if reader_keys is None else reader_keys
    readers = [
        Reader(Wire(send), 3 + number, key, install=install) for number, key in enumerate(known)
    ]
    names = [f"{3 + number}:{key.hex() if key else ''}" for number, key in enumerate(keys)]
    script = str(Path(__file__).with_name("osdp_wire.py"))
    arguments = [script, str(inside), "9600", str(int(chinese)), *names]
    command = find().argv(*arguments, esp32_heap_bytes=256 * 1024)
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(inside,),
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
    )
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            try:
                heard = os.read(outside, 256)
            except (BlockingIOError, OSError):
                heard = b""
            for reader in readers:
                reader.refresh(heard)
            time.sleep(_REFRESH_S)

    line = threading.Thread(target=run, daemon=True)
    panel = House(readers, process)
    try:
        if on:
            for reader in readers:
                reader.start()
        line.start()
        yield panel
    finally:
        stopped.set()
        line.join(5)
        panel.end()
        os.close(inside)
        os.close(outside)
