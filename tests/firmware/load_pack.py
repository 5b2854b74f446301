"""Imports modules one after another and tells what each took of the heap (MicroPython).

    micropython load_pack.py FOLDER MODULE…

What a stock ESP32 has frozen or built in is imported before: it is no part of the pack.
"""

import gc
import sys

BUILT_IN = ("asyncio", "binascii", "collections", "hashlib", "io", "socket", "struct", "tls")
BESIDE = ("board", "packfs")


class Anything:
    """Has every name: what is asked for at an import is used later, on a board alone."""

    def __getattr__(self, name: str) -> object:
        return object()


for name in ("esp32", "machine"):
    sys.modules[name] = Anything()
sys.path.insert(0, sys.argv[1])
for name in BUILT_IN + BESIDE:
    __import__(name)
gc.collect()
before = gc.mem_alloc()
for name in sys.argv[2:]:
    __import__(name, None, None, ("*",))
    gc.collect()
    after = gc.mem_alloc()
    print(name, after - before)
    before = after
