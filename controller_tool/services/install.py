"""What provisioning puts on a board, and how it checks that (host)."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from controller_tool.errors import DeviceError, ImageError, OperatorError
from controller_tool.messages import t
from controller_tool.pack import boot_files, build_pack
from controller_tool.services.boards import list_boards

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller_tool.repl import BoardRepl
    from controller_tool.services.boards import Board
    from controller_tool.services.devices import NewDevice

FIRMWARE_PATH = "/fw0.pack"
CONFIG_PATH = "/cfg/config.cbor"
_NEEDED_PARTITIONS = ("alarm", "journal", "keys", "lists", "vfs")
_SEED_SECTORS = (0, 8)  # key cells: the access ring's eight sectors, then the alarm ring's
_KEPT_FREE_BYTES = 64 * 1024
# CPython 3.11's ast module fails now and then in two threads at once
_building = threading.Lock()
_RELEASE_MIN = (1, 23)  # the first whose TLS can be a server over any stream


@dataclass(frozen=True)
class Plan:
    """What a run would do; shown by the dry run."""

    name: str
    board: str
    found: dict[str, Any]
    files: int
    firmware_bytes: int


@dataclass(frozen=True)
class Copied:
    """Files that were written, and those that were there already, byte for byte.

    firmware_bytes: of boot files and pack; sha256: as the controller tells it, "" where that was
    an earlier run's.
    """

    written: int
    kept: int
    firmware_bytes: int = 0
    sha256: str = ""


def firmware_files(board: str) -> dict[str, bytes]:
    """The firmware by path on the controller: boot files and the pack."""
    with _building:
        return {**boot_files(board), FIRMWARE_PATH: build_pack(board)}


def with_firmware(copied: Copied, firmware: dict[str, bytes]) -> Copied:
    """The same, told which firmware that was."""
    digest = firmware[FIRMWARE_PATH][-hashlib.sha256().digest_size :]  # what a pack ends with
    return replace(copied, firmware_bytes=sum(map(len, firmware.values())), sha256=digest.hex())


def identity_files(new: NewDevice) -> dict[str, bytes]:
    """What makes this controller itself, by path; the configuration is the last."""
    return {
        "/cfg/key.der": new.key_der,
        "/cfg/cert.der": new.cert_der,
        "/cfg/ca.der": new.ca_der,
        "/cfg/trust.cbor": new.trust,
        CONFIG_PATH: new.config,
    }


def utc_fields() -> tuple[int, ...]:
    """Now, as machine.RTC().datetime takes it: UTC, Monday = 0."""
    now = datetime.now(UTC)
    return now.year, now.month, now.day, now.weekday(), now.hour, now.minute, now.second


def check_board(repl: BoardRepl, description: Board) -> dict[str, Any]:
    """What the board says of itself; refuses one that the firmware cannot live on."""
    found = repl.probe()
    release = tuple(int(part) for part in str(found["release"]).split(".")[:2])
    if release < _RELEASE_MIN:
        raise OperatorError(
            t("The board runs MicroPython {release}, which is too old", release=found["release"]),
            t("Flash a stock image of 1.25 or newer"),
        )
    _check_kind(str(found["machine"]), description)
    missing = sorted(set(_NEEDED_PARTITIONS) - set(found["partitions"]))
    if missing:
        raise OperatorError(
            t("The board lacks the partitions {missing}", missing=", ".join(missing)),
            t("Flash it with the partition table of {board}", board=description.name),
        )
    return found


def _check_kind(machine: str, wanted: Board) -> None:
    """A board that names itself is no other; stock images all have the same name."""
    named = [board for board in list_boards() if board.machine and board.machine == machine]
    if wanted.machine == machine or not (wanted.machine or named):
        return
    raise OperatorError(
        t("The board is no {board}, it calls itself {machine}", board=wanted.name, machine=machine),
        t("Give --board {board}", board=named[0].name) if named else t(
            "See `controller-tool board list`"
        ),
    )  # fmt: skip


def prepare_journal(repl: BoardRepl, seeds: tuple[bytes, bytes]) -> None:
    """Clears rings, lists, key cells and NVS and lays the seeds, unless these are there."""
    held = [
        repl.call("journal_area", "slot", sector, len(seed)).strip()
        for sector, seed in zip(_SEED_SECTORS, seeds, strict=True)
    ]
    if held == [seed.hex() for seed in seeds]:
        return
    for label in ("keys", "alarm", "journal", "lists", "nvs"):
        repl.call("journal_area", "clear", label, timeout_s=120.0)
    for sector, seed in zip(_SEED_SECTORS, seeds, strict=True):
        repl.call("journal_area", "write_slot", sector, seed.hex())


def copy(repl: BoardRepl, files: dict[str, bytes], progress: Callable[[int, int], None]) -> Copied:
    """Makes the board's files exactly these, each proven by the hash that it reads back."""
    wanted = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    held = repl.digests()
    strangers = sorted(path for path in held if held[path] != wanted.get(path))
    if strangers:
        repl.call("files", "remove", strangers)
    missing = [path for path in files if held.get(path) != wanted[path]]
    _check_room(repl, sum(len(files[path]) for path in missing))
    total = sum(len(files[path]) for path in missing)
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    for path in missing:
        if repl.put(path, files[path], more) != wanted[path]:
            raise DeviceError(
                t("{path} is not on the board as it was sent", path=path),
                t("Run the command again; if it stays so, the board's flash is worn out"),
            )
    return Copied(len(missing), len(files) - len(missing))


def _check_room(repl: BoardRepl, needed_bytes: int) -> None:
    free = int(repl.probe()["free_bytes"])
    if free < needed_bytes + _KEPT_FREE_BYTES:
        raise ImageError(
            t("The board has room for {free} bytes and needs {needed}",
              free=free, needed=needed_bytes + _KEPT_FREE_BYTES),
            t("Use a board with a larger flash"),
        )  # fmt: skip
