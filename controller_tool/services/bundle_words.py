"""What can be wrong with a bundle besides its records, in words (host)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.messages import t
from controller_tool.services.folding import ON_SCREEN

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNATURE, MAKER = "signature", "maker"
FILE_CHANGED, FILE_MISSING, FILE_UNKNOWN = "file_changed", "file_missing", "file_unknown"
TRUST, CERTIFICATE = "trust", "certificate"
NO_KEY, AUDIT_KEY_UNSEALED = "no_key", "audit_key"
MALFORMED, HEAD = "malformed", "head"
EMPTY, NAME, BOARD = "empty", "name", "board"


@dataclass(frozen=True)
class Flaw:
    """One of them; name: of the file or controller that it is about."""

    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return self.text


def flaw(kind: str, name: str = "", said: str = "") -> Flaw:
    """A flaw in words; said: what the bundle says instead."""
    return Flaw(kind, name, _sentences()[kind].format(name=name, said=said))


def known_by_nobody() -> str:
    """A note: no peer CA is pinned here."""
    return t("This folder has no peer CA: who made the bundle cannot be known")


def older() -> str:
    """A note: the bundle may be honest, and only older than what this folder has pulled."""
    return t(
        "What is missing at the end may have been written after the bundle was made: ask its maker"
        " for a new one"
    )


def what_next() -> str:
    """One line for who sees that a bundle is not whole."""
    return t("What next: keep the bundle as it is, pull the controllers yourself (journal pull),"
             " and ask its maker about what is named above")  # fmt: skip


def revoked() -> str:
    """A note: the trust object shuts its maker out."""
    return t("The peer that made the bundle was revoked")


def disclosed(name: str) -> str:
    """A note: nothing but T of the maker's own choosing proves it."""
    return t("{device}: proven only by tag keys that the maker of the bundle disclosed; that proves"
             " nothing against the maker", device=name)  # fmt: skip


def held_here(name: str) -> str:
    """A note: why this folder knows better than the ring."""
    return t("{device}: this folder holds some of what was deleted: whoever made the bundle removed"
             " it, or came too late to pull it", device=name)  # fmt: skip


def left_out(names: Sequence[str]) -> str:
    """A note: controllers of this folder, of which the bundle says nothing."""
    more = len(names) - ON_SCREEN
    said = ", ".join(names[:ON_SCREEN])
    if more > 0:
        said = f"{said}, {t('and {n} more', n=more)}"
    return t("Controllers of this folder that are not in the bundle: {names}", names=said)


def stranger(name: str) -> str:
    """A note: nothing to compare with."""
    return t("{device}: this folder does not know the controller, and has nothing to compare with",
             device=name)  # fmt: skip


def _sentences() -> dict[str, str]:
    return {
        SIGNATURE: t("The manifest is not signed by the maker that it names"),
        MAKER: t("The maker of the bundle holds no certificate of this site's peer CA"),
        FILE_CHANGED: t("{name} is not what the manifest says"),
        FILE_MISSING: t("{name} is in the manifest and not in the bundle"),
        FILE_UNKNOWN: t("{name} is in the bundle and not in the manifest"),
        TRUST: t("The trust object is not one of this site"),
        CERTIFICATE: t("{name}: the certificate is not the controller's"),
        NO_KEY: t("{name}: no key at hand proves anything of it"),
        AUDIT_KEY_UNSEALED: t("{name}: its audit key is not sealed to this auditor"),
        MALFORMED: t("{name} cannot be read"),
        EMPTY: t("There is no controller in the bundle"),
        NAME: t("{name}: the bundle calls this controller {said}"),
        BOARD: t("{name}: the bundle says that its board is {said}"),
        HEAD: t("{name}: its newest head is not the one in the manifest"),
    }
