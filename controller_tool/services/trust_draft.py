"""Successors of a trust object on their way: payload, and signatures that come one by one (host).

A draft file has the form of a trust object, with none or too few signatures in it. Each machine
that holds a root key adds its own over the same bytes; a signature that is not good is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys.files import write_private_file
from controller_tool.messages import t
from controller_tool.services.trust_store import does_not_follow
from protocol import cbor, cose, rsa, trust
from protocol.codes import ERR_EPOCH, ERR_OTHER_SITE, ERR_VERSION_LOW, KEY_ROOT
from protocol.constants import AAD_TRUST
from protocol.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from controller_tool.keys.signing import Signer
    from protocol.trust import Trust


@dataclass(frozen=True)
class Draft:
    """A successor and the good signatures over it, by key id."""

    successor: Trust
    payload: bytes
    signatures: dict[bytes, bytes]

    def data(self) -> bytes:
        """The object as controllers take it; OperatorError when it is longer than they take."""
        try:
            return trust.assemble(self.payload, self.signatures.items())
        except Refused:
            raise too_long() from None


def begin(successor: Trust) -> Draft:
    """Nobody has signed it yet. OperatorError when it is more than a controller takes."""
    try:
        return Draft(successor, trust.encode(successor), {})
    except Refused:
        raise too_long() from None


def too_long() -> OperatorError:
    """What a person is told when keys and signatures have no room in 6144 bytes."""
    return OperatorError(
        t("The trust object would be larger than a controller takes"),
        t("Retire old keys first, or use fewer root keys"),
    )


def missing(draft: Draft, current: Trust) -> tuple[int, int]:
    """How many signatures are wanting of the root keys in force, and of the successor's own."""
    return _missing(draft.signatures, current), _missing(draft.signatures, draft.successor)


def sign(draft: Draft, current: Trust, signers: Iterable[Signer]) -> Draft:
    """The draft with the signatures that are wanting and that these keys can give."""
    signatures = dict(draft.signatures)
    for signer in signers:
        of_use = any(
            signer.modulus in roots.moduli(KEY_ROOT) and _missing(signatures, roots)
            for roots in (current, draft.successor)
        )
        if of_use and signer.kid not in signatures:
            to_sign = cose.to_be_signed(signer.kid, draft.payload, AAD_TRUST)
            signatures[signer.kid] = signer.sign(to_sign)
    return Draft(draft.successor, draft.payload, signatures)


def read(path: Path, current: Trust) -> Draft:
    """A draft file that would follow ``current``; OperatorError when it is none."""
    try:
        payload, pairs = cbor.decode(path.read_bytes())
        successor = trust.parse(cbor.encode([payload, [[bytes(8), bytes(384)]]]))
        signatures = {
            kid: signature for kid, signature in pairs
            if _is_good(kid, signature, payload, (current, successor))
        }  # fmt: skip
    except (OSError, ValueError, TypeError):
        raise OperatorError(
            t("{path} is not a trust object or a draft of one", path=path),
            t("Take the file that --draft has written"),
        ) from None
    for follows, code in (
        (successor.site == current.site, ERR_OTHER_SITE),
        (successor.epoch >= current.epoch, ERR_EPOCH),
        (successor.version > current.version, ERR_VERSION_LOW),
    ):
        if not follows:
            raise does_not_follow(Refused(code))
    return Draft(successor, payload, signatures)


def write(path: Path, draft: Draft) -> None:
    """Write the draft, to be carried to whoever signs next."""
    pairs: list[cbor.Value] = [list(pair) for pair in draft.signatures.items()]
    write_private_file(path, cbor.encode([draft.payload, pairs]))


def _missing(signatures: Iterable[bytes], roots: Trust) -> int:
    [(threshold, moduli)] = [row[1:] for row in roots.keys if row[0] == KEY_ROOT]
    kids = {cose.key_id(modulus) for modulus in moduli}
    return max(0, threshold - len(kids.intersection(signatures)))


def _is_good(kid: bytes, signature: bytes, payload: bytes, signers: tuple[Trust, ...]) -> bool:
    digest = cose.sig_structure_digest(cose.protected(kid), AAD_TRUST, payload)
    moduli = [roots.find_key(KEY_ROOT, kid) for roots in signers]
    return any(m is not None and rsa.verify(m, signature, digest) for m in moduli)
