"""The ending of a file's name says what is in it (host)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.messages import t

if TYPE_CHECKING:
    from pathlib import Path


def require(path: Path, *endings: str) -> None:
    """OperatorError for a name with another ending than one of these, such as ``.html``."""
    if path.suffix.lower() not in endings:
        raise OperatorError(
            t("{name} does not end in {endings}", name=path.name, endings=" | ".join(endings)),
            t("Give such a name: {name}", name=path.with_suffix(endings[0]).name),
        )
