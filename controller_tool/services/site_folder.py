"""Making a site folder: beside its final place, renamed when it is whole (host)."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller_tool.errors import OperatorError
from controller_tool.keys.files import FOLDER_MODE, write_private_file
from controller_tool.messages import t
from controller_tool.registry.sealing import new_key, wrap_key
from controller_tool.services.site import KEYS_FOLDER, REGISTRY_KEY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def draft(folder: Path, passphrase: str) -> Iterator[Path]:
    """A folder to fill, with a fresh registry key in it; in place when the block ends well.

    Raises OperatorError when ``folder`` is there already and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OperatorError(
            t("{path} exists and is not empty", path=folder), t("Name a new folder")
        )
    made = folder.absolute().with_name(folder.absolute().name + ".new")
    shutil.rmtree(made, ignore_errors=True)
    (made / KEYS_FOLDER).mkdir(parents=True)
    for path in (made, made / KEYS_FOLDER):
        path.chmod(FOLDER_MODE)
    write_private_file(made / KEYS_FOLDER / REGISTRY_KEY_FILE, wrap_key(new_key(), passphrase))
    try:
        yield made
        if folder.is_dir():
            folder.rmdir()  # it is empty, as seen above
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
