"""Making a site folder: beside its final place, renamed when it is whole (host)."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller_tool import disk
from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE, write_private_file
from controller_tool.messages import t
from controller_tool.registry.sealing import Vault, new_key, wrap_key
from controller_tool.services.site import KEYS_FOLDER, REGISTRY_KEY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Draft:
    """A folder that is being made. key_password: what its private keys are to be sealed with."""

    path: Path
    key_password: str


@contextmanager
def draft(folder: Path, passphrase: str) -> Iterator[Draft]:
    """A folder to fill, with a fresh registry key in it; in place when the block ends well.

    Raises OperatorError as `empty` does.
    """
    with empty(folder) as made:
        (made / KEYS_FOLDER).mkdir(mode=FOLDER_MODE)
        key = new_key()
        write_private_file(made / KEYS_FOLDER / REGISTRY_KEY_FILE, wrap_key(key, passphrase))
        yield Draft(made, Vault(key).key_password)


@contextmanager
def empty(folder: Path) -> Iterator[Path]:
    """A folder to fill, for its owner alone; in place when the block ends well.

    Raises OperatorError when ``folder`` is there already and not empty, or cannot be made.
    """
    final = folder.resolve()
    require_free(folder)
    made = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own, readable by the owner alone: nothing that lies there is touched
        made = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
        yield made
        if final.is_dir():
            final.rmdir()  # fails when something came into it meanwhile
        made.rename(final)
        disk.keep(final.parent)
    except OSError as error:
        raise OperatorError(
            t("{path} cannot be made ({error})", path=folder, error=error.strerror or error),
            disk.next_step(error) if disk.is_full(error) else t("Name a new folder"),
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def require_free(folder: Path) -> None:
    """OperatorError where no new folder can be: seen before keys are made, which takes long."""
    final = folder.resolve()
    if final == Path.cwd():
        raise OperatorError(
            t("{path} is the folder you are in", path=final), t("Name a new folder")
        )
    try:
        taken = final.exists() and (not final.is_dir() or any(final.iterdir()))
    except OSError:
        taken = True
    if taken:
        raise OperatorError(
            t("{path} exists and is not empty", path=folder), t("Name a new folder")
        )
