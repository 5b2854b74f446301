"""Which addresses of a platform records may be sent to (host, pure).

- https, with a host; http only to this computer itself, for tests
- no user, password, query or fragment: an address is kept and shown, a secret must not be in it
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from controller_tool.messages import t
from controller_tool.rules.refusal import Refusal

TARGET_MAX = 128


@dataclass(frozen=True)
class Endpoint:
    """Where to send: target is the address as the registry keeps it."""

    secure: bool
    host: str
    port: int
    path: str
    target: str


def parse(address: str) -> Endpoint | Refusal:
    """The endpoint of an address, or why it is none."""
    bad = Refusal(
        "endpoint",
        t("{address} is no address to send to", address=address[:TARGET_MAX]),
        t("Write it as https://platform.example/hzaccess, without user, ? or #"),
    )
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return bad
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or not address.isascii():
        return bad
    if "@" in parts.netloc or "?" in address or "#" in address or not address.isprintable():
        return bad
    if parts.scheme == "http" and not _is_here(host):
        return Refusal(
            "endpoint",
            t("{address} is not encrypted", address=address[:TARGET_MAX]),
            t("Use its https address; http goes to this computer alone"),
        )
    path = parts.path or "/"
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    named = f"[{host}]" if ":" in host else host
    target = f"{parts.scheme}://{named}:{port}{path}"
    if len(target) > TARGET_MAX or " " in path:
        return bad
    return Endpoint(secure, host, port, path, target)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
