"""How two readers see one card, and what the desk learns of a card at a reader (host)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller_tool.credentials import Credential, parse
from controller_tool.errors import DeviceError, OperatorError
from controller_tool.services import same_card
from controller_tool.services.card_enroll import wait_open
from protocol.codes import CREDENTIAL_ISO14443A, ERR_BUSY, ERR_STATE
from protocol.names import CREDENTIAL_NAMES


def how(one: str, other: str) -> str:
    relation = same_card.compare(parse(one), parse(other))
    assert relation == same_card.compare(parse(other), parse(one)), "in either order"
    return relation.how


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("iso14443a:04a1b2c3", "iso14443a:04a1b2c3", "same"),
        ("iso14443a:04a1b2c3", "wiegand34:04a1b2c3", "bytes"),
        ("iso14443a:04a1b2c3", "wiegand34:c3b2a104", "reversed"),
        ("iso14443a:04a1b2c3", "wiegand26:a1b2c3", "tail"),
        ("iso14443a:04a1b2c3", "wiegand26:04a1b2", "head"),
        ("iso14443a:04a1b2c3", "wiegand26:b2a104", "head_reversed"),
        ("iso14443a:04a1b2c3", "wiegand26:c3b2a1", "tail_reversed"),
        ("iso14443a:04112233445566", "iso14443a:88041122", "cascade"),
        ("iso14443a:04112233445566", "wiegand34:33445566", "tail"),
        ("0012345678", "188,24910", "tail"),
        ("iso14443a:04a1b2c3", "iso14443a:04a1b2c4", "other"),
        ("iso14443a:04a1b2c3", "wiegand26:a1b2c4", "other"),
        ("iso14443a:04112233445566", "iso14443a:89041122", "other"),
        ("text:41", "text:4142", "other"),
    ],
)
def test_known_forms_are_told_apart(one, other, relation) -> None:
    assert how(one, other) == relation


def test_it_says_how_many_bits_both_have() -> None:
    def bits(one: str, other: str) -> int:
        return same_card.compare(parse(one), parse(other)).shared_bits

    assert bits("iso14443a:04a1b2c3", "wiegand26:a1b2c3") == 24
    assert bits("iso14443a:04112233445566", "iso14443a:88041122") == 24
    assert bits("iso14443a:04a1b2c3", "wiegand34:04a1b2c3") == 32
    assert bits("iso14443a:04a1b2c3", "wiegand26:000000") == 0


@given(st.binary(min_size=3, max_size=10), st.binary(min_size=3, max_size=10))
def test_what_may_be_one_card_shares_its_bytes(one: bytes, other: bytes) -> None:
    relation = same_card.compare(Credential(2, one), Credential(5, other))
    short, long = sorted((one, other), key=len)
    forms = (short, short[::-1])
    shares = any(form in (long[: len(form)], long[-len(form) :]) for form in forms)
    cascade = len(short) == 4 and len(long) > 4 and short == b"\x88" + long[:3]
    assert relation.may_be_one == (shares or cascade)


# --- at a reader ----------------------------------------------------------------------------


class Reader:
    """Answers of a controller, one after another; one that is an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def credential(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def waited(*answers: Any) -> Any:
    client: Any = Reader(*answers)
    return wait_open(client, "door-1", lambda _: None)


def test_the_card_is_told_once_it_was_presented() -> None:
    seen = waited(None, None, [CREDENTIAL_ISO14443A, 0, b"\x04\xa1\xb2\xc3", 1])
    assert (str(seen.credential), seen.reader, seen.bits) == ("iso14443a:04a1b2c3", 1, 0)


def test_no_card_in_time_is_said_so() -> None:
    with pytest.raises(OperatorError, match="No card"):
        waited(None, DeviceError("over", code=ERR_STATE))


def test_another_refusal_is_not_taken_for_it() -> None:
    with pytest.raises(DeviceError, match="busy"):
        waited(DeviceError("busy", code=ERR_BUSY))


@pytest.mark.parametrize("told", [[99, 0, b"abcd", 0], [2, 0, b"", 0], [2, 0, bytes(33), 0]])
def test_what_is_no_credential_is_not_taken_for_one(told) -> None:
    assert 99 not in CREDENTIAL_NAMES
    with pytest.raises(DeviceError, match="cannot be read"):
        waited(told)
