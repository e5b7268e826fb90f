"""People: those of ours who own touchpoints, and the contacts of accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.console import labels
from services.console.json_fields import Json, items, nested, text


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of ours. `name` is the id of a person who has not told a name."""

    id: str
    name: str
    role: str = "csm"
    timezone: str = ""
    email: str = ""
    phone: str = ""

    @property
    def label(self) -> str:
        """`Kim Okafor`, `Ada Smith, manager`."""
        return self.name if self.role in ("", "csm") else f"{self.name}, {labels.title(self.role).lower()}"


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of an account."""

    id: str
    name: str
    role: str
    phone: str
    email: str


def people(documents: Iterable[Json]) -> dict[str, Person]:
    """By id, in the order of their names."""
    found = [
        Person(
            id=text(document, "csm_id"),
            name=text(document, "name") or text(document, "csm_id"),
            role=text(document, "role") or "csm",
            timezone=text(document, "timezone"),
            email=text(document, "email"),
            phone=text(document, "phone"),
        )
        for document in documents
        if text(document, "csm_id")
    ]
    return {person.id: person for person in sorted(found, key=lambda person: person.name.casefold())}


def person_name(person_id: str | None, known: Mapping[str, Person]) -> str:
    """The name; the id for somebody whom nobody has described; `nobody` without an id."""
    if not person_id:
        return "nobody"
    return known[person_id].name if person_id in known else person_id


def contacts(account: Json) -> list[Contact]:
    """The contacts who are still there."""
    return [
        Contact(
            id=text(contact, "contact_id"),
            name=text(contact, "name") or text(contact, "email") or text(contact, "contact_id"),
            role=text(contact, "role"),
            phone=text(contact, "phone"),
            email=text(contact, "email"),
        )
        for contact in items(account, "contacts")
        if contact.get("left") is not True
    ]


def contact_to_reach(account: Json, audience: Sequence[str], channel: str) -> Contact | None:
    """Whom to call: of the audience first, in its order, then whoever has the number or address that is needed."""
    order = {role: position for position, role in enumerate(audience)}
    needed = "phone" if channel in ("call", "sms") else "email"
    ranked = sorted(
        contacts(account),
        key=lambda contact: (order.get(contact.role, len(order)), not getattr(contact, needed)),
    )
    return ranked[0] if ranked else None


def account_name(account_id: str, accounts: Mapping[str, Json]) -> str:
    """The name of an account, its id when it has none."""
    facts = nested(accounts.get(account_id, {}), "facts")
    return text(nested(facts, "name"), "value") or account_id
