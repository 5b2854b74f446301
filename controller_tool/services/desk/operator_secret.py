"""An operator's secret as the registry keeps it, and the tries at it (host).

CBOR array: form 1, log2 of the cost, block size, parallelism, salt, scrypt of the secret, 1 while
it is a first secret that somebody else gave (2: who came by the name chose it, and nobody gave a
first one), wrong tries in a row, when the last of them was.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import astuple, dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from controller_tool.rules import secrets as rules
from controller_tool.rules.refusal import Refusal
from protocol import cbor

_FORM = 1
OWN, _FIRST, CLAIMED = 0, 1, 2
_COST_LOG2, _BLOCK, _PARALLEL = 15, 8, 1  # 32 MiB, a tenth of a second
_COST_LOG2_MAX, _BLOCK_MAX, _PARALLEL_MAX = 17, 16, 4  # a row that asks for more was made by others
_SALT_BYTES, _DIGEST_BYTES = 16, 32
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another
_FIRST_GROUPS, _FIRST_LENGTH = 3, 4


@dataclass(frozen=True)
class Kept:
    """What is kept; first: of OWN, _FIRST (opens nothing but its own change) and CLAIMED."""

    cost_log2: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes
    first: int
    wrong: int = 0
    wrong_at_s: int = 0


def make(secret: str, *, first: bool = False, claimed: bool = False) -> bytes:
    """What is kept of a secret. claimed: it is not known to be of whom the name says."""
    empty = Kept(_COST_LOG2, _BLOCK, _PARALLEL, os.urandom(_SALT_BYTES), b"",
                 _FIRST if first else CLAIMED if claimed else OWN)  # fmt: skip
    return _pack(replace(empty, digest=_stretch(empty, secret)))


def first_secret() -> str:
    """A random one to hand over, 59 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_FIRST_LENGTH))
              for _ in range(_FIRST_GROUPS))  # fmt: skip
    return "-".join(groups)


def is_first(data: bytes) -> bool:
    """Whether it was given by somebody else and not changed yet."""
    return _unpack(data).first == _FIRST


def is_claimed(data: bytes) -> bool:
    """Whether who came by the name chose it, and no head knows of it."""
    return _unpack(data).first == CLAIMED


def attempt(data: bytes, secret: str, name: str, now_s: int) -> tuple[bytes, Refusal | None]:
    """What is to be kept after one try, and why it is refused, or None when it is right."""
    kept = _unpack(data)
    refusal = rules.refuse_try(kept.wrong, now_s - kept.wrong_at_s, name)
    if refusal is not None:
        return data, refusal
    if hmac.compare_digest(_stretch(kept, secret), kept.digest):
        return _pack(replace(kept, wrong=0, wrong_at_s=0)), None
    wrong = kept.wrong + 1
    return _pack(replace(kept, wrong=wrong, wrong_at_s=now_s)), Refusal(
        "secret", t("That is not the secret of {name}", name=name),
        t("Try again; after {n} wrong ones there is a pause", n=rules.FREE_TRIES),
    )  # fmt: skip


def _stretch(kept: Kept, secret: str) -> bytes:
    stretch = Scrypt(
        salt=kept.salt, length=_DIGEST_BYTES, n=1 << kept.cost_log2, r=kept.block, p=kept.parallel
    )
    # cut at LONGEST: what is longer is no secret, and its length must not cost memory
    return stretch.derive(rules.normal(secret[: rules.LONGEST + 1]).encode())


def _pack(kept: Kept) -> bytes:
    return cbor.encode([_FORM, *astuple(kept)])


def _unpack(data: bytes) -> Kept:
    try:
        fields: Any = cbor.decode(data)
        form, *rest = fields
        kept = Kept(*rest)
        good = (
            form == _FORM
            and 0 < kept.cost_log2 <= _COST_LOG2_MAX
            and 0 < kept.block <= _BLOCK_MAX
            and 0 < kept.parallel <= _PARALLEL_MAX
            and len(kept.salt) == _SALT_BYTES
            and len(kept.digest) == _DIGEST_BYTES
            and kept.wrong >= 0
        )
    except (ValueError, TypeError):
        good = False
    if not good:
        raise OperatorError(
            t("The secret of this operator was altered in the registry"),
            t("Have a head give a new one: operator secret NAME --reset"),
        )
    return kept
