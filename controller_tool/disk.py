"""What to say when a disk does not take what is written to it (host)."""

from __future__ import annotations

import errno

from controller_tool.messages import t

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
