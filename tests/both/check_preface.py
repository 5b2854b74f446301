"""The keyed preface: golden vector, and every change refused (both)."""

from binascii import unhexlify

from protocol import preface
from tests.both.support import flipped, raises, vectors

VECTOR = vectors("session")
LINK_ROOT = unhexlify(VECTOR["key"])
DEVICE = unhexlify(VECTOR["device"])
PEER = unhexlify(VECTOR["peer"])
CONTROLLER_NONCE = unhexlify(VECTOR["controller_nonce"])
PEER_NONCE = unhexlify(VECTOR["peer_nonce"])
KEY = unhexlify(VECTOR["peer_key"])
ANSWER = unhexlify(VECTOR["answer"])
VERDICT = unhexlify(VECTOR["verdict"])
ROLE = VECTOR["role"]


def test_greeting_carries_the_nonce() -> None:
    assert preface.read_greeting(preface.greeting(CONTROLLER_NONCE)) == CONTROLLER_NONCE
    good = preface.greeting(CONTROLLER_NONCE)
    for bad in (good[:-1], good + b"\x00", b"CTL2" + good[4:], b""):
        raises(preface.Refused, preface.read_greeting, bad)


def test_peer_makes_the_answer_of_the_vector() -> None:
    assert preface.peer_key(LINK_ROOT, ROLE, PEER) == KEY
    made = preface.answer(KEY, DEVICE, ROLE, PEER, CONTROLLER_NONCE, PEER_NONCE)
    assert made == ANSWER


def test_controller_takes_it_and_says_the_verdict_of_the_vector() -> None:
    role, exchange = preface.check_answer(LINK_ROOT, DEVICE, CONTROLLER_NONCE, memoryview(ANSWER))
    assert (role, exchange.peer_id) == (ROLE, PEER)
    assert preface.verdict(exchange, 1, 7) == VERDICT


def test_peer_takes_the_verdict() -> None:
    said = preface.check_verdict(KEY, DEVICE, PEER, CONTROLLER_NONCE, PEER_NONCE, VERDICT)
    assert said == (1, 7)


def test_every_flipped_bit_of_an_answer_is_refused() -> None:
    for bit in range(8 * len(ANSWER)):
        raises(
            preface.Refused,
            preface.check_answer,
            LINK_ROOT,
            DEVICE,
            CONTROLLER_NONCE,
            flipped(ANSWER, bit),
        )


def test_every_flipped_bit_of_a_verdict_is_refused() -> None:
    for bit in range(8 * len(VERDICT)):
        raises(
            preface.Refused,
            preface.check_verdict,
            KEY,
            DEVICE,
            PEER,
            CONTROLLER_NONCE,
            PEER_NONCE,
            flipped(VERDICT, bit),
        )


def test_answers_for_another_controller_nonce_or_root_are_refused() -> None:
    for root, device, nonce in (
        (LINK_ROOT, DEVICE, PEER_NONCE),
        (LINK_ROOT, PEER, CONTROLLER_NONCE),
        (bytes(32), DEVICE, CONTROLLER_NONCE),
    ):
        raises(preface.Refused, preface.check_answer, root, device, nonce, ANSWER)


def test_a_key_of_one_role_does_not_answer_for_another() -> None:
    forged = preface.answer(KEY, DEVICE, ROLE + 1, PEER, CONTROLLER_NONCE, PEER_NONCE)
    raises(preface.Refused, preface.check_answer, LINK_ROOT, DEVICE, CONTROLLER_NONCE, forged)


def test_messages_of_another_length_are_refused() -> None:
    for data in (b"", ANSWER[:-1], ANSWER + b"\x00", VERDICT):
        raises(preface.Refused, preface.check_answer, LINK_ROOT, DEVICE, CONTROLLER_NONCE, data)
    for data in (b"", VERDICT[:-1], VERDICT + b"\x00", ANSWER):
        raises(
            preface.Refused,
            preface.check_verdict,
            KEY,
            DEVICE,
            PEER,
            CONTROLLER_NONCE,
            PEER_NONCE,
            data,
        )
