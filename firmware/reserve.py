"""Room in one piece, kept for the big numbers of a signature (device).

A heap that has run for a while is free in many small pieces. The room is taken at the end of a
start, where the heap is still free in one piece, given back while a signature is verified, and
taken again after it. Small things find their place before it; if one did not, it is tried again
every second.
"""

import gc

_ROOM_BYTES = 3840  # modulus, signature twice, the number, its square, quotient and rest

_held = [bytearray()]


def give() -> None:
    """The room is free, for whoever allocates next."""
    _held[0] = bytearray()
    gc.collect()


def keep() -> None:
    """Take it, if it is not held."""
    if _held[0]:
        return
    gc.collect()
    try:
        _held[0] = bytearray(_ROOM_BYTES)
    except MemoryError:
        _held[0] = bytearray()
