"""What stood in an entry that an order of the police keeps, before the desk wrote it anew (host).

The desk's work goes on; what was there is sealed beside the log (services.audit_texts), where
``audit show`` finds it for those who may see whole numbers, and is deleted with its subject, which
the order forbids while it stands.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from controller_tool.services import audit, audit_texts
from controller_tool.services.desk import holds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from controller_tool.registry.houses import House
    from controller_tool.registry.models import Person
    from controller_tool.services.site import Site

PERSON, HOUSE = ACTS = ("person.before", "house.before")  # of the log


def keep_person(site: Site, session: Session, person: Person, was: Mapping[str, str]) -> None:
    """was: former values of the fields that are otherwise now, unsealed; kept by an order."""
    if was and person.id in holds.standing(session, [person.id]):
        said = audit_texts.keep(site, session, person.id, _text(was))
        audit.append(
            session, site.operator, PERSON, person=person.id, fields=sorted(was), text=said
        )


def keep_house(site: Site, session: Session, house: House, was: Mapping[str, str]) -> None:
    """The same of the landlord of a house that an order keeps."""
    if was:
        said = audit_texts.keep(site, session, house.ref, _text(was))
        audit.append(session, site.operator, HOUSE, ref=house.ref, fields=sorted(was), text=said)


def _text(was: Mapping[str, str]) -> str:
    return json.dumps(was, ensure_ascii=False, sort_keys=True)
