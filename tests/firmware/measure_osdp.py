"""Poll intervals and card times of four OSDP readers in model time (MicroPython).

    micropython measure_osdp.py

Lines: `NAME VALUE`. A name says whether the channel is secure, the baud, the door's turn in ms.
"""

from firmware.readers.results import CARD
from tests.both.osdp_reader import Reader
from tests.firmware import osdp_rig
from tests.firmware.osdp_rig import Line

READERS = 4
BITS = "00110011100011110000111111"
POLL_TURNS = 3000
CARDS = 200


def share(values: "list[int]", percent: int) -> int:
    return sorted(values)[(len(values) - 1) * percent // 100]


def house(keyed: bool, baud: int):
    keys = [bytes((n + 1,)) * 16 if keyed else None for n in range(READERS)]
    readers = [Reader(n, keys[n]) for n in range(READERS)]
    for reader in readers:
        reader.baud = baud
    line = Line(readers, baud)
    drivers = line.drivers({"addresses": list(range(READERS)), "keys": keys, "baud": baud})
    line.turns(drivers, 400)
    assert not any(driver.trouble or not driver.state for driver in drivers)
    return line, drivers


def measure(keyed: bool, baud: int, turn_ms: int) -> None:
    osdp_rig.TURN_US = turn_ms * 1000
    name = "_".join(("secure" if keyed else "plain", str(baud), str(turn_ms)))
    line, drivers = house(keyed, baud)
    line.log = []
    line.turns(drivers, POLL_TURNS)
    gaps = []
    for address in range(READERS):
        times = [us for us, spoken_to in line.log if spoken_to == address]
        gaps += [(times[i + 1] - times[i]) // 1000 for i in range(len(times) - 1)]
    print(name + "_poll_p50", share(gaps, 50))
    print(name + "_poll_p95", share(gaps, 95))
    waits = []
    line.log = []
    for n in range(CARDS):
        line.turns(drivers, 8 + n % 13)
        line.readers[n % READERS].swipe_card(BITS)
        began_ms = line.now_us // 1000
        while True:
            found = line.turns(drivers)
            if found:
                assert found[0][:2] == (n % READERS, CARD)
                waits.append(found[0][2] - began_ms)
                break
    print(name + "_card_p50", share(waits, 50))
    print(name + "_card_worst", max(waits))


for is_keyed in (True, False):
    for speed in (57600, 9600):
        for turn in (10, 11):
            measure(is_keyed, speed, turn)
