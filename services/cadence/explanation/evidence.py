"""Evidence: the clauses of a condition for one account, each with its values and the events behind them."""

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache

from services.cadence.account import ACCOUNT_FIELDS, WENT_LIVE, Facts, Plain, Stamp, moment, when, who
from services.cadence.evaluation.feature_stamps import FeatureStamps
from services.cadence.explanation.model import Clause, Event
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.trace import Trace, trace
from services.cadence.expressions.tree import names
from services.cadence.features.registry import Feature, features_in_scope
from services.cadence.features.view import AccountView
from services.cadence.policy import Feedback, Policy, Rule, Step, Trigger, condition_of

_TYPES: Mapping[str, str] = {
    "mail.sent": "delivery.finished",
    "mail.opened": "message.engaged",
    "mail.clicked": "message.engaged",
    "reached": "delivery.finished",
    "touched": "touchpoint.settled",
    WENT_LIVE: "milestone.reached",
}
"""Kind of dated entries in the account's state -> the type of event they come from."""
_TYPE_BY_FIELD: Mapping[str, str] = {
    name: kind for kind, fields in ACCOUNT_FIELDS.items() for name in fields.values()
}


class Evidence:
    """Of one account at one moment."""

    def __init__(self, facts: Facts, view: AccountView) -> None:
        self._facts = facts
        self._view = view
        self._stamps = FeatureStamps(facts, view)

    def trace(self, rule: Rule, over: Mapping[str, Plain]) -> Trace:
        """The truth of a rule's condition; `over` takes the place of the account's values."""
        return trace(condition_of(rule), {**self._view.values, **over})

    def clauses(self, truth: Trace, over: Mapping[str, Plain], stamp: Stamp | None) -> tuple[Clause, ...]:
        """Each clause as its author wrote it. `stamp`: the event that the values in `over` come from."""
        values = {**self._view.values, **over}
        clauses: list[Clause] = []
        for part in truth.clauses():
            read = names(part.node)
            if read:
                stamps = [stamp if name in over else self._stamps.of(name) for name in read]
                clauses.append(
                    Clause(
                        format_expression(part.node),
                        part.holds,
                        {name: values.get(name) for name in read},
                        tuple(self._events(stamps)),
                    )
                )
        return tuple(clauses)

    def _events(self, stamps: Sequence[Stamp | None]) -> Iterator[Event]:
        for stamp in dict.fromkeys(stamps):
            if stamp:
                source, event_id = who(stamp)
                yield Event(self.type_of(stamp), source, event_id, moment(when(stamp)))

    def type_of(self, stamp: Stamp) -> str:
        """The type of the event with this stamp; "" when the account's state no longer has it."""
        return next((kind for stamps, kind in self._stamps_by_type() if stamp in stamps), "")

    def _stamps_by_type(self) -> Iterator[tuple[Container[Stamp], str]]:
        """Stamps, and the type of the events that they come from."""
        facts = self._facts
        for kind, entries in facts.entries.items():
            yield entries, _TYPES.get(kind, kind)
        for stamp, fields in facts.account.items():
            yield (stamp,), _TYPE_BY_FIELD.get(next(iter(fields), ""), "")
        for contract in facts.contracts.values():
            yield {*contract.fields, *contract.terms, *contract.revenues}, "contract.changed"
        for contact in facts.contacts.values():
            yield {stamp for stamp, fields in contact.items() if fields.get("left")}, "contact.left"
            yield contact, "contact.described"
        yield facts.joined.values(), "contact.described"
        for preference in facts.preferences.values():
            yield preference, "preference.changed"
        for pause in facts.pauses.values():
            yield {stamp for stamp, fields in pause.items() if fields.get("paused")}, "outreach.paused"
            yield pause, "outreach.resumed"
        yield {program.stamp for program in self._view.portfolio.programs}, "program.announced"


def features_of(policy: Policy, rule: Rule) -> Mapping[str, Feature]:
    """The features that the rule's condition may read."""
    if isinstance(rule, Trigger | Feedback):
        return _scope(policy, rule.on)
    program = isinstance(rule, Step) and rule.anchor == "program"
    return _scope(policy, "program.announced" if program else None)


@lru_cache(maxsize=256)
def _scope(policy: Policy, event: str | None) -> Mapping[str, Feature]:
    return features_in_scope(event, tuple(policy.catalogue))
