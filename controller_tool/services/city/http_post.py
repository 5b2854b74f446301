"""One POST to a platform: bounded in time and bytes, TLS verified, no redirect followed (host).

http.client follows nothing by itself and bounds lines and number of an answer's headers; the time
that a whole answer may take is bounded by a timer that cuts the connection.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase
from controller_tool.messages import t
from controller_tool.rules.delivery import ANSWER_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from controller_tool.rules.endpoint import Endpoint

TOKEN_VARIABLE = "CONTROLLER_TOOL_PLATFORM_TOKEN"  # noqa: S105 - the name of it
SILENCE_S = 30.0
ANSWER_S = 120.0
_TOKEN_MAX = 4096


class Unreachable(Exception):
    """No answer, or one that broke off: whether the platform took anything is not known."""


@dataclass(frozen=True)
class Answer:
    """body: at most one byte more than an answer may have."""

    status: int
    body: bytes
    retry_after: str | None


@dataclass
class Poster:
    """Sends to one endpoint. silence_s: how long it may say nothing; answer_s: take in all."""

    endpoint: Endpoint
    token: str = field(repr=False)
    context: ssl.SSLContext | None = None
    silence_s: float = SILENCE_S
    answer_s: float = ANSWER_S

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What the platform answers; raises Unreachable."""
        connection = self._connection()
        told = {**headers, "Authorization": f"Bearer {self.token}"}
        try:
            connection.connect()
            # http.client forgets its socket once an answer says that it is the last
            with _ends_after(connection.sock, self.answer_s):
                connection.request("POST", self.endpoint.path, body, told)
                response = connection.getresponse()
                read = response.read(ANSWER_MAX_BYTES + 1)
                return Answer(response.status, read, response.getheader("Retry-After"))
        except ssl.SSLCertVerificationError as error:
            # nobody mends that by waiting, and nothing was sent
            raise OperatorError(
                t("{host} does not prove who it is ({error})", host=self.endpoint.host,
                  error=error.verify_message),
                t("Compare the address; give the platform's own authority with --ca FILE"),
            ) from None  # fmt: skip
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(_said(error)) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.endpoint.host, self.endpoint.port
        if not self.endpoint.secure:
            return http.client.HTTPConnection(host, port, timeout=self.silence_s)
        context = self.context or ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self.silence_s, context=context)


@contextlib.contextmanager
def _ends_after(sock: socket.socket, most_s: float) -> Iterator[None]:
    def cut() -> None:
        with contextlib.suppress(OSError):
            # below TLS: whoever reads at this moment sees the end
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(most_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _said(error: Exception) -> str:
    """Why, without what was sent."""
    if isinstance(error, TimeoutError):
        return t("no answer in time")
    strerror = getattr(error, "strerror", None)
    return str(strerror or type(error).__name__)


def find_token(host: str) -> str:
    """The token for a platform, from the variable or the system keyring; OperatorError if none.

    It is kept nowhere else and shown nowhere.
    """
    found = os.environ.get(TOKEN_VARIABLE) or passphrase.from_keyring(f"platform {host}") or ""
    if not found:
        raise OperatorError(
            t("No token for {host} was given", host=host),
            t('Set {variable}, or: keyring set controller-tool "platform {host}"',
              variable=TOKEN_VARIABLE, host=host),
        )  # fmt: skip
    if len(found) > _TOKEN_MAX or not found.isascii() or not found.isprintable() or " " in found:
        raise OperatorError(
            t("The token for {host} has characters that no token has", host=host),
            t("Copy it again, without line ends or blanks"),
        )
    return found


def trusting(path: Path | None) -> ssl.SSLContext:
    """TLS that believes the system's authorities, or one of its own alone; OperatorError."""
    try:
        return ssl.create_default_context(cafile=None if path is None else str(path))
    except (OSError, ssl.SSLError):
        raise OperatorError(
            t("{path} is no certificate of an authority", path=path),
            t("Ask the platform for it as a PEM file"),
        ) from None
