"""Where the passphrase of a site folder comes from: variable, keyring, prompt (host).

An operator's own secret comes the same way, without the keyring.

It is never written in clear and never put on a command line.
"""

import os
import sys
from pathlib import Path

import click

from controller_tool.errors import OperatorError
from controller_tool.messages import t

VARIABLE = "CONTROLLER_TOOL_PASSPHRASE"
EXPORT_VARIABLE = "CONTROLLER_TOOL_EXPORT_PASSPHRASE"
OWN_VARIABLE = "CONTROLLER_TOOL_OPERATOR_SECRET"
NEW_OWN_VARIABLE = "CONTROLLER_TOOL_NEW_OPERATOR_SECRET"
KEYRING_SERVICE = "controller-tool"
MIN_CHARACTERS = 8


def find(site_path: Path, keyring_user: str | None = None) -> str:
    """Passphrase to open ``site_path`` with; OperatorError when nobody can be asked.

    Order: CONTROLLER_TOOL_PASSPHRASE, system keyring (only if the site was put there), prompt.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return given
    if keyring_user:
        stored = from_keyring(keyring_user)
        if stored:
            return stored
    return _ask(t("Passphrase of {path}", path=site_path), VARIABLE, confirm=False)


def choose(path: Path, variable: str = VARIABLE) -> str:
    """Passphrase for a new folder; OperatorError when it is too short."""
    chosen = os.environ.get(variable) or _ask(
        t("New passphrase for {path}", path=path), variable, confirm=True
    )
    check_strength(chosen)
    return chosen


def operator_secret(name: str) -> str:
    """What operator ``name`` proves themselves with; OperatorError when nobody can be asked."""
    return os.environ.get(OWN_VARIABLE) or _ask(
        t("Secret of {name}", name=name), OWN_VARIABLE, confirm=False
    )


def new_operator_secret(name: str) -> str:
    """A secret that operator ``name`` chooses, typed twice."""
    return os.environ.get(NEW_OWN_VARIABLE) or _ask(
        t("New secret of {name}", name=name), NEW_OWN_VARIABLE, confirm=True
    )


def check_strength(passphrase: str) -> None:
    """Refuse what is too short to protect keys."""
    if len(passphrase) < MIN_CHARACTERS:
        raise OperatorError(
            t("The passphrase is shorter than {n} characters", n=MIN_CHARACTERS),
            t("Choose a longer one; a few random words are good"),
        )


def remember(keyring_user: str, passphrase: str) -> None:
    """Keep the passphrase in the system keyring; OperatorError when there is none."""
    import keyring  # noqa: PLC0415 - slow to import and rarely needed
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        keyring.set_password(KEYRING_SERVICE, keyring_user, passphrase)
    except KeyringError:
        raise OperatorError(
            t("This machine has no usable keyring"),
            t("Give the passphrase in {variable} instead", variable=VARIABLE),
        ) from None


def from_keyring(keyring_user: str) -> str | None:
    """What the system keyring keeps for the tool under this name; None where there is nothing."""
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(KEYRING_SERVICE, keyring_user)
    except KeyringError:
        return None


def _ask(question: str, variable: str, *, confirm: bool) -> str:
    if not sys.stdin.isatty():
        raise OperatorError(
            t("No passphrase given and nobody to ask")
            if variable in (VARIABLE, EXPORT_VARIABLE)
            else t("No secret given and nobody to ask"),
            t("Set the variable {variable}", variable=variable),
        )
    answer: str = click.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
