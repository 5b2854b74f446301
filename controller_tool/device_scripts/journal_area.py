"""Clears the raw partitions and lays the seed of its keys (device, raw REPL only).

Only sectors that hold something are erased: a blank board is ready at once, a used one takes
about 45 ms a sector.
"""

import binascii

import esp32

_SECTOR_BYTES = 4096
_ERASE = 6
_COUNT = 4


def find(label: str) -> esp32.Partition:
    return esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)[0]


def blank(block: bytearray) -> bool:
    # 0xFF only: stripping it leaves nothing
    return not bytes(block).strip(b"\xff")


def clear(label: str) -> None:
    partition = find(label)
    block = bytearray(_SECTOR_BYTES)
    erased = 0
    for number in range(partition.ioctl(_COUNT, 0) or 0):
        partition.readblocks(number, block)
        if not blank(block):
            partition.ioctl(_ERASE, number)
            erased += 1
    print(erased)


def slot(sector: int, count: int) -> None:
    block = bytearray(count)
    find("keys").readblocks(sector, block, 0)
    print(binascii.hexlify(bytes(block)).decode())


def write_slot(sector: int, text: str) -> None:
    find("keys").writeblocks(sector, binascii.unhexlify(text), 0)
