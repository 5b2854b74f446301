"""Room kept for code that is loaded for a request and for its big numbers (device).

A heap that has run for a while is free in many small pieces. The room is taken at the end of a
start, where the heap is still free in one piece, given back while a request that needs it is
carried out, and taken again after it. Small things find their place before it; if one did not and
lies in the middle of it now, what is left of it is taken in smaller pieces, none too small for a
big number. What is missing is tried again every second, as long as there is no guest.
"""

import gc

_ROOM_BYTES = 4096  # modulus, the number, its square, quotient and rest, and what they came in
_PIECES_BYTES = (4096, 2048, 1360, 816)  # the last holds a square of 3072 bits

_NOTHING = b""  # nothing to allocate where there is no room

_held: "list[bytearray | bytes]" = [_NOTHING] * (_ROOM_BYTES // _PIECES_BYTES[-1])


def give() -> None:
    """The room is free, for whoever allocates next."""
    for i in range(len(_held)):
        _held[i] = _NOTHING
    gc.collect()


def keep() -> None:
    """Take what is missing of it, in as few pieces as it can be had."""
    missing = _ROOM_BYTES - sum(map(len, _held))
    if missing < _PIECES_BYTES[-1]:
        return
    gc.collect()
    at = _held.index(_NOTHING)
    for size in _PIECES_BYTES:
        try:
            while missing >= size:
                _held[at] = bytearray(size)
                at += 1
                missing -= size
        except MemoryError:
            continue
