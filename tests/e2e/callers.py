"""Peers made for one call each, right or wrong in one thing, and what a journal says (host).

A holder of a link key gets six handshakes a minute; a test that shared the site's own peer with
the others would wait for them.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from controller_tool.channel.address import Address, parse
from controller_tool.channel.dial import Identity, open_session
from controller_tool.client import Client
from controller_tool.keys import certificates
from controller_tool.keys.files import peer_id, save_key
from controller_tool.services.peers import PEER_CA
from controller_tool.services.site import ROLE_CODES
from protocol import preface, records
from protocol.constants import RECORD_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site

_PASSWORD = "of a peer that calls once"


class Callers:
    """Makes peers of one site in a folder of the test."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self._folder = folder
        self._numbers = itertools.count()

    def address(self, name: str, via: str = "wifi") -> Address:
        """Where the controller answers: "wifi" or "serial"."""
        device = self.site.device(name)
        text = device.tcp_address if via == "wifi" else device.serial_address
        assert text, f"{name} has no address by {via}"
        return parse(text, self.site.path / "sim")

    def identity(self, name: str, role: str = "desk", *, strange: bool = False) -> Identity:
        """A new peer of the site; ``strange``: its certificate is another authority's."""
        device = self.site.device(name)
        ca_key, ca = self.site.ec_key(PEER_CA), self.site.certificate(PEER_CA)
        if strange:
            ca_key, ca = certificates.issue_ca("strangers")
        key, certificate = certificates.issue_peer_certificate(ca_key, ca, ROLE_CODES[role])
        file = self._folder / f"{next(self._numbers)}.pem"
        save_key(file, key, _PASSWORD)
        file.with_suffix(".crt").write_bytes(certificates.certificate_pem(certificate))
        mine = peer_id(key.public_key())
        return Identity(
            role=ROLE_CODES[role],
            peer_id=mine,
            peer_key=self.link_key(name, ROLE_CODES[role], mine),
            cert_path=file.with_suffix(".crt"),
            key_path=file,
            password=_PASSWORD,
            device_id=device.id_bytes,
            device_name=name,
            pinned_der=self.site.pinned_certificate(device),
        )

    def link_key(self, name: str, role: int, peer: bytes) -> bytes:
        """What the preface is keyed with."""
        return preface.peer_key(self.site.link_secret(self.site.device(name)), role, peer)

    def call(self, name: str, role: str = "desk", via: str = "wifi", **wrong: Any) -> Client:
        """A session of a new peer; ``wrong`` replaces fields of its identity."""
        who = dataclasses.replace(self.identity(name, role), **wrong)
        return Client(open_session(self.address(name, via), who))


def events(client: Client, ring: int, first: int = 0) -> list[records.Record]:
    """The ring's records from sequence number ``first`` on."""
    head = client.head(ring)
    pages = b"".join(client.records(ring, [(max(first, head.oldest_seq), head.next_seq)]))
    return [records.unpack(pages[at : at + 32]) for at in range(0, len(pages), RECORD_BYTES)]
