"""Evidence: the clauses of a condition for one account, each with its values and the events behind them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from services.cadence.account import ACCOUNT_FIELDS, Stamp, moment, when, who
from services.cadence.account.retention import INVITATION_ANSWERED
from services.cadence.account.stored_stamps import stamps_of_entries
from services.cadence.evaluation.feature_stamps import FeatureStamps
from services.cadence.evaluation.state import EvaluationState
from services.cadence.explanation.basis import Basis
from services.cadence.explanation.case import Case
from services.cadence.explanation.model import Clause, Event
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.tree import names

_TYPES: Mapping[str, str] = {
    "mail.sent": "delivery.finished",
    "mail.opened": "message.engaged",
    "mail.clicked": "message.engaged",
    INVITATION_ANSWERED: "message.engaged",
    "mail.fetched": "message.engaged",
    "reached": "delivery.finished",
    "touched": "touchpoint.settled",
}
"""Kind of dated entries in the account's state -> the type of event they come from."""
_TYPE_BY_FIELD: Mapping[str, str] = {
    name: kind for kind, fields in ACCOUNT_FIELDS.items() for name in fields.values()
}


class Evidence:
    """Of one account at one moment."""

    def __init__(self, state: EvaluationState) -> None:
        self._facts = state.facts
        self._issued = state.issued
        self._view = state.view
        self._stamps = FeatureStamps(state.view)

    def clauses(self, case: Case) -> tuple[Clause, ...]:
        """Each clause as its author wrote it."""
        return tuple(
            Clause(
                format_expression(part.node),
                part.holds,
                {name: case.values.get(name) for name in read},
                tuple(self._events(read, case.basis)),
            )
            for part in case.truth.clauses()
            if (read := names(part.node))
        )

    def events(self, stamps: Iterable[Stamp]) -> Iterator[Event]:
        """The events with these stamps, each once, oldest first."""
        for stamp in sorted({who(stamp): stamp for stamp in stamps}.values()):
            yield self._event(stamp)

    def _events(self, read: Iterable[str], basis: Basis) -> Iterator[Event]:
        """The newest event that each of these features comes from."""
        stamps = [basis.stamp if name in basis.values else self._stamps.of(name) for name in read]
        yield from (self._event(stamp) for stamp in dict.fromkeys(stamps) if stamp)

    def _event(self, stamp: Stamp) -> Event:
        source, event_id = who(stamp)
        return Event(self._types.get((source, event_id), ""), source, event_id, moment(when(stamp)))

    @cached_property
    def _types(self) -> Mapping[tuple[str, str], str]:
        """(source, id) of an event -> its type."""
        return {who(stamp): kind for stamps, kind in self._stamps_by_type() for stamp in stamps}

    def _stamps_by_type(self) -> Iterator[tuple[Iterable[Stamp], str]]:
        """Stamps, and the type of the events that they come from; of two types for one event the later counts."""
        yield from self._issued_stamps()
        facts = self._facts
        for pause in facts.pauses.values():
            yield pause, "outreach.resumed"
            yield [stamp for stamp, fields in pause.items() if fields.get("paused")], "outreach.paused"
        for preference in facts.preferences.values():
            yield preference, "preference.changed"
        for contact in facts.contacts.values():
            yield contact, "contact.described"
        yield facts.joined.values(), "contact.described"
        for contract in facts.contracts.values():
            yield contract.stamps(), "contract.changed"
        for stamp, fields in facts.account.items():
            yield (stamp,), _TYPE_BY_FIELD.get(next(iter(fields), ""), "")
        for kind, entries in facts.entries.items():
            yield stamps_of_entries(entries), _TYPES.get(kind, kind)
        yield stamps_of_entries(facts.entries.get("interaction.logged", {})), "interaction.logged"
        yield facts.usage.stamps(), "usage.reported"
        for program in self._view.portfolio.programs:
            yield filter(None, (program.stamp, *program.stamps)), "program.announced"

    def _issued_stamps(self) -> Iterator[tuple[Iterable[Stamp], str]]:
        """What came due or was called off; of one that came due the state does not know whether it is overdue."""
        issued = self._issued
        yield issued.stamps_of_times(issued.times), "touchpoint.due"
        for stamped in issued.one_offs.values():
            yield [stamp for stamp, fields in stamped.items() if "due_at" in fields], "touchpoint.due"
            yield (
                [stamp for stamp, fields in stamped.items() if "due_at" not in fields],
                "touchpoint.cancelled",
            )
