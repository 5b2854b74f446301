"""The search in the list on flash: right, against a binary search, and cheap (MicroPython)."""

import hashlib

from tests.firmware.lists import held_list, keys

READS_MAX = 24


def strangers(count: int) -> "list[bytes]":
    return [hashlib.sha256(b"stranger %d" % n).digest()[:8] for n in range(count)]


def oracle(card_keys: "list[bytes]", key: bytes) -> bool:
    """Plain binary search."""
    low, high = 0, len(card_keys)
    while low < high:
        middle = (low + high) // 2
        if card_keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low < len(card_keys) and card_keys[low] == key


def check_all(card_keys: "list[bytes]", wanted: "list[bytes]") -> None:
    whitelist, _ = held_list(card_keys)
    for key in wanted:
        assert whitelist.find(key) == oracle(card_keys, key), key
        if oracle(card_keys, key):
            assert whitelist.found_from_min == key[0] << 8 | key[1]


def test_every_card_of_lists_of_all_small_sizes_is_found() -> None:
    for count in (0, 1, 2, 63, 64, 65, 127, 128, 129, 300):
        card_keys = keys(count)
        check_all(card_keys, card_keys + strangers(50))


def test_neighbours_of_every_card_are_not_found() -> None:
    card_keys = keys(200)
    near = []
    for key in card_keys:
        number = int.from_bytes(key, "big")
        near.append((number - 1).to_bytes(8, "big"))
        near.append((number + 1).to_bytes(8, "big"))
    near += [bytes(8), b"\xff" * 8]
    check_all(card_keys, near)


def test_keys_that_crowd_together_are_found_too() -> None:
    crowded = [b"\x80\x00\x00" + n.to_bytes(5, "big") for n in range(500)]
    card_keys = sorted(keys(100) + crowded)
    check_all(card_keys, card_keys + strangers(100))


def test_ten_thousand_cards_cost_few_reads_and_little_time() -> None:
    card_keys = keys(10_000)
    whitelist, chip = held_list(card_keys)
    for key in card_keys[::37] + strangers(200):
        chip.reads = chip.model_us = 0
        found = whitelist.find(key)
        assert found == oracle(card_keys, key)
        assert chip.reads <= READS_MAX, chip.reads
        assert chip.model_us <= 1000, chip.model_us


def test_a_damaged_search_would_be_noticed() -> None:
    card_keys = keys(300)
    whitelist, _ = held_list(card_keys)
    whitelist.base_count -= 1  # as if the last card were not looked at
    assert not whitelist.find(card_keys[-1])
