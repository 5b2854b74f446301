"""Wires from this board's outputs to another virtual board's inputs (virtual board).

A wire is what the process that drives it does at once, in the other board's page: no process of its
own stands between, so a wire has no latency. The other board sees it when it looks next, as it
sees all that comes from outside; both count their ticks from the same clock.

- level: a contact or a line that stays; pulses: falling edges, which the other side's counters and
  handlers get with their times; sense: both, for a line that is watched for glitches
- count: falling edges into the other board's meter inputs
- inverts: a driven 1 pulls the other end down, as an opto-coupler or a transistor does
- a wire that is cut (WIRES_CUT) carries what nobody drives: 0 on this side
"""

import struct

import page as layout


def lay(page, wires: list, page_of, ticks_us, hooks: dict) -> None:
    """Hooks for the pins that wires start from; page_of: a path to its page, mapped once."""
    ends = {}
    for wire in wires:
        if wire["kind"] in ("level", "pulses", "sense", "count"):
            path = wire["page"]
            if path not in ends:
                ends[path] = page_of(path)
            hooks[wire["own"]] = _hook(page, ends[path], wire, ticks_us)


def _hook(page, peer, wire: dict, ticks_us):
    own, to, kind = wire["own"], wire["to"], wire["kind"]
    inverts = 1 if wire["inverts"] else 0
    cut_at, cut_bit = layout.WIRES_CUT + (own >> 3), 1 << (own & 7)

    def hook(level: int) -> None:
        if page.bytes[cut_at] & cut_bit:
            return
        level ^= inverts
        if kind not in ("pulses", "count"):
            peer.bytes[layout.LEVELS + to] = level
            peer.bytes[layout.INPUT_GENERATION] = (peer.bytes[layout.INPUT_GENERATION] + 1) & 0xFF
        if level or kind == "level":
            return
        if kind == "count":
            peer.add_word(layout.PULSES + 4 * to, 1)
            return
        count = peer.word(layout.EDGE_COUNT)
        entry = layout.EDGES + count % layout.EDGE_ENTRIES * layout.EDGE_BYTES
        struct.pack_into("<II", peer.bytes, entry, ticks_us() & layout.TICKS_MASK, to)
        peer.set_word(layout.EDGE_COUNT, count + 1)

    return hook
