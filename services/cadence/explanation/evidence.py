"""Evidence: the clauses of a condition for one account, each with its values and the events behind them."""

from collections.abc import Container, Iterable, Iterator, Mapping

from services.cadence.account import ACCOUNT_FIELDS, Stamp, moment, when, who
from services.cadence.account.merging import LAST
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

    def _events(self, read: Iterable[str], basis: Basis) -> Iterator[Event]:
        """The events that the values of these features come from."""
        stamps = [basis.stamp if name in basis.values else self._stamps.of(name) for name in read]
        for stamp in dict.fromkeys(stamps):
            if stamp:
                source, event_id = who(stamp)
                yield Event(self._type_of(stamp), source, event_id, moment(when(stamp)))

    def _type_of(self, stamp: Stamp) -> str:
        """The type of the event with this stamp; "" when the account's state no longer has it."""
        return next((kind for stamps, kind in self._stamps_by_type() if stamp in stamps), "")

    def _stamps_by_type(self) -> Iterator[tuple[Container[str], str]]:
        """Stamps, and the type of the events that they come from."""
        facts = self._facts
        for kind, entries in facts.entries.items():
            yield {*entries, *(str(fields.get(LAST)) for fields in entries.values())}, _TYPES.get(kind, kind)
        for stamp, fields in facts.account.items():
            yield (stamp,), _TYPE_BY_FIELD.get(next(iter(fields), ""), "")
        for contract in facts.contracts.values():
            yield {*contract.fields, *contract.terms, *contract.revenues}, "contract.changed"
        for contact in facts.contacts.values():
            yield contact, "contact.described"
        yield facts.joined.values(), "contact.described"
        for preference in facts.preferences.values():
            yield preference, "preference.changed"
        for pause in facts.pauses.values():
            yield {stamp for stamp, fields in pause.items() if fields.get("paused")}, "outreach.paused"
            yield pause, "outreach.resumed"
        yield {program.stamp for program in self._view.portfolio.programs}, "program.announced"
