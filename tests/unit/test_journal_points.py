"""Where a chain is taken up again, and what it must pass through (host)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_tool.services import journal_check as check
from controller_tool.services import journal_tags
from protocol import chain, sector_header
from protocol.codes import EVENT_OVERWRITTEN, REASON_REVOKED
from protocol.constants import RECORD_BODY_BYTES, RING_ACCESS, RING_ALARM
from protocol.hmac import hmac_sha256
from tests.unit.journal_support import KEYS, Lap, found

if TYPE_CHECKING:
    from tests.unit.registry_support import Pen


def altered(places, *seqs: int, at: int = 20):
    changed = dict(places)
    for seq in seqs:
        record = bytearray(changed[seq])
        record[at] ^= 1
        changed[seq] = bytes(record)
    return sorted(changed.items())


def lap(count: int = 123, sectors: int = 5) -> Lap:
    return Lap.of(sectors=sectors).write(count)


# --- sector headers -------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("tool",), ("audit",), ("tool", "audit")])
def test_a_ring_that_was_overwritten_before_its_first_pull_is_whole(names) -> None:
    ring = lap().ring(keys={name: KEYS[name] for name in names})
    report = check.check(ring)
    assert found(report) == [(check.OVERWRITTEN, 0, 89)]
    assert (report.ok, report.proven, report.unproven) == (True, 33, 0)


def test_without_its_sector_header_the_same_ring_is_not_proven() -> None:
    report = check.check(lap().ring(sectors=()))
    assert (report.proven, report.unproven, report.ok) == (0, 33, False)
    assert found(report) == [(check.DELETED, 0, 89)], "the record that says so is not proven either"


def test_each_altered_record_is_named_where_a_header_stands_between() -> None:
    grown = lap(60)
    ring = grown.ring(places=altered(grown.places(0), 12, 31, 55), sectors=grown.headers)
    report = check.check(ring)
    assert found(report) == [
        (check.CHANGED, 12, 12),
        (check.CHANGED, 31, 31),
        (check.CHANGED, 55, 55),
    ]
    assert report.unproven_ranges == [(13, 19), (32, 39), (56, 59)]


def test_behind_a_deleted_record_the_next_header_takes_the_chain_up() -> None:
    grown = lap(60)
    places = [place for place in grown.places(0) if place[0] not in (25, 26)]
    report = check.check(grown.ring(places=places, sectors=grown.headers))
    assert found(report) == [(check.DELETED, 25, 26)]
    assert report.unproven_ranges == [(27, 29)]


def test_a_header_bears_out_the_record_before_it() -> None:
    grown = lap(20)
    ring = grown.ring(places=altered(grown.places(0), 9, at=40), sectors=grown.headers)
    assert found(check.check(ring)) == [(check.TAG_CHANGED, 9, 9)]


@pytest.mark.parametrize("at", [4, 6, 8, 16, 47, 48, 56])
def test_an_altered_header_is_named_and_not_believed(at) -> None:
    grown = lap()
    header = bytearray(grown.headers[9])
    header[at] ^= 1
    report = check.check(grown.ring(sectors=[bytes(header), *grown.headers[10:]]))
    assert (check.FALSE_SECTOR, 90, 90) in found(report)
    assert (report.ok, report.unproven_ranges) == (False, [(90, 99)])


def test_a_header_of_the_other_ring_takes_up_nothing() -> None:
    """Even where both rings had the same keys."""
    grown = lap()
    header = sector_header.pack(RING_ALARM, 1, 9, 90, value_at(grown, 90), *keys_at(90))
    report = check.check(grown.ring(sectors=[header]))
    assert found(report)[0] == (check.FALSE_SECTOR, 90, 90)
    right = sector_header.pack(RING_ACCESS, 1, 9, 90, value_at(grown, 90), *keys_at(90))
    assert check.check(grown.ring(sectors=[right])).ok


def keys_at(number: int) -> list[bytes]:
    ks = list(KEYS.values())
    for _ in range(number):
        ks = [chain.evolve(k) for k in ks]
    return ks


def test_a_header_of_other_keys_takes_up_nothing() -> None:
    grown = lap()
    strange = Lap.of()
    strange.pen.keys = [b"x" * 16, b"y" * 16]
    report = check.check(grown.ring(sectors=strange.write(123).headers[9:]))
    assert (report.proven, report.ok) == (0, False)


# --- what may be missing --------------------------------------------------------------------


def test_a_head_alone_excuses_nothing() -> None:
    """Its oldest number is what the ring holds, and a record must say why."""
    grown = Lap.of(sectors=99).write(50)
    ring = grown.ring(places=grown.places(20), heads=[grown.head()], sectors=grown.headers, long=10)
    assert found(check.check(ring)) == [(check.DELETED, 0, 19)]


def test_a_claim_within_the_length_of_the_ring_is_refused() -> None:
    def lie(pen: Pen) -> None:
        pen.write(EVENT_OVERWRITTEN if len(pen.written) == 105 else 1, extra=94)

    grown = Lap.of().write(123, lie)
    ring = grown.ring(places=grown.places(94), sectors=grown.headers)
    assert found(check.check(ring)) == [(check.OVERWRITTEN, 0, 92), (check.DELETED, 93, 93)]


def test_a_claim_about_what_comes_after_it_counts_up_to_itself() -> None:
    def lie(pen: Pen) -> None:
        pen.write(EVENT_OVERWRITTEN if len(pen.written) == 15 else 1, extra=99)

    grown = Lap.of(sectors=99).write(200, lie)
    places = [place for place in grown.places(0) if place[0] not in (3, 17)]
    report = check.check(grown.ring(places=places, sectors=grown.headers, long=10))
    assert found(report) == [(check.OVERWRITTEN, 3, 3), (check.DELETED, 17, 17)]


def test_a_claim_that_is_not_proven_excuses_nothing() -> None:
    grown = lap()
    ring = grown.ring(places=altered(grown.places(), 120, 110, 100, 90))
    assert found(check.check(ring))[0] == (check.DELETED, 0, 89)


# --- checkpoints and heads ------------------------------------------------------------------


def test_a_journal_passes_through_its_checkpoints() -> None:
    grown = lap(25)
    said = (25, grown.pen.c)
    ring = grown.write(20).ring(checkpoints=[said, said])
    assert check.check(ring).ok


def test_a_journal_that_does_not_pass_through_a_checkpoint_is_forked() -> None:
    genuine, other = lap(25, sectors=99), lap(25, sectors=99)
    first = (15, value_at(genuine, 15))
    genuine.write(10, lambda pen: pen.write(reason=REASON_REVOKED))
    said = (35, genuine.pen.c)
    ring = other.write(20).ring(checkpoints=[first, said], sectors=())
    report = check.check(ring)
    assert found(report) == [(check.FORKED, 15, 34)]
    assert (report.proven, report.unproven_ranges) == (25, [(15, 34)])


def value_at(of: Lap, seq: int) -> bytes:
    c = chain.start(of.pen.site, of.pen.device, of.pen.ring)
    for record in of.pen.written[:seq]:
        c = chain.link(c, record[:RECORD_BODY_BYTES])
    return c


def test_what_a_checkpoint_and_its_head_vouch_for_was_deleted_and_not_overwritten() -> None:
    grown = lap(35)
    early, said = grown.head(), (35, grown.pen.c)
    grown.write(88)
    heads = [early, grown.head()]
    assert found(check.check(grown.ring(heads=heads, checkpoints=[said]))) == [
        (check.DELETED, 0, 34),
        (check.OVERWRITTEN, 35, 89),
    ]


def test_a_checkpoint_vouches_from_the_oldest_number_of_its_head_on() -> None:
    """It may have been made when the ring had gone round already."""
    grown = lap(75)
    early, said = grown.head(), (75, grown.pen.c)
    assert early.oldest_seq == 40
    grown.write(48)
    ring = grown.ring(heads=[early, grown.head()], checkpoints=[said])
    assert found(check.check(ring)) == [
        (check.OVERWRITTEN, 0, 39),
        (check.DELETED, 40, 74),
        (check.OVERWRITTEN, 75, 89),
    ]


@pytest.mark.parametrize("why", ["no head", "a head of another number", "a false head", "no key"])
def test_a_checkpoint_alone_says_nothing_of_gaps(why) -> None:
    grown = lap(45)
    early, said = grown.head(), (45, grown.pen.c)
    if why == "a head of another number":
        early = grown.write().head()
    elif why == "a false head":
        early = dataclasses.replace(early, macs={"tool": bytes(16), "audit": bytes(16)})
    grown.write(123 - len(grown.pen.written))
    ring = grown.ring(heads=[*([] if why == "no head" else [early]), grown.head()],
                      checkpoints=[said])  # fmt: skip
    if why == "no key":  # T of what is there alone: nothing proves the early head
        numbers = [number for number, _ in ring.places]
        data = b"".join(t for t, _ in journal_tags.disclose(KEYS["tool"], numbers))
        ring = dataclasses.replace(ring, keys={"tool": journal_tags.Disclosed(numbers, data)})
    assert (check.OVERWRITTEN, 0, 89) in found(check.check(ring))


def test_what_the_judge_holds_itself_was_deleted_and_not_overwritten() -> None:
    ring = lap().ring(held=[*range(5, 20), *range(30, 95), 110])
    assert found(check.check(ring)) == [
        (check.OVERWRITTEN, 0, 4),
        (check.DELETED, 5, 19),
        (check.OVERWRITTEN, 20, 29),
        (check.DELETED, 30, 89),
    ]


def test_a_journal_that_is_shorter_than_its_checkpoint_is_cut_off() -> None:
    grown = lap(25)
    ring = grown.ring(checkpoints=[(30, bytes(32))])
    assert found(check.check(ring)) == [(check.TRUNCATED, 25, 29)]


def test_heads_from_elsewhere_count_and_fall_behind_nobody() -> None:
    grown = lap(25)
    early, late = grown.head(), grown.write(10).head()
    ring = dataclasses.replace(grown.ring(), heads=[early], witnesses=[late, early])
    assert check.check(ring).ok
    cut = dataclasses.replace(ring, places=ring.places[:25])
    assert found(check.check(cut)) == [(check.TRUNCATED, 25, 34)]


def test_what_was_remade_up_to_a_head_is_named_and_the_rest_judged_from_there() -> None:
    genuine = lap(30)
    at_30 = genuine.head()
    forged = Lap.of().write(30, lambda pen: pen.write(reason=REASON_REVOKED))
    genuine.write(15)
    places = [*forged.places(0), *genuine.places(0)[30:]]
    ring = genuine.ring(keys={"tool": KEYS["tool"]}, places=places, heads=[at_30, genuine.head()],
                        sectors=())  # fmt: skip
    report = check.check(ring)
    assert found(report) == [(check.FORGED, 0, 29)]
    assert (report.proven, report.unproven_ranges) == (15, [(0, 29)])


def test_two_heads_of_one_number_that_disagree_are_seen() -> None:
    """Two boards from one flash: both write, both answer for themselves."""
    first = lap(30)
    second = Lap.of().write(29).write(1, lambda pen: pen.write(reason=REASON_REVOKED))
    ring = first.ring(witnesses=[second.head()])
    assert found(check.check(ring)) == [(check.FORGED, 20, 29)]


# --- the fast way ---------------------------------------------------------------------------

bodies = st.binary(min_size=RECORD_BODY_BYTES, max_size=RECORD_BODY_BYTES)
keys = st.binary(min_size=16, max_size=16)


@given(st.lists(bodies, min_size=1, max_size=20), keys, keys, st.data())
def test_the_fast_way_is_the_reference(written, k_tool, k_audit, data) -> None:
    """protocol/chain.py writes, journal_tags follows; then one byte is altered."""
    c, ks, records = bytes(32), {"tool": k_tool, "audit": k_audit}, []
    for body in written:
        c = chain.link(c, body)
        tags = b"".join(chain.tag(chain.tag_key(k), c) for k in ks.values())
        ks = {name: chain.evolve(k) for name, k in ks.items()}
        records.append(body + tags)
    names = data.draw(st.sampled_from([("tool",), ("audit",), ("tool", "audit")]))
    first = {"tool": k_tool, "audit": k_audit}
    made = {name: journal_tags.Evolving(first[name]) for name in names}
    ts = {name: source.of(0, len(records)) or [] for name, source in made.items()}
    assert journal_tags.follow(bytes(32), records, 0, ts) == (len(records), c)
    assert {name: source.at(len(records)) for name, source in made.items()} == {
        name: chain.tag_key(ks[name]) for name in names
    }
    at = data.draw(st.integers(0, len(records) - 1))
    byte = data.draw(st.integers(0, 47))
    wrong = bytearray(records[at])
    wrong[byte] ^= data.draw(st.integers(1, 255))
    stopped, _ = journal_tags.follow(
        bytes(32), [*records[:at], bytes(wrong), *records[at + 1 :]], 0, ts
    )
    seen = byte < 32 or ("tool" if byte < 40 else "audit") in names
    assert stopped == (at if seen else len(records))


@given(keys, st.binary(max_size=200))
def test_the_fast_mac_is_hmac(k, message) -> None:
    t = chain.tag_key(k)
    assert journal_tags.mac(t, message) == hmac_sha256(t, message)
