"""Which role of peer may call which operation (both interpreters)."""

from protocol.codes import (
    OP_DO_TICKET,
    OP_ENROLL,
    OP_FIRMWARE_BEGIN,
    OP_FIRMWARE_CHUNK,
    OP_FIRMWARE_COMMIT,
    OP_FIRMWARE_PROVE,
    OP_GET_AUDIT_KEY,
    OP_GET_BUCKETS,
    OP_GET_CONFIG,
    OP_GET_CREDENTIAL,
    OP_GET_INFO,
    OP_GET_NONCE,
    OP_GET_PORTS,
    OP_GET_RECEIPT,
    OP_GET_RECORDS,
    OP_GET_STATE,
    OP_GET_TIME,
    OP_JOURNAL_HEAD,
    OP_JOURNAL_READ,
    OP_JOURNAL_SECTORS,
    OP_LIST_BEGIN,
    OP_LIST_CHUNK,
    OP_LIST_COMMIT,
    OP_PING,
    OP_PUT_CHECKPOINT,
    OP_PUT_CONFIG,
    OP_PUT_TRUST,
    OP_READ_ENERGY,
    OP_SELF_TEST,
    OP_SET_SIGNED_TIME,
    OP_SET_TIME,
    ROLE_AUDITOR,
    ROLE_DESK,
    ROLE_HUB,
    ROLE_INSTALLER,
    ROLE_TECHNICIAN,
)

_TIMES = (OP_SET_TIME, OP_SET_SIGNED_TIME, OP_GET_NONCE)
# a ticket or configuration proves itself; what is read is for those who set it up or enrol cards
_ON_SITE = (OP_DO_TICKET, OP_GET_CONFIG, OP_PUT_CONFIG, OP_GET_CREDENTIAL)
_ALLOWED: "dict[int, tuple[int, ...]]" = {
    ROLE_INSTALLER: _ON_SITE + (OP_SELF_TEST, OP_ENROLL),  # noqa: RUF005  not in MicroPython
    ROLE_DESK: _ON_SITE + (OP_PUT_CHECKPOINT,),  # noqa: RUF005
    ROLE_TECHNICIAN: _ON_SITE + (OP_SELF_TEST, OP_GET_RECEIPT),  # noqa: RUF005
    ROLE_AUDITOR: (),
    ROLE_HUB: (OP_PUT_CHECKPOINT,),
}
# a bundle proves itself, and whoever brings it has to see that it works
_FIRMWARE = (OP_FIRMWARE_BEGIN, OP_FIRMWARE_CHUNK, OP_FIRMWARE_COMMIT, OP_FIRMWARE_PROVE)
# a list or trust object proves itself; the keyed hashes and dates of a list name nobody
_LISTS = (
    OP_LIST_BEGIN,
    OP_LIST_CHUNK,
    OP_LIST_COMMIT,
    OP_GET_RECEIPT,
    OP_GET_BUCKETS,
    OP_GET_RECORDS,
    OP_PUT_TRUST,
)
_LIST_ROLES = (ROLE_INSTALLER, ROLE_DESK, ROLE_HUB)
# reading what the controller is, says and has written: every role
_ANYONE = (
    OP_GET_INFO,
    OP_GET_STATE,
    OP_GET_TIME,
    OP_JOURNAL_HEAD,
    OP_JOURNAL_READ,
    OP_JOURNAL_SECTORS,
    OP_GET_AUDIT_KEY,
    OP_PING,
    OP_GET_PORTS,
    OP_READ_ENERGY,
)


def may(role: int, operation: int) -> bool:
    """Whether a peer of this role may call the operation; False for roles that do not exist."""
    allowed = _ALLOWED.get(role)
    if allowed is None:
        return False
    return (
        operation in allowed
        or operation in _ANYONE
        or (operation in _TIMES and role != ROLE_AUDITOR)
        or (operation in _LISTS and role in _LIST_ROLES)
        or (operation in _FIRMWARE and role != ROLE_AUDITOR)
    )
