"""Plans changes of the site's trust object: keys, revoked peers, a new epoch (host).

Nothing is changed here: a person may look at a plan first; services.trust_change carries it out.
A key that is replaced stays trusted beside the new one until it is retired: controllers that were
away, and folders that still sign with it, are not cut off unasked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from controller_tool.errors import OperatorError
from controller_tool.keys.files import modulus_bytes, new_rsa_keys
from controller_tool.messages import t
from controller_tool.services import peers, trust_store
from controller_tool.services.site_init import ROOT_KEYS_MAX, SIGNING_KEYS
from controller_tool.services.trust_push import kid_of_receipted
from protocol import cose
from protocol.codes import KEY_ROOT
from protocol.constants import REVOKED_PEERS_MAX
from protocol.trust import Trust

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from controller_tool.services.site import Site

ROLES = {**SIGNING_KEYS, "root": KEY_ROOT}


@dataclass(frozen=True)
class Plan:
    """A change that nobody has made yet. keys: new private keys by their names in the folder."""

    act: str
    successor: Trust
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict, repr=False)


def rotate(site: Site, role: str, force: bool = False) -> Plan:
    """A new key for a role; the one that signs now stays trusted until it is retired.

    force: although a controller would have to be provisioned anew.
    """
    held = trust_store.newest(site)
    current = _own_modulus(site, held, role)
    if len(held.moduli(ROLES[role])) > 1:
        raise OperatorError(
            t("An older {role} key is still trusted", role=role),
            t("Retire it first: site rotate {role} --retire", role=role),
        )
    if role == "whitelist" and not force:
        _require_lists_of(site, current)
    [key] = new_rsa_keys(1)
    moduli = [current, modulus_bytes(key.public_key())]
    return Plan(f"rotate {role}", _with_keys(held, role, 1, moduli), {role: key})


def retire(site: Site, role: str) -> Plan:
    """Only the key that signs now stays trusted in this role."""
    held = trust_store.newest(site)
    current = _own_modulus(site, held, role)
    if held.moduli(ROLES[role]) == [current]:
        raise OperatorError(
            t("No older {role} key is trusted", role=role),
            t("Make a new one with: site rotate {role}", role=role),
        )
    return Plan(f"retire {role}", _with_keys(held, role, 1, [current]))


def rotate_root(site: Site, count: int, threshold: int) -> Plan:
    """New root keys, of which ``threshold`` must sign from now on; the old ones end."""
    held = trust_store.newest(site)
    if not 1 <= threshold <= count <= ROOT_KEYS_MAX:
        raise OperatorError(
            t("{m} of {n} root keys is not possible", m=threshold, n=count),
            t("Take 1 of 1, or 2 of 3; at most {n} keys", n=ROOT_KEYS_MAX),
        )
    keys = {f"root-{number}": key for number, key in enumerate(new_rsa_keys(count), 1)}
    moduli = [modulus_bytes(key.public_key()) for key in keys.values()]
    return Plan("rotate root", _with_keys(held, "root", threshold, moduli), keys)


def revoke(site: Site, wanted: str) -> Plan:
    """No controller lets that peer in any more. wanted: its id, label or role."""
    held = trust_store.newest(site)
    peer = peers.find(site, wanted)
    identity = bytes.fromhex(peer.id)
    if identity in peers.own(site):
        raise OperatorError(
            t("Peer {id} is this folder's own", id=peer.id),
            t("A stolen office folder takes new root keys: site rotate root"),
        )
    if identity in held.revoked:
        raise OperatorError(t("Peer {id} is revoked already", id=peer.id), t("See: site show"))
    if len(held.revoked) >= REVOKED_PEERS_MAX:
        raise OperatorError(
            t("A controller remembers {n} revoked peers and no more", n=REVOKED_PEERS_MAX),
            t("Provision the site anew, with another peer authority"),
        )
    return Plan("revoke", _successor(held, revoked=[*held.revoked, identity]))


def new_epoch(site: Site) -> Plan:
    """The numbers of lists begin anew on every controller."""
    held = trust_store.newest(site)
    return Plan("new epoch", _successor(held, epoch=held.epoch + 1))


def _require_lists_of(site: Site, modulus: bytes) -> None:
    """Every controller proved a list of the key in force: else it could not follow two changes."""
    behind = [
        device.name
        for device in site.devices(enrolled=True)
        if kid_of_receipted(site, device) not in (None, cose.key_id(modulus))
    ]
    if behind:
        raise OperatorError(
            t("Controllers with a list of an older key: {names}", names=", ".join(behind)),
            t("Push to them first; with --force they have to be provisioned anew"),
        )


def _successor(held: Trust, **changes: Any) -> Trust:
    fields = {n: getattr(held, n) for n in ("site", "epoch", "keys", "revoked", "expiry_s")}
    return Trust(**{**fields, **changes}, version=held.version + 1)


def _with_keys(held: Trust, role: str, threshold: int, moduli: list[bytes]) -> Trust:
    row = (ROLES[role], threshold, moduli)
    return _successor(held, keys=[row if old[0] == row[0] else old for old in held.keys])


def _own_modulus(site: Site, held: Trust, role: str) -> bytes:
    """The key that this folder signs with in a role, which controllers believe."""
    modulus = modulus_bytes(site.rsa_key(role).public_key())
    if modulus not in held.moduli(ROLES[role]):
        raise OperatorError(
            t("The {role} key of this folder is not trusted any more", role=role),
            t("Restore the site folder from a backup"),
        )
    return modulus
