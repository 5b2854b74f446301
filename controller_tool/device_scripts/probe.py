"""Says what board this is and what lies on it (device, raw REPL of a blank board only)."""

import binascii
import gc
import json
import os
import sys

import esp32
import machine


def labels() -> "list[str]":
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA)
    return sorted(partition.info()[4] for partition in found)


def probe() -> None:
    room = os.statvfs("/")
    gc.collect()
    print(
        json.dumps(
            {
                "platform": sys.platform,
                "machine": os.uname().machine,
                "release": os.uname().release,
                "id": binascii.hexlify(machine.unique_id()).decode(),
                "free_bytes": room[0] * room[3],
                "heap_free": gc.mem_free(),
                "partitions": labels(),
            }
        )
    )


def set_clock(
    year: int, month: int, day: int, weekday: int, hour: int, minute: int, second: int
) -> None:
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
