"""Room in one piece, kept for code that is loaded for a request and for its big numbers (device).

A heap that has run for a while is free in many small pieces. The room is taken at the end of a
start, where the heap is still free in one piece, given back while a request that needs it is
carried out, and taken again after it. Small things find their place before it; if one did not, it
is tried again every second.
"""

import gc

_ROOM_BYTES = 4096  # modulus, signature twice, the number, its square, quotient and rest

_NOTHING = b""  # nothing to allocate where there is no room

_held: "list[bytearray | bytes]" = [_NOTHING]


def give() -> None:
    """The room is free, for whoever allocates next."""
    _held[0] = _NOTHING
    gc.collect()


def keep() -> None:
    """Take it, if it is not held."""
    if _held[0]:
        return
    gc.collect()
    try:
        _held[0] = bytearray(_ROOM_BYTES)
    except MemoryError:
        _held[0] = _NOTHING
