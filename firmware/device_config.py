"""A signed configuration: judged, kept, found again at a start, put into force (device).

Loaded for each of these and forgotten after it. Rules, in the order in which they are applied:

- signature of a ticket key, site, device, the epoch in force; then the version: above that of the
  configuration in force, and not below any that was ever taken in this epoch (a floor, in NVS and
  in the files), so that what rotted can be sent again and what is older cannot
- settings: protocol/settings.py against what this board has; the first that is refused is named.
  A supply that is to hold writes below what it has now is refused too
- kept: the one in force is copied to be the one before, then the new one is renamed into its
  place, then the journal record, then the floor; a start finishes what power cut off
- in force: as soon as it is on record, the session over and all doors shut (firmware/door.py
  `is_shut`) or the port idle, and without a restart, which would let go of a fail-safe lock. The
  doors are built anew: what they do not read from NVS, they forget

The files hold what was signed and its SHA-256, without the signature: a ticket key may be retired
while what it once signed stays in force, and whoever can write these files can write the firmware.
A damaged file stands back for the one before it. With none left the lock goes to its fail state:
what a powered relay locks is not powered any more, everything else runs on its defaults.
"""

import os
from hashlib import sha256

from firmware.config import read_file
from firmware.loan import forget
from protocol import cbor
from protocol.codes import (
    ERR_DIGEST,
    ERR_EPOCH,
    ERR_MALFORMED,
    ERR_OTHER_DEVICE,
    ERR_OTHER_SITE,
    ERR_SETTING,
    ERR_VERSION_LOW,
    EVENT_CONFIG_CHANGED,
    EVENT_CONFIG_REFUSED,
)
from protocol.constants import CONFIG_VERSION_MAX
from protocol.messages import Refused, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.controller import Controller, Value
    from protocol.cose import Buffer

    Held = tuple[int, dict[int, Any], bool]

PATH = "/cfg/settings"
PATH_BEFORE = "/cfg/settings.old"
PATH_NEW = "/cfg/settings.new"
FLOOR = "floor_config"  # in NVS: epoch and version in one number, so that they change together
_VERSION_BITS = 14
_DIGEST_BYTES = 32
_FAIL_SAFE = 2  # of "lock" in NVS
_SUPPLY_HOLD_MV = 49
_BROKEN_MV = 3000  # as firmware/supply.py, which few boards load


def _read(path: str) -> "bytes | None":
    """What was signed, if the file is whole; empty: there is none; None: it is damaged."""
    try:
        data = read_file(path)
    except OSError:
        return b""
    payload = data[:-_DIGEST_BYTES]
    return payload if sha256(payload).digest() == data[-_DIGEST_BYTES:] else None


def held() -> "Held":
    """(epoch and version, settings, whether a file was damaged) of what counts on the flash."""
    damaged = False
    for path in (PATH, PATH_BEFORE):
        payload = _read(path)
        damaged = damaged or payload is None
        if payload:
            fields = cbor.decode(payload)
            return fields[2] << _VERSION_BITS | fields[3], fields[4], damaged
    return 0, {}, damaged


def settings_before() -> "dict[int, Any]":
    """Those of the configuration before the one that is kept."""
    payload = _read(PATH_BEFORE)
    return cbor.decode(payload)[4] if payload else {}


# --- at a start -----------------------------------------------------------------------------


def started(c: "Controller") -> None:
    """Take the settings over before anything is built by them; config_waits: to be told of."""
    stamp, settings, damaged = held()
    c.config.take(settings)
    floor = c.nvs.get(FLOOR)
    c.config_waits = damaged or stamp != floor
    c.config_lost = not stamp and c.config_waits
    if not c.config_lost:
        _remember_lock(c)
    elif c.nvs.get("lock") == _FAIL_SAFE:
        _let_go(c)


def _remember_lock(c: "Controller") -> None:
    c.nvs.put("lock", _FAIL_SAFE if c.config.fail_safe else 1)  # for the way out, should it rot


def _let_go(c: "Controller") -> None:
    """No relay is powered: what they lock is released until there is a configuration again."""
    relays = [_Unpowered(pin) for pin in c.board.relays()]
    c.board.relays = lambda: relays


class _Unpowered:
    """A relay that stays in its fail state, whatever is asked of it."""

    def __init__(self, pin: "Any") -> None:
        self._pin = pin
        pin.value(0)

    def value(self, level: "int | None" = None) -> "int | None":
        return None if level is not None else self._pin.value()


def tell(c: "Controller") -> None:
    """Journal and floor, where they are behind what the flash holds, and damage."""
    stamp, _, damaged = held()
    c.config_waits = False
    floor = c.nvs.get(FLOOR)
    if damaged or stamp < floor:
        version = stamp & CONFIG_VERSION_MAX
        code = ERR_DIGEST if damaged else ERR_VERSION_LOW
        c.journal.note(EVENT_CONFIG_REFUSED, code, extra=version)
    if stamp > floor:
        try:
            _changed(c, stamp)
        except OSError:  # a flash that refuses must not keep the way out from being served
            c.config_waits = True


def _changed(c: "Controller", stamp: int) -> None:
    c.journal.record(EVENT_CONFIG_CHANGED, extra=stamp & CONFIG_VERSION_MAX)
    c.nvs.put(FLOOR, stamp)


# --- requests -------------------------------------------------------------------------------


def get(c: "Controller") -> "Value":
    """[epoch, version, whether it is in force, settings, numbers of secrets that are set]."""
    from protocol.settings import SECRETS

    forget("protocol.settings")
    stamp, settings, _ = held()
    shown = {n: settings[n] for n in settings if n not in SECRETS}
    secret = [n for n in SECRETS if n in settings]
    version = stamp & CONFIG_VERSION_MAX
    return [stamp >> _VERSION_BITS, version, not c.config_waits, shown, secret]


def put(c: "Controller", payload: "Buffer") -> int:
    """Keep what was signed, to be put into force; returns its version, raises Refused."""
    stamp = _judge(c, payload)
    _keep(payload)
    c.config_waits = True
    _changed(c, stamp)
    return stamp & CONFIG_VERSION_MAX


def _judge(c: "Controller", payload: "Buffer") -> int:
    """Its epoch and version in one number; raises Refused."""
    fields = cbor.decode(payload)
    if not isinstance(fields, list) or len(fields) != 5 or not isinstance(fields[4], dict):
        raise Refused(ERR_MALFORMED)
    if fields[0] != c.config.site:
        raise Refused(ERR_OTHER_SITE)
    if fields[1] != c.config.device:
        raise Refused(ERR_OTHER_DEVICE)
    epoch, version, settings = fields[2:]
    if not is_number(epoch, 0xFFFF) or not is_number(version, CONFIG_VERSION_MAX) or not version:
        raise Refused(ERR_MALFORMED)
    if epoch != c.config.epoch:
        raise Refused(ERR_EPOCH)
    stamp: int = epoch << _VERSION_BITS | version
    if stamp <= held()[0] or stamp < c.nvs.get(FLOOR):
        raise Refused(ERR_VERSION_LOW)
    for number in settings:
        if not is_number(number, 0xFF):
            raise Refused(ERR_MALFORMED)
    from protocol.settings import first_problem

    forget("protocol.settings")
    code, number = first_problem(settings, c.board.KIND, c.board.capabilities)
    if code:
        raise Refused(code, number)
    _require_supply(c, settings.get(_SUPPLY_HOLD_MV, 0))
    return stamp


def _require_supply(c: "Controller", hold_mv: int) -> None:
    """What would be a sag at once would have every request that could mend it wait."""
    if c.supply is not None and _BROKEN_MV <= c.supply.mv < hold_mv + hold_mv // 20:
        raise Refused(ERR_SETTING, _SUPPLY_HOLD_MV)


def _keep(payload: "Buffer") -> None:
    before = _read(PATH)
    if before:
        _write(before, PATH_BEFORE)
    _write(payload, PATH)


def _write(payload: "Buffer", path: str) -> None:
    with open(PATH_NEW, "wb") as file:
        file.write(payload)
        file.write(sha256(payload).digest())
    os.rename(PATH_NEW, path)


# --- into force -----------------------------------------------------------------------------


def apply(c: "Controller") -> None:
    """Take over what is kept; the door or port is built anew by it, and its lock does not move.

    OSError when it cannot be written: it waits on.
    """
    stamp, settings, _ = held()
    if stamp > c.nvs.get(FLOOR):  # the journal did not take it when it came
        _changed(c, stamp)
    wifi = c.config.wifi
    c.config.take(settings)
    _remember_lock(c)
    c.config_waits = False
    if c.config.wifi != wifi:
        c.station.disconnect()
