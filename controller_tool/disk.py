"""What to say when a disk does not take what is written to it (host)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from controller_tool.messages import t

if TYPE_CHECKING:
    from pathlib import Path

# a quota and a limit on the size of files are room that is missing, too; Windows has no quota here
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def is_full(error: OSError) -> bool:
    """Whether it failed for want of room."""
    return error.errno in _NO_ROOM


def next_step(error: OSError) -> str:
    """What to do about it."""
    if is_full(error):
        return t("Make room there or write elsewhere, then try again")
    return t("Check the folder and its permissions")


def keep(folder: Path) -> None:
    """What was made or renamed in ``folder`` is still so after a power cut.

    Only where a folder can be opened like a file: Windows writes such a change by itself.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
