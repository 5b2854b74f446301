"""Writing to a stream that takes what it has room for (device)."""

import asyncio
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POLL_MS = 4


async def write_all(stream: "Any", data: "bytes | memoryview", end_ticks: int) -> None:
    """All of the data; OSError when the stream breaks or the time is up."""
    rest = memoryview(data)
    while rest:
        count = stream.write(rest)
        if count:
            rest = rest[count:]
        else:
            await wait(end_ticks)


async def wait(end_ticks: int) -> None:
    """A moment; OSError when the time is up."""
    if time.ticks_diff(end_ticks, time.ticks_ms()) <= 0:
        raise OSError("late")
    await asyncio.sleep_ms(_POLL_MS)
