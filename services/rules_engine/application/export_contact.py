"""Export what the engine stores of one contact: facts, decisions that name the contact, what could not be applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.retention import RetentionRule
from services.cadence.account import Provenance
from services.cadence.account.person_facts import PersonFact, PersonFacts


@dataclass(frozen=True, slots=True)
class FactSource:
    """The event that stated something: its `source` and `id`, and its `time`."""

    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class FieldItem:
    """A field and its value (null: cleared)."""

    field: str
    value: object
    event: FactSource


@dataclass(frozen=True, slots=True)
class PreferenceItem:
    """`topic` and `channel`: null for all; `by_contact`: the contact set it, not a tool."""

    topic: str | None
    channel: str | None
    by_contact: bool
    fields: Sequence[FieldItem]


@dataclass(frozen=True, slots=True)
class EntryItem:
    """A dated entry that names the contact: `kind` such as `nps.answered`. `last_at`: when it was stated last."""

    kind: str
    fields: Mapping[str, object]
    event: FactSource
    last_at: datetime


@dataclass(frozen=True, slots=True)
class AccountOfContact:
    """What one account stores of the contact. `is_current`: it is the account that described the contact last."""

    account_id: str
    account_name: str | None
    is_current: bool
    fields: Sequence[FieldItem]
    preferences: Sequence[PreferenceItem]
    pauses: Sequence[FieldItem]
    entries: Sequence[EntryItem]


@dataclass(frozen=True, slots=True)
class DecisionItem:
    """A decision that events of the contact led to, or that names the contact.

    `events`: those of the contact; `named_in`: the changes, the suppressions and the parts of the plan that name them.
    """

    id: str
    account_id: str
    plan_version: int
    decided_at: datetime
    policy: str
    events: Sequence[Mapping[str, object]]
    named_in: Sequence[object]


@dataclass(frozen=True, slots=True)
class EngineContactData:
    """Everything the rules engine stores of one contact. `exported_at` and `stored_at`: real time.

    `parked_events` and `dead_letters`: events that could not be applied or read, as they came.
    """

    service: str
    contact_id: str
    exported_at: datetime
    accounts: Sequence[AccountOfContact]
    decisions: Sequence[DecisionItem]
    parked_events: Sequence[Mapping[str, object]]
    dead_letters: Sequence[Mapping[str, object]]
    retention: Sequence[RetentionRule]


class ContactExport(Protocol):
    async def export(self, contact_id: str) -> EngineContactData:
        """Everything that is stored of the contact; the audit log has an entry of it. Raises `NotFound`."""
        ...


def account_of_contact(account_id: str, name: str | None, person: PersonFacts) -> AccountOfContact:
    """What one account stores of the contact, as the export shows it."""
    return AccountOfContact(
        account_id=account_id,
        account_name=name,
        is_current=not person.is_away,
        fields=_fields(person.described),
        preferences=[
            PreferenceItem(each.topic, each.channel, each.by_contact, _fields(each.facts))
            for each in person.preferences
        ],
        pauses=_fields(person.pauses),
        entries=[
            EntryItem(entry.kind, entry.fields, _source(entry.provenance), entry.last_at)
            for entry in person.entries
        ],
    )


def addresses_of(person: PersonFacts) -> set[str]:
    """The addresses and numbers by which events may name the contact."""
    return {
        fact.value
        for fact in person.described
        if fact.field in ("email", "phone", "slack") and isinstance(fact.value, str)
    }


def events_of(person: PersonFacts) -> set[tuple[str, str]]:
    """(source, id) of the events that stated what is stored of the contact."""
    facts = [*person.described, *person.pauses, *(fact for each in person.preferences for fact in each.facts)]
    provenances = [*(fact.provenance for fact in facts), *(entry.provenance for entry in person.entries)]
    return {(each.source, each.id) for each in provenances}


def _fields(facts: Sequence[PersonFact]) -> list[FieldItem]:
    return [FieldItem(fact.field, fact.value, _source(fact.provenance)) for fact in facts]


def _source(provenance: Provenance) -> FactSource:
    return FactSource(provenance.source, provenance.id, provenance.time)
