"""Who a peer is, from its certificate: a strict walk over the DER, never a search (both).

TLS has verified the certificate against the peer CA before; this finds the one extension that
names role and peer id (docs/protocol.md section 8) and refuses whatever is not laid out as our
own certificates are.
"""

from hashlib import sha256

from protocol.codes import ERR_MALFORMED
from protocol.constants import ID_BYTES
from protocol.messages import Refused

_INTEGER = 0x02
_OCTET_STRING = 0x04
_OID = 0x06
_SEQUENCE = 0x30
_VERSION = 0xA0
_EXTENSIONS = 0xA3
_BOOLEAN = 0x01

_PEER_IDENTITY = b"\x2b\x06\x01\x04\x01\x83\xd4\x5f\xba\x13\x01"  # 1.3.6.1.4.1.59999.7443.1
_VALUE_HEAD = bytes((_OCTET_STRING, 1 + ID_BYTES))


class _Walk:
    """Items of one container, in their order."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def item(self, tag: int) -> "tuple[int, int]":
        """(start, end) of the content of the next item, which must have this tag."""
        if self.more() != tag:
            raise Refused(ERR_MALFORMED)
        length, at = self._length(self.at + 1)
        if length > self.end - at:
            raise Refused(ERR_MALFORMED)
        self.at = at + length
        return at, self.at

    def _length(self, at: int) -> "tuple[int, int]":
        """DER's shortest form, at most two bytes; (length, where the content starts)."""
        head = self.data[at : min(at + 3, self.end)]
        if len(head) > 0 and head[0] < 0x80:
            return head[0], at + 1
        if len(head) > 1 and head[0] == 0x81 and head[1] >= 0x80:
            return head[1], at + 2
        if len(head) > 2 and head[0] == 0x82 and head[1]:
            return head[1] << 8 | head[2], at + 3
        raise Refused(ERR_MALFORMED)

    def inside(self, tag: int) -> "_Walk":
        """Walk over the next item, a container."""
        start, end = self.item(tag)
        return _Walk(self.data, start, end)

    def content(self, tag: int) -> bytes:
        start, end = self.item(tag)
        return self.data[start:end]

    def more(self) -> int:
        """Tag of the next item; 0 at the end."""
        return self.data[self.at] if self.at < self.end else 0

    def done(self) -> None:
        if self.at != self.end:
            raise Refused(ERR_MALFORMED)


def peer_extension(certificate: bytes) -> "tuple[int, bytes]":
    """(role, peer id) of a certificate in DER.

    Raises Refused(ERR_MALFORMED) when the extension is missing, doubled, critical or of another
    shape, when the id is not that of the certificate's own key, or the DER is not as expected.
    """
    whole = _Walk(certificate, 0, len(certificate))
    outer = whole.inside(_SEQUENCE)
    whole.done()
    body = outer.inside(_SEQUENCE)
    if body.content(_VERSION) != b"\x02\x01\x02":  # X.509 v3
        raise Refused(ERR_MALFORMED)
    body.item(_INTEGER)  # serial number
    for _ in range(4):  # signature algorithm, issuer, validity, subject
        body.item(_SEQUENCE)
    key_at = body.at
    body.item(_SEQUENCE)
    key_end = body.at
    holder = body.inside(_EXTENSIONS)
    body.done()
    extensions = holder.inside(_SEQUENCE)
    holder.done()
    value = _find(extensions)
    if value[1:] != sha256(certificate[key_at:key_end]).digest()[:ID_BYTES]:
        raise Refused(ERR_MALFORMED)
    return value[0], value[1:]


def _find(extensions: _Walk) -> bytes:
    """role ‖ peer id, 9 bytes, of the one extension that has our object id."""
    found = b""
    while extensions.more():
        extension = extensions.inside(_SEQUENCE)
        ours = extension.content(_OID) == _PEER_IDENTITY
        if extension.more() == _BOOLEAN and (ours or extension.content(_BOOLEAN) != b"\xff"):
            raise Refused(ERR_MALFORMED)
        value = extension.content(_OCTET_STRING)
        extension.done()
        if ours:
            if found or len(value) != 3 + ID_BYTES or value[:2] != _VALUE_HEAD:
                raise Refused(ERR_MALFORMED)
            found = value[2:]
    if not found:
        raise Refused(ERR_MALFORMED)
    return found
