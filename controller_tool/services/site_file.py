"""site.toml: what a site folder is, readable without a passphrase (host)."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from controller_tool.errors import OperatorError
from controller_tool.keys.files import write_private_file
from controller_tool.messages import t

FILE_NAME = "site.toml"
FORMAT = 1
ROLE_OFFICE = "office"


@dataclass(frozen=True)
class SiteFile:
    """The fields of site.toml. ``peers`` are the roles this folder can act as, default first.

    registry: URL of the database on a server, empty where it is a file of this folder.
    """

    site_id: bytes
    name: str
    role: str
    operator: str
    epoch: int
    trust_version: int
    root_keys: int
    root_threshold: int
    peers: tuple[str, ...]
    keyring: bool = False
    registry: str = ""

    def write(self, folder: Path) -> None:
        """Write site.toml into ``folder``."""
        fields: dict[str, object] = {
            "format": FORMAT,
            "site_id": self.site_id.hex(),
            "name": self.name,
            "role": self.role,
            "operator": self.operator,
            "epoch": self.epoch,
            "trust_version": self.trust_version,
            "root_keys": self.root_keys,
            "root_threshold": self.root_threshold,
            "peers": list(self.peers),
            "keyring": self.keyring,
        }
        if self.registry:
            fields["registry"] = self.registry
        # JSON's strings, integers, booleans and arrays of strings are TOML's too
        text = "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in fields.items())
        write_private_file(folder / FILE_NAME, text.encode())


def _peers(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw or not all(isinstance(role, str) for role in raw):
        raise ValueError("peers")
    return tuple(raw)


def read(folder: Path) -> SiteFile:
    """Read site.toml; OperatorError when ``folder`` is not a site folder of this format."""
    try:
        raw = tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise OperatorError(
                t(
                    "{path} has format {format}, this tool knows {known}",
                    path=folder,
                    format=raw["format"],
                    known=FORMAT,
                ),
                t("Update controller-tool on this machine"),
            )
        return SiteFile(
            site_id=bytes.fromhex(raw["site_id"]),
            name=str(raw["name"]),
            role=str(raw["role"]),
            operator=str(raw["operator"]),
            epoch=int(raw["epoch"]),
            trust_version=int(raw["trust_version"]),
            root_keys=int(raw["root_keys"]),
            root_threshold=int(raw["root_threshold"]),
            peers=_peers(raw["peers"]),
            keyring=bool(raw["keyring"]),
            registry=str(raw.get("registry", "")),
        )
    except FileNotFoundError:
        raise OperatorError(
            t("{path} is not a site folder", path=folder),
            t("Give it with --site or CONTROLLER_TOOL_SITE, or make one with: site init"),
        ) from None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise OperatorError(
            t("{path} is damaged ({error})", path=folder / FILE_NAME, error=type(error).__name__),
            t("Restore the site folder from a backup"),
        ) from None
