"""What a sender does about an answer, how long it waits, where it sends at all (host)."""

from __future__ import annotations

import json

import pytest

from controller_tool.rules import delivery, endpoint
from controller_tool.rules.refusal import Refusal

IDS = ["a-1", "a-2", "a-3"]


def judged(status: int, said: object) -> delivery.Verdict:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return delivery.judge(status, body, IDS)


@pytest.mark.parametrize("failures", [0, 1, 2, 5, 9, 10, 1000])
@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_pause_lasts_one_to_three_hundred_seconds(failures, chance) -> None:
    assert 1 <= delivery.pause_s(failures, chance) <= 300


def test_pauses_grow_and_differ_by_chance() -> None:
    grown = [delivery.pause_s(n, 1.0) for n in range(1, 10)]
    assert grown == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert delivery.pause_s(6, 0.0) == 32, "half of it is certain, the rest is chance"


def test_what_the_platform_asks_for_is_honoured_within_bounds() -> None:
    assert delivery.pause_s(1, 0.0, 40) == 40
    assert delivery.pause_s(1, 0.0, 86400) == 300
    assert delivery.pause_s(6, 0.0, 1) == 32, "never sooner than by our own count"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), (" 5 ", 5), ("Thu, 01 Jan 1970 00:02:00 GMT", 20), (None, None), ("soon", None),
     ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("-3", None), ("9" * 400, 999_999_999), ("", None)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(text, seconds) -> None:
    assert delivery.retry_after_s(text, 100.0) == seconds


def test_an_answer_acknowledges_from_the_beginning_and_names_what_it_refuses() -> None:
    said = {"acknowledged": 2, "rejected": [{"event_id": "a-2", "reason": "no\n\x1b such house"}]}
    verdict = judged(200, said)
    assert (verdict.kind, verdict.acknowledged) == (delivery.TAKEN, 2)
    assert verdict.rejected == (("a-2", "no   such house"),)


@pytest.mark.parametrize(
    "said",
    [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, [], 7, {}, {"acknowledged": "3"},
     {"acknowledged": True}, {"acknowledged": 4}, {"acknowledged": -1}, {"acknowledged": 2.0},
     {"acknowledged": 3, "rejected": 5}, {"acknowledged": 3, "rejected": [{"event_id": "b-1"}]},
     {"acknowledged": 1, "rejected": [{"event_id": "a-3"}]}, {"acknowledged": 3, "rejected": [1]},
     {"acknowledged": 3, "rejected": [{"event_id": 1}]}, {"acknowledged": 0},
     {"acknowledged": 3, "rejected": [{"event_id": ["a-1"]}]},
     b" " * delivery.ANSWER_MAX_BYTES + b'{"acknowledged": 3}'],
)  # fmt: skip
def test_what_makes_no_sense_acknowledges_nothing(said) -> None:
    assert judged(200, said).kind == delivery.AGAIN


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, "again"), (503, "again"), (429, "again"), (408, "again"), (413, "smaller"),
     (422, "smaller"), (301, "stop"), (307, "stop"), (400, "stop"), (401, "stop"), (404, "stop")],
)  # fmt: skip
def test_each_status_has_its_meaning(status, kind) -> None:
    assert judged(status, b"{}").kind == kind


def test_a_batch_is_bounded_and_takes_one_record_at_least() -> None:
    assert delivery.fits(0, 0, 10 * delivery.BYTES_MAX)
    assert not delivery.fits(1, 10, delivery.BYTES_MAX)
    assert delivery.fits(delivery.RECORDS_MAX - 1, 10, 10)
    assert not delivery.fits(delivery.RECORDS_MAX, 10, 10)


@pytest.mark.parametrize(
    ("address", "target"),
    [("https://city.example/a/b", "https://city.example:443/a/b"),
     ("https://city.example:8443", "https://city.example:8443/"),
     ("http://127.0.0.1:80/x", "http://127.0.0.1:80/x"),
     ("http://[::1]:81/x", "http://[::1]:81/x"),
     ("http://localhost/x", "http://localhost:80/x")],
)  # fmt: skip
def test_an_address_is_kept_in_one_form(address, target) -> None:
    found = endpoint.parse(address)
    assert isinstance(found, endpoint.Endpoint)
    assert found.target == target


@pytest.mark.parametrize(
    "address",
    ["http://city.example/", "http://127.0.0.1.city.example/", "ftp://city.example/", "city",
     "https://me:secret@city.example/", "https://city.example/?token=1", "https://city.example/#a",
     "https:///x", "https://city.example:99999/", "https://city.example/a b", "https://[::1/",
     "https://city.example/\r\nX: y", "https://城市.example/", "https://city.example/" + "a" * 128],
)  # fmt: skip
def test_where_nothing_is_sent(address) -> None:
    assert isinstance(endpoint.parse(address), Refusal)
