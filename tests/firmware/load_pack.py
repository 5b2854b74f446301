"""Imports modules one after another and tells what each took of the heap (MicroPython).

    micropython load_pack.py FOLDER MODULE…

What a stock ESP32 has frozen or built in is imported before: it is no part of the pack.
"""

import gc
import sys

sys.path.insert(0, sys.argv[1])

import asyncio  # noqa: F401
import binascii  # noqa: F401
import collections  # noqa: F401
import hashlib  # noqa: F401
import io  # noqa: F401
import socket  # noqa: F401
import struct  # noqa: F401

import board  # noqa: F401
import packfs  # noqa: F401
import tls  # noqa: F401

gc.collect()
before = gc.mem_alloc()
for name in sys.argv[2:]:
    __import__(name, None, None, ("*",))
    gc.collect()
    after = gc.mem_alloc()
    print(name, after - before)
    before = after
