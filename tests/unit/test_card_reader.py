"""Cards read at the desk: readers that type, and PC/SC readers by pyscard's interface (host)."""

from __future__ import annotations

import sys

import pytest

from controller_tool.errors import LinkError, OperatorError
from controller_tool.services.desk.card_reader import PcscReader, typed
from tests.unit import fake_pyscard
from tests.unit.fake_pyscard import Reader

UID = bytes.fromhex("04a2b3c4d5e6f7")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("0012345678", "em4100:0000bc614e"),
        ("0012345678\r\n", "em4100:0000bc614e"),
        ("\t0012345678\t", "em4100:0000bc614e"),
        ("００１２３４５６７８", "em4100:0000bc614e"),
        ("00123456780012345678", "em4100:0000bc614e"),
        ("0012345678\n0012345678\n", "em4100:0000bc614e"),
        ("000012345678", "em4100:0000bc614e"),
        ("123456789", "em4100:00075bcd15"),
        (";0012345678?", "em4100:0000bc614e"),
        ("188，24910", "wiegand26:bc614e"),
        ("188,24910188,24910", "wiegand26:bc614e"),
        ("04A2B3C4", "iso14443a:04a2b3c4"),
        ("04a2b3c4d5e6f7", "iso14443a:04a2b3c4d5e6f7"),
        ("04A2B3C4D5E6F704A2B3C4D5E6F7", "iso14443a:04a2b3c4d5e6f7"),
        ("0A00BC614E", "em4100:0a00bc614e"),
        ("iso14443a:04a2b3c4", "iso14443a:04a2b3c4"),
    ],
)
def test_what_a_reader_types_is_the_card_that_doors_read(line: str, meant: str) -> None:
    assert str(typed(line)) == meant


def test_the_version_byte_of_the_site_goes_before_a_printed_number() -> None:
    assert typed("0012345678", 0x1A).data[0] == 0x1A


@pytest.mark.parametrize(
    "line", ["", "\r\n", "no card", "0012345678 0012345679", "04A2B3C4D5", "12"]
)
def test_what_is_no_card_is_refused(line: str) -> None:
    if line == "04A2B3C4D5":
        assert str(typed(line)) == "em4100:04a2b3c4d5"
        return
    with pytest.raises(OperatorError):
        typed(line)


def test_eight_digits_may_be_three_things_and_are_none() -> None:
    with pytest.raises(OperatorError) as refused:
        typed("18824910")
    assert "0018824910" in refused.value.next_step
    assert "188,24910" in refused.value.next_step
    assert "iso14443a:18824910" in refused.value.next_step


@pytest.mark.parametrize("uid", [UID[:4], UID, UID + b"\x01\x02\x03"])
def test_a_pcsc_reader_gives_the_credential_that_door_readers_make(uid, monkeypatch) -> None:
    fake_pyscard.install(monkeypatch, Reader(), Reader(uid))
    assert str(PcscReader().wait()) == f"iso14443a:{uid.hex()}"


def test_it_waits_for_the_card(monkeypatch) -> None:
    reader = Reader()
    fake_pyscard.install(monkeypatch, reader)
    steps: list[float] = []

    def sleep(seconds: float) -> None:
        steps.append(seconds)
        if len(steps) == 3:
            reader.uid, reader.taken_away = UID, True

    assert PcscReader().wait(sleep=sleep, clock=lambda: 0.0).data == UID
    assert len(steps) == 4, "a card that was taken away too soon is waited for once more"


def test_no_card_in_time_and_no_reader_are_said(monkeypatch) -> None:
    fake_pyscard.install(monkeypatch, Reader())
    with pytest.raises(OperatorError, match="No card was held"):
        PcscReader().wait(wait_s=0.0)
    fake_pyscard.install(monkeypatch)
    with pytest.raises(OperatorError, match="No PC/SC reader"):
        PcscReader().wait(wait_s=0.0)
    fake_pyscard.install(monkeypatch, runs=False)
    with pytest.raises(LinkError, match="service"):
        PcscReader().wait(wait_s=0.0)


@pytest.mark.parametrize(
    ("uid", "atr", "status"),
    [
        (bytes.fromhex("08a2b3c4"), fake_pyscard.STORAGE_A, (0x90, 0)),  # made up at each touch
        (UID[:4], bytes.fromhex("3b88800100000000338181003a"), (0x90, 0)),  # type B
        (UID[:4], fake_pyscard.STORAGE_A.replace(b"\x06\x03", b"\x06\x07"), (0x90, 0)),
        (UID + b"\x01", fake_pyscard.STORAGE_A, (0x90, 0)),  # eight bytes: not of type A
        (b"", fake_pyscard.STORAGE_A, (0x6A, 0x81)),
    ],
)
def test_what_doors_would_not_read_so_is_refused(uid, atr, status, monkeypatch) -> None:
    reader = Reader(uid, atr)
    reader.status = status
    fake_pyscard.install(monkeypatch, reader)
    with pytest.raises(OperatorError):
        PcscReader().wait(wait_s=0.0)


def test_without_pyscard_two_lines_say_so(monkeypatch) -> None:
    for name in ("smartcard", "smartcard.System", "smartcard.Exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(OperatorError) as refused:
        PcscReader()
    assert "pyscard" in refused.value.what
    assert "reader" in refused.value.next_step
