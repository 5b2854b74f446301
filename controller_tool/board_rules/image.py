"""Where a board's MicroPython comes from, as [image] says (host).

- an https address, a version and the image's SHA-256; unconfirmed: true until somebody compared
  that digest with the vendor's own page, false from then on
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from controller_tool.messages import t

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {"address", "version", "sha256", "unconfirmed"}
_SHA256 = re.compile("[0-9a-f]{64}")


def problems(description: dict[str, Any]) -> list[str]:
    """What is wrong with the table, where a board has one of its own."""
    return list(_all(description["image"])) if "image" in description else []


def _all(image: dict[str, Any]) -> Iterator[str]:
    for name in sorted(_WORDS - image.keys()):
        yield t("[image] says nothing of {name}", name=name)
    for name in sorted(image.keys() - _WORDS):
        yield t("nothing is known of {name} in [image]", name=name)
    if not str(image.get("address", "https://")).startswith("https://"):
        yield t("the image's address is no https address")
    if "sha256" in image and not _SHA256.fullmatch(str(image["sha256"])):
        yield t("the image's SHA-256 is not 64 digits from 0 to f")
    if not isinstance(image.get("unconfirmed", True), bool):
        yield t("unconfirmed of [image] is true or false")
