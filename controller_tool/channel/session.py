"""Requests and replies on an open channel (host).

Replies come in the order of the requests; two may be under way, which hides the wire's latency
behind the controller's work. A wire error becomes a DeviceError that carries its code and name.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

from controller_tool.channel.stream import ByteStream, Deadline
from controller_tool.errors import DeviceError, LinkError
from controller_tool.messages import name_of, t
from protocol import cbor, framing, messages
from protocol.codes import OK
from protocol.constants import MESSAGE_MAX_BYTES, REQUESTS_IN_FLIGHT
from protocol.names import ERROR_NAMES, OPERATION_NAMES
from protocol.setting_names import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPLY_S = 15.0


class Session:
    """One open channel to one controller."""

    def __init__(self, stream: ByteStream, device_name: str) -> None:
        self._stream = stream
        self._parser = framing.Parser(MESSAGE_MAX_BYTES)
        self._next_id = 0
        self._waiting: deque[tuple[int, int]] = deque()
        self.device_name = device_name

    @property
    def sent_bytes(self) -> int:
        """Bytes put on the wire since it was opened, all layers included."""
        return self._stream.sent_bytes

    @property
    def received_bytes(self) -> int:
        """Bytes taken from the wire since it was opened."""
        return self._stream.received_bytes

    def call(self, op: int, *args: cbor.Value, timeout_s: float = REPLY_S) -> cbor.Value:
        """Asks once and returns the reply's value.

        Raises DeviceError when the controller refuses, LinkError when it does not answer.
        """
        self._ask(op, *args)
        return self._reply(timeout_s)

    def pipeline(
        self, requests: Iterable[tuple[int, list[cbor.Value]]], timeout_s: float = REPLY_S
    ) -> Iterator[tuple[int, cbor.Value]]:
        """Operation and value of many requests, in order, with two of them under way.

        requests: operation and arguments of each, taken as the replies come in. Raises as `call`
        does, for the first that is refused; the one behind it is then heard to its end.
        """
        for op, arguments in requests:
            if len(self._waiting) >= REQUESTS_IN_FLIGHT:
                yield self._piped(timeout_s)
            self._ask(op, *arguments)
        while self._waiting:
            yield self._piped(timeout_s)

    def _piped(self, timeout_s: float) -> tuple[int, cbor.Value]:
        op = self._waiting[0][1]
        try:
            return op, self._reply(timeout_s)
        except DeviceError:
            while self._waiting:
                with contextlib.suppress(DeviceError):
                    self._reply(timeout_s)
            raise

    def close(self) -> None:
        """Ends the session and lets the wire go."""
        self._stream.close()

    def _ask(self, op: int, *args: cbor.Value) -> None:
        self._stream.write(messages.request(self._next_id, op, *args))
        self._waiting.append((self._next_id, op))
        self._next_id = (self._next_id + 1) & 0xFFFF

    def _reply(self, timeout_s: float) -> cbor.Value:
        request_id, op = self._waiting.popleft()
        answered, status, value = self._message(Deadline(timeout_s), op)
        if answered != request_id:
            raise self._unreadable()
        if status != OK:
            raise refusal(self.device_name, op, status, value)
        return value

    def _message(self, deadline: Deadline, op: int) -> tuple[int, int, cbor.Value]:
        while True:
            try:
                message = self._parser.next()
                if message is not None:
                    return messages.parse_reply(message)
            except ValueError as error:
                raise self._unreadable() from error
            if deadline.passed:
                raise LinkError(
                    t("{device} does not answer ({operation})",
                      device=self.device_name, operation=operation_name(op)),
                    t("Run the command again: it goes on where it stopped"),
                )  # fmt: skip
            self._parser.feed(self._stream.read(deadline.left_s))

    def _unreadable(self) -> DeviceError:
        return DeviceError(
            t("{device} sent what cannot be read", device=self.device_name),
            t("Run the command again; if it stays so, update the firmware"),
        )


def operation_name(op: int) -> str:
    """The operation's name in docs/protocol.md, section 6."""
    return OPERATION_NAMES.get(op, str(op))


def refusal(device_name: str, op: int, status: int, setting: cbor.Value = None) -> DeviceError:
    """What a person is told when a controller refuses; setting: the one that it names."""
    name = ERROR_NAMES.get(status, str(status))
    error = t(name)
    number = setting if isinstance(setting, int) else None
    if number is not None:
        known = NAMES.get(number)
        error = f"{name_of('setting', known[0]) if known else number}: {error}"
    return DeviceError(
        t("{device} refused {operation}: {error}",
          device=device_name, operation=operation_name(op), error=error),
        t(_NEXT_STEPS[name]) if name in _NEXT_STEPS else "",
        code=status,
        setting=number,
    )  # fmt: skip


_NEXT_STEPS = {
    "role_not_allowed": "use a site folder whose role may do this",
    "busy": "try again in a few seconds",
    "bad_signature": "the object was not signed by this site's key",
    "unknown_key": "the controller does not trust the key that signed this",
    "version_not_higher": "run `push` again: it signs a higher version",
    "time_needs_signature": "use a site folder that holds the ticket key",
    "over_capacity": "grant fewer cards on this controller",
    "setting_out_of_bounds": "see the bounds with: device config show",
    "not_on_this_board": "leave that setting out: this board has nothing that it is for",
}
