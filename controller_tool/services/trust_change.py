"""Carries out what services.trust_plan has planned for the site's trust object (host).

In this order:

- it is signed with the root keys of this folder: enough of the old ones and of the new ones
- without enough of them nothing is changed, unless it is to be a draft that others sign
- new private keys go beside the old ones as NAME.next; they take their places when the object
  that knows them is in force, and those that it knows no more are removed
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import update

from controller_tool.errors import OperatorError
from controller_tool.keys.files import modulus_bytes, save_key, save_public_keys
from controller_tool.keys.signing import Signer
from controller_tool.messages import t
from controller_tool.registry.models import Device
from controller_tool.services import audit, trust_draft, trust_store
from controller_tool.services.site import KEYS_FOLDER
from controller_tool.services.site_file import ROLE_OFFICE
from controller_tool.services.site_init import SIGNING_KEYS
from controller_tool.services.trust_plan import ROLES
from protocol import cose
from protocol.codes import KEY_ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from controller_tool.services.site import Site
    from controller_tool.services.trust_draft import Draft
    from controller_tool.services.trust_plan import Plan
    from protocol.trust import Trust

NEXT = ".next"
_NAMES = {code: name for name, code in ROLES.items()}


@dataclass(frozen=True)
class Outcome:
    """What became of a change, or would. new_keys, old_keys: ids of keys that come and go, by role.

    missing_old, missing_new: signatures that are wanting; in_force: the folder works with it.
    """

    act: str
    version: int
    epoch: int
    new_keys: dict[str, list[str]]
    old_keys: dict[str, list[str]]
    revoked: list[str]
    missing_old: int = 0
    missing_new: int = 0
    in_force: bool = False
    draft: str | None = None


# --- carrying out ---------------------------------------------------------------------------


def outcome(site: Site, plan: Plan) -> Outcome:
    """What the change would do; nothing is changed (the dry run)."""
    return _outcome(plan.act, trust_store.newest(site), _signed(site, plan))


def carry_out(site: Site, plan: Plan, draft: Path | None = None) -> Outcome:
    """Sign and put into force here, or write a ``draft`` for others to sign."""
    held = trust_store.newest(site)
    signed = _signed(site, plan)
    if draft is None:
        _require_complete(signed, held)
        signed.data()
    for name, key in plan.keys.items():
        save_key(site.key_path(name + NEXT), key, site.vault.key_password)
    public = [(name + NEXT, key.public_key()) for name, key in plan.keys.items()]
    save_public_keys(site.path / KEYS_FOLDER, public)
    if draft is None:
        return _enter(site, plan.act, held, signed)
    trust_draft.write(draft, signed)
    _note(site, "trust.draft", _outcome(plan.act, held, signed))
    return replace(_outcome(plan.act, held, signed), draft=str(draft))


def look(site: Site, path: Path) -> Outcome:
    """What the object or draft in a file would change, and whose signatures it wants."""
    held = trust_store.newest(site)
    return _outcome("draft", held, trust_draft.read(path, held))


def sign_file(site: Site, path: Path) -> Outcome:
    """Add the signatures of this folder's root keys to a draft; OperatorError when it has none."""
    held = trust_store.newest(site)
    draft = trust_draft.read(path, held)
    signed = trust_draft.sign(draft, held, _roots(site))
    if signed.signatures == draft.signatures:
        raise OperatorError(
            t("No root key of this folder is wanted on this draft"),
            t("Sign it in a folder that holds another root key"),
        )
    trust_draft.write(path, signed)
    _note(site, "trust.sign", _outcome("sign", held, signed))
    return replace(_outcome("sign", held, signed), draft=str(path))


def apply_file(site: Site, path: Path) -> Outcome:
    """Put a fully signed object into force in this folder, whoever made it."""
    held = trust_store.newest(site)
    draft = trust_draft.read(path, held)
    _require_complete(draft, held)
    _require_keys(site, draft.successor)
    return _enter(site, "apply", held, draft)


def _enter(site: Site, act: str, held: Trust, draft: Draft) -> Outcome:
    taken = trust_store.keep(site, draft.data())
    _install(site, taken)
    done = replace(_outcome(act, held, draft), in_force=True)
    _note(site, "trust.change", done, new_epoch=done.epoch > held.epoch)
    return done


def _install(site: Site, taken: Trust) -> None:
    """New keys take their places; root keys that speak no more are removed."""
    for path in sorted((site.path / KEYS_FOLDER).glob(f"*{NEXT}.pem")):
        name = path.name.removesuffix(f"{NEXT}.pem")
        if _modulus(site, name + NEXT) in taken.moduli(_role_of(name)):
            site.replace_key(name, name + NEXT)
    for name in _root_names(site):
        if _modulus(site, name) not in taken.moduli(KEY_ROOT):
            site.forget(name)


def _signed(site: Site, plan: Plan) -> Draft:
    """The plan with what the root keys of this folder, old and new, can give."""
    fresh = [Signer.of(key) for name, key in plan.keys.items() if _role_of(name) == KEY_ROOT]
    draft = trust_draft.begin(plan.successor)
    return trust_draft.sign(draft, trust_store.newest(site), [*_roots(site), *fresh])


def _require_complete(draft: Draft, held: Trust) -> None:
    old, new = trust_draft.missing(draft, held)
    if old or new:
        raise OperatorError(
            t("Signatures are wanting: {old} of the root keys in force, {new} of the new ones",
              old=old, new=new),
            t("Write a draft with --draft FILE, sign it where the other root keys are with"
              " site sign-trust FILE, then: site rotate --apply FILE"),
        )  # fmt: skip


def _require_keys(site: Site, coming: Trust) -> None:
    """The office must be able to sign what controllers will believe."""
    if site.role != ROLE_OFFICE:
        return
    for name, role in SIGNING_KEYS.items():
        held = [n for n in (name, name + NEXT) if site.holds(n)]
        if held and not any(_modulus(site, n) in coming.moduli(role) for n in held):
            raise OperatorError(
                t("This folder lacks the private {role} key that the draft names", role=name),
                t("Put it into force in the folder that has made the draft"),
            )


# --- small things ---------------------------------------------------------------------------


def _role_of(name: str) -> int:
    return ROLES["root" if name.startswith("root-") else name]


def _modulus(site: Site, name: str) -> bytes:
    return modulus_bytes(site.rsa_key(name).public_key())


def _root_names(site: Site) -> list[str]:
    paths = sorted((site.path / KEYS_FOLDER).glob("root-*.pem"))
    return [path.stem for path in paths if "." not in path.stem]


def root_signers(site: Site) -> list[Signer]:
    """Root keys of this folder that count now."""
    return [site.signer(name) for name in _root_names(site)]


def _roots(site: Site) -> list[Signer]:
    """Root keys of this folder, those that are to come included."""
    names = _root_names(site)
    coming = sorted((site.path / KEYS_FOLDER).glob(f"root-*{NEXT}.pem"))
    return [site.signer(name) for name in (*names, *(path.stem for path in coming))]


def _outcome(act: str, held: Trust, draft: Draft) -> Outcome:
    coming = draft.successor
    old, new = trust_draft.missing(draft, held)
    return Outcome(
        act, coming.version, coming.epoch, _kids(coming, held), _kids(held, coming),
        [peer.hex() for peer in coming.revoked if peer not in held.revoked], old, new,
    )  # fmt: skip


def _kids(there: Trust, not_there: Trust) -> dict[str, list[str]]:
    found = {
        _NAMES.get(role, str(role)): [
            cose.key_id(m).hex() for m in moduli if m not in not_there.moduli(role)
        ]
        for role, _, moduli in there.keys
    }
    return {name: kids for name, kids in found.items() if kids}


def _note(site: Site, act: str, done: Outcome, new_epoch: bool = False) -> None:
    with site.registry.writing() as session:
        if new_epoch:
            # where somebody has driven the numbers up, ours go on from our own lists
            session.execute(update(Device).values(version_floor=0))
        audit.append(
            session, site.operator, act, what=done.act, version=done.version, epoch=done.epoch,
            new_keys=done.new_keys, old_keys=done.old_keys, revoked=done.revoked,
        )  # fmt: skip
