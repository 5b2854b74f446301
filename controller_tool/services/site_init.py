"""Makes a new site folder: keys, authorities, first peers, trust object, empty registry (host)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller_tool.clock import LOCAL_OFFSET_MIN, now_s
from controller_tool.errors import OperatorError
from controller_tool.keys import passphrase as passphrases
from controller_tool.keys.certificates import certificate_pem, issue_ca
from controller_tool.keys.files import (
    load_public_key,
    modulus_bytes,
    new_rsa_keys,
    save_key,
    save_public_keys,
    write_private_file,
)
from controller_tool.keys.signing import Signer, sign_trust
from controller_tool.messages import t
from controller_tool.registry import database
from controller_tool.registry.models import Operator, Profile, Setting
from controller_tool.rules import duty
from controller_tool.rules.refusal import require
from controller_tool.rules.words import HEAD
from controller_tool.services import audit, peers, people, site_file, site_folder, trust_store
from controller_tool.services.peers import PEER_CA
from controller_tool.services.site import (
    KEYS_FOLDER,
    TRUST_FILE,
    Site,
)
from protocol.codes import (
    KEY_AUDIT,
    KEY_CHECKPOINT,
    KEY_FIRMWARE,
    KEY_ROOT,
    KEY_TICKET,
    KEY_WHITELIST,
    STALE_GRACE,
)
from protocol.constants import ID_BYTES, TIME_END_S
from protocol.trust import Trust

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site_folder import Draft

SITE_NAME_MAX = 200
ROOT_KEYS_MAX = 5  # more would not fit into the 6144 bytes that a controller takes
OFFICE_PEERS = ("desk", "installer", "technician", "auditor", "hub")
SIGNING_KEYS = {
    "whitelist": KEY_WHITELIST,
    "firmware": KEY_FIRMWARE,
    "ticket": KEY_TICKET,
    "checkpoint": KEY_CHECKPOINT,
}
AUDIT_KEY = "audit"
DEVICE_CA = "device-ca"
RESIDENT_PROFILE = 1
_ALL_POINTS = 0xFFFF

# site-wide values that lists are made from; text, or JSON where it is not one number
DEFAULT_SETTINGS = {
    "refresh_h": "72",
    "stale_policy": str(STALE_GRACE),
    "grace_min": str(72 * 60),
    "utc_offsets": json.dumps([0, LOCAL_OFFSET_MIN]),
    "holidays": "[]",
    "em4100_version": "0",
}


@dataclass(frozen=True)
class Wish:
    """What the person asked for. audit_key: public key file of the auditor, who keeps the other.

    registry: URL of an empty PostgreSQL database without a password, empty for a file.
    """

    name: str
    operator: str
    root_keys: int = 1
    root_threshold: int = 1
    audit_key: Path | None = None
    keyring: bool = False
    registry: str = ""


def init(folder: Path, wish: Wish, passphrase: str) -> Site:
    """Make the office folder of a new site and open it; OperatorError when it cannot be."""
    _check(wish)
    passphrases.check_strength(passphrase)
    if wish.registry:
        database.require_free(wish.registry)
    facts = _facts(wish)
    with site_folder.draft(folder, passphrase) as made:
        _make_keys(made, facts, wish)
        facts.write(made.path)
        _make_registry(made, facts, passphrase)
    if wish.keyring:
        passphrases.remember(facts.site_id.hex() + facts.role, passphrase)
    return Site(folder, facts, passphrase)


def _check(wish: Wish) -> None:
    if not 1 <= wish.root_threshold <= wish.root_keys <= ROOT_KEYS_MAX:
        raise OperatorError(
            t("{m} of {n} root keys is not possible", m=wish.root_threshold, n=wish.root_keys),
            t("Take 1 of 1, or 2 of 3; at most {n} keys", n=ROOT_KEYS_MAX),
        )
    if not wish.name.strip() or not wish.operator.strip():
        raise OperatorError(
            t("A site needs a name and an operator"), t("Give both: NAME and --operator")
        )
    people.short(wish.name, SITE_NAME_MAX)
    require(duty.new_name(wish.operator.strip(), ()))


def _facts(wish: Wish) -> site_file.SiteFile:
    return site_file.SiteFile(
        site_id=os.urandom(ID_BYTES),
        name=wish.name.strip(),
        role=site_file.ROLE_OFFICE,
        operator=wish.operator.strip(),
        epoch=1,
        trust_version=1,
        root_keys=wish.root_keys,
        root_threshold=wish.root_threshold,
        peers=OFFICE_PEERS,
        keyring=wish.keyring,
        registry=wish.registry,
    )


def _make_keys(made: Draft, facts: site_file.SiteFile, wish: Wish) -> None:
    keys = made.path / KEYS_FOLDER
    roots = [f"root-{number}" for number in range(1, wish.root_keys + 1)]
    names = [*roots, *SIGNING_KEYS] + ([] if wish.audit_key else [AUDIT_KEY])
    private = dict(zip(names, new_rsa_keys(len(names)), strict=True))
    for name, key in private.items():
        save_key(keys / f"{name}.pem", key, made.key_password)
    public = {name: key.public_key() for name, key in private.items()}
    if wish.audit_key:
        public[AUDIT_KEY] = load_public_key(wish.audit_key)
    save_public_keys(keys, list(public.items()))
    trust = _trust(facts, {name: modulus_bytes(key) for name, key in public.items()})
    signers = [Signer.of(private[name]) for name in roots]
    signed = sign_trust(trust, signers)
    write_private_file(made.path / TRUST_FILE, signed)
    trust_store.save(made.path, trust, signed)
    for name, title in ((DEVICE_CA, "device CA"), (PEER_CA, "peer CA")):
        ca_key, certificate = issue_ca(f"{title} {facts.site_id.hex()}")
        save_key(keys / f"{name}.pem", ca_key, made.key_password)
        write_private_file(keys / f"{name}.crt.pem", certificate_pem(certificate))


def _trust(facts: site_file.SiteFile, moduli: dict[str, bytes]) -> Trust:
    roots = [modulus for name, modulus in moduli.items() if name.startswith("root-")]
    rows = [(KEY_ROOT, facts.root_threshold, roots)]
    single = {**SIGNING_KEYS, AUDIT_KEY: KEY_AUDIT}
    rows += [(role, 1, [moduli[name]]) for name, role in single.items()]
    return Trust(facts.site_id, facts.epoch, facts.trust_version, rows, [], TIME_END_S)


def _make_registry(made: Draft, facts: site_file.SiteFile, passphrase: str) -> None:
    site = Site(made.path, facts, passphrase, new=True)
    site.unlock()
    with site.registry.writing() as session:
        session.add_all(Setting(name=name, value=value) for name, value in DEFAULT_SETTINGS.items())
        session.add(
            Profile(
                id=RESIDENT_PROFILE, name="resident", points_mask=_ALL_POINTS,
                schedule_id=0, unlock_ds=0,
            )
        )  # fmt: skip
        for role in OFFICE_PEERS:
            peers.issue(site, session, role, made)
        session.add(Operator(name=facts.operator, created_at_s=now_s(), role=HEAD))
        audit.append(session, facts.operator, "site.init", name=facts.name)
    site.close()
