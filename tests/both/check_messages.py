"""Framing, requests and replies, roles, names (both)."""

from protocol import cbor, codes, framing, messages, names, roles
from protocol.constants import CHUNK_BYTES, JOURNAL_PAGE_RECORDS, MESSAGE_MAX_BYTES
from tests.both.support import raises, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


WRONG = (None, True, "text", [], {})  # type: tuple[Any, ...]


def arguments_of(specs: "tuple[messages.Bounds, ...]") -> "list[Any]":
    """The smallest arguments that fit."""
    return [least if kind == messages.UINT else bytes(least) for kind, least, _ in specs]


def taken(parser: framing.Parser) -> "Any":
    """The next message, decoded; fails when there is none."""
    message = parser.next()
    assert message is not None
    return cbor.decode(message)


def body(framed: bytes) -> bytes:
    return framed[2:]


def test_messages_come_whole_out_of_any_pieces() -> None:
    values = [[1, 2], ["x" * 300], list(range(50))]
    stream = b"".join([framing.encode(value) for value in values])
    for size in (1, 3, 100, 10000):
        parser = framing.Parser()
        got = []
        for at in range(0, len(stream), size):
            parser.feed(stream[at : at + size])
            message = parser.next()
            while message is not None:
                got.append(cbor.decode(message))
                message = parser.next()
        assert got == values, size


def test_the_controllers_way_needs_no_copy() -> None:
    stream = framing.encode([1, 17]) + framing.encode([2, 17])
    parser = framing.Parser(100)
    space = parser.space()
    assert len(space) == 102
    space[: len(stream)] = stream
    parser.filled(len(stream))
    assert taken(parser) == [1, 17]
    assert taken(parser) == [2, 17]
    assert parser.next() is None


def test_lengths_that_no_message_has_lose_the_stream() -> None:
    for head in (b"\x00\x00", (MESSAGE_MAX_BYTES + 1).to_bytes(2, "big"), b"\xff\xff"):
        parser = framing.Parser()
        parser.feed(head)
        raises(framing.BadLength, parser.next)
    raises(framing.BadLength, framing.encode, bytes(MESSAGE_MAX_BYTES))


def test_the_longest_message_passes() -> None:
    value = bytes(MESSAGE_MAX_BYTES - 3)
    parser = framing.Parser()
    parser.feed(framing.encode(value))
    assert taken(parser) == value


def test_every_operation_has_a_name_and_arguments_of_known_types() -> None:
    assert sorted(messages.OPS) == sorted(names.OPERATION_NAMES)
    for operation in messages.OPS:
        for kind, least, greatest in messages.arguments_of(operation):
            assert kind in (messages.UINT, messages.BYTES)
            assert 0 <= least <= greatest


def test_arguments_at_their_bounds_pass_and_beyond_are_refused() -> None:
    for operation in messages.OPS:
        specs = messages.arguments_of(operation)
        for at in range(len(specs)):
            good = arguments_of(specs)
            messages.check_args(operation, good)
            kind, least, greatest = specs[at]
            for number in (greatest, greatest + 1, least - 1):
                arguments = list(good)
                arguments[at] = number if kind == messages.UINT else bytes(max(number, 0))
                if least <= number <= greatest:
                    messages.check_args(operation, arguments)
                elif kind == messages.UINT or number >= 0:
                    refused(codes.ERR_BOUNDS, messages.check_args, operation, arguments)


def test_arguments_of_another_type_or_number_are_refused() -> None:
    for operation in messages.OPS:
        specs = messages.arguments_of(operation)
        good = arguments_of(specs)
        refused(codes.ERR_ARGUMENT, messages.check_args, operation, good + good + [0])
        for at in range(len(specs)):
            refused(codes.ERR_ARGUMENT, messages.check_args, operation, good[:at])
            for wrong in WRONG:
                arguments = list(good)
                arguments[at] = wrong
                refused(codes.ERR_ARGUMENT, messages.check_args, operation, arguments)
    refused(codes.ERR_UNKNOWN_OPERATION, messages.check_args, 99, [])


def test_a_request_reads_back() -> None:
    framed = messages.request(7, codes.OP_LIST_CHUNK, 2048, bytes(CHUNK_BYTES))
    assert len(framed) <= MESSAGE_MAX_BYTES + 2
    assert messages.parse_request(body(framed)) == [7, codes.OP_LIST_CHUNK, 2048, bytes(2048)]
    refused(codes.ERR_BOUNDS, messages.request, 7, codes.OP_LIST_CHUNK, 0, b"")


def test_a_page_of_records_fits_a_reply() -> None:
    page = bytes(48 * JOURNAL_PAGE_RECORDS)
    assert messages.parse_reply(body(messages.reply(3, codes.OK, page))) == (3, 0, page)


def test_requests_without_a_number_are_malformed() -> None:
    for value in (
        5,
        [],
        [1],
        [True, 1],
        [1, True],
        [-1, 1],
        [65536, 1],
        [1, 65536],
        {1: 2},
        ["1", 2],
    ):
        refused(codes.ERR_MALFORMED, messages.parse_request, cbor.encode(value))
    refused(codes.ERR_MALFORMED, messages.parse_request, b"")
    refused(codes.ERR_MALFORMED, messages.parse_request, b"\xff")


def test_replies_of_another_shape_are_malformed() -> None:
    for value in (
        5,
        [],
        [1, 0],
        [1, 0, None, None],
        [1, 5, "told too much"],
        [1, 256, None],
        [1, 5, 2],
        [1, 40, True],
        [1, 41, 256],
    ):
        raises(cbor.Malformed, messages.parse_reply, cbor.encode(value))


def test_a_refused_setting_is_named_and_nothing_else_is() -> None:
    for code in (codes.ERR_SETTING, codes.ERR_NOT_ON_BOARD):
        assert messages.parse_reply(body(messages.reply(3, code, 48))) == (3, code, 48)


def test_those_on_site_configure_and_an_unattended_hub_does_not() -> None:
    for operation in (codes.OP_GET_CONFIG, codes.OP_PUT_CONFIG, codes.OP_GET_CREDENTIAL):
        for role in (codes.ROLE_INSTALLER, codes.ROLE_DESK, codes.ROLE_TECHNICIAN):
            assert roles.may(role, operation)
        assert not roles.may(codes.ROLE_HUB, operation)
        assert not roles.may(codes.ROLE_AUDITOR, operation)


def test_an_auditor_reads_and_does_nothing_else() -> None:
    allowed = [op for op in messages.OPS if roles.may(codes.ROLE_AUDITOR, op)]
    assert sorted(names.OPERATION_NAMES[op] for op in allowed) == [
        "get_audit_key",
        "get_info",
        "get_ports",
        "get_state",
        "get_time",
        "journal_head",
        "journal_read",
        "journal_sectors",
        "ping",
        "read_energy",
    ]


def test_only_an_installer_enrols_and_only_desk_and_hub_put_checkpoints() -> None:
    everyone = (
        codes.ROLE_INSTALLER,
        codes.ROLE_DESK,
        codes.ROLE_TECHNICIAN,
        codes.ROLE_AUDITOR,
        codes.ROLE_HUB,
    )
    assert [r for r in everyone if roles.may(r, codes.OP_ENROLL)] == [codes.ROLE_INSTALLER]
    assert [r for r in everyone if roles.may(r, codes.OP_PUT_CHECKPOINT)] == [
        codes.ROLE_DESK,
        codes.ROLE_HUB,
    ]
    assert not roles.may(codes.ROLE_HUB, codes.OP_DO_TICKET)
    assert not roles.may(codes.ROLE_TECHNICIAN, codes.OP_LIST_BEGIN)


def test_roles_and_operations_that_do_not_exist_may_nothing() -> None:
    for role in (0, 6, 255):
        assert not any(roles.may(role, op) for op in messages.OPS)
    assert not roles.may(codes.ROLE_INSTALLER, 0)
    assert not roles.may(codes.ROLE_INSTALLER, 99)


def test_every_code_has_a_name_of_its_own() -> None:
    for prefix, table in (
        ("ERR_", names.ERROR_NAMES),
        ("EVENT_", names.EVENT_NAMES),
        ("REASON_", names.REASON_NAMES),
        ("END_", names.END_NAMES),
        ("OP_", names.OPERATION_NAMES),
        ("ROLE_", names.ROLE_NAMES),
        ("KEY_", names.KEY_ROLE_NAMES),
        ("CREDENTIAL_", names.CREDENTIAL_NAMES),
    ):
        numbers = [getattr(codes, name) for name in dir(codes) if name.startswith(prefix)]
        assert len(numbers) == len(set(numbers)), prefix
        assert set(numbers) <= set(table), prefix
        assert len(set(table.values())) == len(table), prefix
