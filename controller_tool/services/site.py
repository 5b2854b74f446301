"""An opened site folder: its registry, its keys, and what its role may do (host).

Opening asks for no passphrase; the first use of a secret does. Safe to share between threads.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import select

from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.keys.files import PrivateKey, load_key, peer_id
from controller_tool.keys.signing import Signer
from controller_tool.messages import name_of, t
from controller_tool.registry.database import Registry
from controller_tool.registry.models import Device, Operator, PeerLink
from controller_tool.registry.sealing import Vault, unwrap_key
from controller_tool.rules import duty, refusal
from controller_tool.services import site_file
from protocol import preface
from protocol.codes import ROLE_AUDITOR, ROLE_DESK, ROLE_HUB, ROLE_INSTALLER, ROLE_TECHNICIAN

ROLE_CODES = {
    "installer": ROLE_INSTALLER,
    "desk": ROLE_DESK,
    "technician": ROLE_TECHNICIAN,
    "auditor": ROLE_AUDITOR,
    "hub": ROLE_HUB,
}
CARD_ROLES = ("office", "desk", "hub")  # their folders hold the cards (services.export)
REGISTRY_FILE = "registry.sqlite"
REGISTRY_KEY_FILE = "registry.key"
TRUST_FILE = "trust.cbor"
KEYS_FOLDER = "keys"


@dataclass(frozen=True)
class Peer:
    """A key and certificate to speak to controllers with; files as ssl.load_cert_chain wants."""

    role: int
    role_name: str
    id: bytes
    cert_path: Path
    key_path: Path
    password: str


class Site:
    """A site folder in use. ``role`` is "office" or the role that the folder was exported for.

    new: the folder is being made and gets an empty registry.
    """

    def __init__(
        self,
        path: Path,
        facts: site_file.SiteFile,
        passphrase: str | None = None,
        operator: str | None = None,
        *,
        new: bool = False,
    ) -> None:
        self.path = path
        self.facts = facts
        self.operator = operator or facts.operator
        self.proven_operator: str | None = None  # whose secret this run has seen
        self.registry = Registry(facts.registry or path / REGISTRY_FILE, new=new)
        self._passphrase = passphrase
        self._vault: Vault | None = None
        self._keys: dict[str, PrivateKey] = {}
        self._peers: dict[str, Peer] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(
        cls, path: Path | str, passphrase: str | None = None, operator: str | None = None
    ) -> "Site":
        """Open the folder; OperatorError when it is none, or its operator is one no more."""
        folder = Path(path)
        site = cls(folder, site_file.read(folder), passphrase, operator)
        try:
            site._require_in_service()
        except OperatorError:
            site.close()
            raise
        return site

    def _require_in_service(self) -> None:
        with self.registry.session() as session:
            row = session.scalar(select(Operator).where(Operator.name == self.operator))
        if row is not None and row.ended_at_s is not None:
            refusal.require(duty.in_service(duty.Who(row.name, row.role, ended=True)))

    def close(self) -> None:
        """Forget keys and let go of the registry."""
        with self._lock:
            self._keys.clear()
            self._vault = None
        self.registry.close()

    @property
    def name(self) -> str:
        """Name of the site."""
        return self.facts.name

    @property
    def id(self) -> bytes:
        """Site id, 8 bytes."""
        return self.facts.site_id

    @property
    def epoch(self) -> int:
        """Epoch of the trust object."""
        return self.facts.epoch

    @property
    def role(self) -> str:
        """ "office", or the role of an exported folder."""
        return self.facts.role

    @property
    def passphrase(self) -> str:
        """Passphrase of the folder, asked for once."""
        with self._lock:
            if self._passphrase is None:
                user = self.id.hex() + self.role if self.facts.keyring else None
                self._passphrase = passphrases.find(self.path, user)
            return self._passphrase

    @property
    def vault(self) -> Vault:
        """Opens the sealed columns of the registry."""
        with self._lock:
            if self._vault is None:
                content = self._read(f"{KEYS_FOLDER}/{REGISTRY_KEY_FILE}")
                self._vault = Vault(unwrap_key(content, self.passphrase))
            return self._vault

    def unlock(self) -> None:
        """Ask for the passphrase now, where secrets will be used with the registry locked.

        Nobody else can write while the lock is held: they must not wait for one who types.
        """
        _ = self.vault

    # --- keys ----------------------------------------------------------------------------

    def holds(self, key_name: str) -> bool:
        """Whether this folder has that private key."""
        return self.key_path(key_name).is_file()

    def require(self, key_name: str) -> None:
        """OperatorError, in one line, when this folder lacks what the act needs."""
        if not self.holds(key_name):
            raise OperatorError(
                t(
                    "This {role} folder does not hold the {key} key",
                    role=name_of("role", self.role),
                    key=key_name,
                ),
                t("Do this in a folder that holds it, such as the office's"),
            )

    def require_cards(self) -> None:
        """OperatorError, in one line, when this role's folder was given no cards to work with."""
        if self.role not in CARD_ROLES:
            raise OperatorError(
                t("This {role} folder cannot do that with cards", role=name_of("role", self.role)),
                t("Use the desk's folder"),
            )

    def key_path(self, name: str) -> Path:
        """File of the private key ``name``."""
        return self.path / KEYS_FOLDER / f"{name}.pem"

    def certificate_path(self, name: str) -> Path:
        """File of the certificate that belongs to the key ``name``."""
        return self.path / KEYS_FOLDER / f"{name}.crt.pem"

    def forget(self, name: str) -> None:
        """Remove the private key ``name`` from this folder."""
        with self._lock:
            self._keys.pop(name, None)
            self.key_path(name).unlink()

    def replace_key(self, name: str, newer: str) -> None:
        """The key ``newer`` of this folder takes the place and name of ``name``."""
        with self._lock:
            for key in (name, newer):
                self._keys.pop(key, None)
            for suffix in (".pub.pem", ".pem"):
                path = self.path / KEYS_FOLDER / f"{newer}{suffix}"
                if path.is_file():
                    path.replace(path.with_name(f"{name}{suffix}"))

    def private_key(self, name: str) -> PrivateKey:
        """The private key ``name`` of whatever kind; OperatorError when this folder lacks it."""
        return self._load(name)

    def rsa_key(self, name: str) -> rsa.RSAPrivateKey:
        """The RSA key ``name``; OperatorError when this folder lacks it."""
        key = self._load(name)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise OperatorError(t("Key {name} is of an unknown kind", name=name))
        return key

    def ec_key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The P-256 key ``name``; OperatorError when this folder lacks it."""
        key = self._load(name)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise OperatorError(t("Key {name} is of an unknown kind", name=name))
        return key

    def certificate(self, name: str) -> x509.Certificate:
        """The certificate ``name`` of an authority or peer of this folder."""
        path = self.certificate_path(name)
        try:
            return x509.load_pem_x509_certificate(self._read(f"{KEYS_FOLDER}/{path.name}"))
        except ValueError:
            raise OperatorError(
                t("{path} is damaged ({error})", path=path.name, error=t("no certificate")),
                t("Restore the site folder from a backup"),
            ) from None

    def signer(self, key_name: str) -> Signer:
        """Signer of one role ("whitelist", "ticket", "checkpoint", "firmware")."""
        return Signer.of(self.rsa_key(key_name))

    def sign(self, key_name: str, aad: bytes, payload: bytes) -> bytes:
        """COSE envelope over ``payload``, made with the key of that role."""
        return self.signer(key_name).envelope(aad, payload)

    def trust_object(self) -> bytes:
        """The signed trust object as controllers take it."""
        return self._read(TRUST_FILE)

    def _read(self, name: str) -> bytes:
        """A file of this folder; OperatorError when it is gone."""
        try:
            return (self.path / name).read_bytes()
        except OSError:
            raise OperatorError(
                t("{path} of this site folder cannot be read", path=name),
                t("Restore the site folder from a backup"),
            ) from None

    def _load(self, name: str) -> PrivateKey:
        with self._lock:
            if name not in self._keys:
                self.require(name)
                self._keys[name] = load_key(self.key_path(name), self.vault.key_password)
            return self._keys[name]

    # --- controllers -----------------------------------------------------------------------

    def device(self, name: str) -> Device:
        """The controller of that name; OperatorError when the registry has none."""
        with self.registry.session() as session:
            found = session.scalar(select(Device).where(Device.name == name))
        if found is None:
            raise OperatorError(
                t("No controller is named {name}", name=name),
                t("See the names with: device list"),
            )
        return found

    def devices(self, enrolled: bool | None = None) -> list[Device]:
        """All controllers by name; True or False picks the enrolled ones or the others."""
        query = select(Device).order_by(Device.name)
        if enrolled is not None:
            empty = Device.enrolled_at_s.is_(None)
            query = query.where(~empty if enrolled else empty)
        with self.registry.session() as session:
            return list(session.scalars(query))

    def chosen(self, names: Sequence[str] | None) -> list[str]:
        """The named controllers, or all that are enrolled; OperatorError when there are none."""
        named = names or (device.name for device in self.devices(enrolled=True))
        found = list(dict.fromkeys(named))  # one that is named twice is one
        if not found:
            raise OperatorError(
                t("No controller is enrolled here"),
                t("Provision one first: device provision; or export this folder again"),
            )
        return found

    def secret(self, device: Device, column: str) -> bytes:
        """Open the sealed ``column`` of a controller; OperatorError when this folder lacks it."""
        sealed: bytes | None = getattr(device, f"{column}_sealed")
        if sealed is None:
            raise OperatorError(
                t(
                    "This {role} folder does not hold the {key} key",
                    role=name_of("role", self.role),
                    key=column,
                ),
                t("Do this in a folder that holds it, such as the office's"),
            )
        return self.vault.open("devices", device.id, column, sealed)

    def link_secret(self, device: Device) -> bytes:
        """Link root of the controller; only the folder that created it has one."""
        return self.secret(device, "link_root")

    def pinned_certificate(self, device: Device) -> bytes:
        """DER of the only certificate that this controller may show.

        OperatorError for one that was retired or stolen: whoever shows it now is believed nothing.
        """
        if device.ended_how is not None:
            raise OperatorError(
                t("{device} is {how}: this registry calls on it no more",
                  device=device.name, how=name_of("ending", device.ended_how)),
                t("Name another controller; a new one is made by device flash"),
            )  # fmt: skip
        return device.certificate_der

    # --- peers -----------------------------------------------------------------------------

    def peers(self) -> list[str]:
        """Names of the roles this folder can act in, the default first."""
        return list(self.facts.peers)

    def peer(self, role: str | None = None) -> Peer:
        """Key and certificate for ``role``, or for the folder's first; OperatorError when none."""
        name = role or self.facts.peers[0]
        if name not in self.facts.peers:
            raise OperatorError(
                t(
                    "This {role} folder cannot act as {peer}",
                    role=name_of("role", self.role),
                    peer=name,
                ),
                t("Use a folder exported for that role: site export --role {peer}", peer=name),
            )
        with self._lock:
            if name not in self._peers:
                self._peers[name] = self._find_peer(name)
            return self._peers[name]

    def peer_key(self, device: Device, peer: Peer) -> bytes:
        """Preface key, 32 bytes, between ``peer`` and the controller."""
        if device.link_root_sealed is not None:
            return preface.peer_key(self.link_secret(device), peer.role, peer.id)
        with self.registry.session() as session:
            link = session.get(PeerLink, (device.id, peer.id.hex()))
        if link is None:
            raise OperatorError(
                t("This folder has no link key for {name}", name=device.name),
                t("Export the folder again from the office: it knows the newer controllers"),
            )
        return self.vault.open("peer_links", device.id + link.peer_id, "key", link.key_sealed)

    def _find_peer(self, role: str) -> Peer:
        key_name = f"peer-{role}"
        key = self.ec_key(key_name)
        if self.certificate(key_name).public_key() != key.public_key():
            raise OperatorError(
                t("{path} is damaged ({error})", path=f"{key_name}.crt.pem",
                  error=t("of another key")),
                t("Restore the site folder from a backup"),
            )  # fmt: skip
        return Peer(
            role=ROLE_CODES[role],
            role_name=role,
            id=peer_id(key.public_key()),
            cert_path=self.certificate_path(key_name),
            key_path=self.key_path(key_name),
            password=self.vault.key_password,
        )
