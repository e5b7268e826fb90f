"""Stored stamps: the events behind each part of the state of an account, all that are known.

A state has no event of which every word was replaced, and of what lies beyond a bound it has none at all; neither counts
for an evaluation of this state. Of a report of usage that several events repeat the first is known.
"""

from collections.abc import Iterable, Iterator
from typing import cast

from services.cadence.account.evidence import events_of
from services.cadence.account.identity import things_of
from services.cadence.account.issued import Issued
from services.cadence.account.merging import LAST
from services.cadence.account.retention import ANSWERS, ENTRY_RULES, INVITATION_ANSWERED, SETTLED_KINDS
from services.cadence.account.stamps import DAY, Entries, Stamp, who
from services.cadence.account.state import Facts

_PEOPLE = ("contact.described", "contact.left")


class StoredStamps:
    """Of one account."""

    def __init__(self, facts: Facts, issued: Issued) -> None:
        self._facts = facts
        self._issued = issued
        self._fields = {name: stamp for stamp, fields in facts.account.items() for name in fields}

    def of_field(self, name: str) -> Iterator[Stamp]:
        """Behind a field of the account itself."""
        if name in self._fields:
            yield self._fields[name]

    def of_event(self, event: str) -> Iterator[Stamp]:
        """Behind what is stored of an event type; those of the account's own fields apart."""
        match event:
            case "contract.changed":
                yield from self.of_contracts()
            case "usage.reported":
                yield from self._facts.usage.stamps()
            case "preference.changed":
                yield from self.of_preferences()
            case "outreach.paused" | "outreach.resumed":
                yield from self._facts.pauses.get("", ())
            case "mail.judged":
                yield from self.of_event("delivery.finished")
                yield from self.of_event("message.engaged")
            case "contact.described" | "contact.left":
                yield from self.of_people()
            case _:
                yield from self._of_entries(rule.name for rule in ENTRY_RULES.get(event, ()))
                yield from self.of_people() if event in ANSWERS else ()
                yield from self._of_entries([INVITATION_ANSWERED] if event in SETTLED_KINDS else ())

    def of_contracts(self) -> Iterator[Stamp]:
        """Behind the terms of all contracts: which of them leads depends on each."""
        for contract in self._facts.contracts.values():
            yield from contract.stamps()

    def of_level(self, metric: str) -> Iterator[Stamp]:
        """Behind a metric of usage that stays as it is until a later period says otherwise."""
        for source in self._facts.usage.sources.values():
            level = source["m"].get(metric)
            if level is not None:
                length = cast("int", level["p"]) - cast("int", level["b"])
                yield from events_of(level)
                yield from self._facts.usage.stamps() if 0 < length < DAY else ()

    def of_people(self) -> Iterator[Stamp]:
        """Behind the contacts, their roles and addresses, who joined and who left."""
        for contact in self._facts.contacts.values():
            yield from (
                stamp for stamp, fields in contact.items() if not fields.keys().isdisjoint({"role", "email"})
            )
        yield from self._facts.joined.values()
        yield from self._of_entries(_PEOPLE)

    def of_preferences(self) -> Iterator[Stamp]:
        """Behind what contacts wish, and behind these contacts: stakeholders come before others."""
        for preference in self._facts.preferences.values():
            yield from preference
        yield from self.of_people() if self._facts.preferences else ()

    def of_thing(self, event: str, stamp: Stamp) -> Iterator[Stamp]:
        """Behind the thing that the event with this stamp tells of: all that told of it."""
        kinds = SETTLED_KINDS if event in SETTLED_KINDS else (event,)
        thing = next((thing for thing in things_of(self._facts.entries, event) if thing.stamp == stamp), None)
        events = () if thing is None else thing.aliases
        stored = self._of_entries(kinds)
        yield from (each for each in stored if each == stamp or who(each) in events)

    def of_one_offs(self, touchpoint_ids: Iterable[str]) -> Iterator[Stamp]:
        """Behind one-offs that came due or ended."""
        for touchpoint_id in touchpoint_ids:
            yield from self._issued.one_offs.get(touchpoint_id, ())

    def of_times(self, types: Iterable[str]) -> Iterator[Stamp]:
        """Behind the times at which touchpoints of these types came due or took place."""
        yield from self._issued.stamps_of_times(types)

    def _of_entries(self, kinds: Iterable[str]) -> Iterator[Stamp]:
        for kind in kinds:
            yield from stamps_of_entries(self._facts.entries.get(kind, {}))


def stamps_of_entries(entries: Entries) -> Iterator[Stamp]:
    """The first and the last telling of each entry."""
    for first, fields in entries.items():
        yield first
        last = fields.get(LAST)
        if isinstance(last, str):
            yield last
