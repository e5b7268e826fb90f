"""Evidence: the clauses of a condition for one account, each with its values and the events behind them."""

from collections.abc import Iterator, Mapping, Sequence
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
        facts = self._facts
        for kind, entries in facts.entries.items():
            if stamp in entries:
                return _TYPES.get(kind, kind)
        for name in facts.account.get(stamp, ()):
            return _TYPE_BY_FIELD.get(name, "")
        return self._scoped_type(stamp) or self._other_type(stamp)

    def _scoped_type(self, stamp: Stamp) -> str:
        facts = self._facts
        contracts = facts.contracts.values()
        if any(stamp in each.fields or stamp in each.terms or stamp in each.revenues for each in contracts):
            return "contract.changed"
        for contact in facts.contacts.values():
            if stamp in contact:
                return "contact.left" if contact[stamp].get("left") else "contact.described"
        if stamp in facts.joined.values():
            return "contact.described"
        in_preferences = any(stamp in fields for fields in facts.preferences.values())
        return "preference.changed" if in_preferences else ""

    def _other_type(self, stamp: Stamp) -> str:
        for pause in self._facts.pauses.values():
            if stamp in pause:
                return "outreach.paused" if pause[stamp].get("paused") else "outreach.resumed"
        announced = any(program.stamp == stamp for program in self._view.portfolio.programs)
        return "program.announced" if announced else ""


def features_of(policy: Policy, rule: Rule) -> Mapping[str, Feature]:
    """The features that the rule's condition may read."""
    if isinstance(rule, Trigger | Feedback):
        return _scope(policy, rule.on)
    program = isinstance(rule, Step) and rule.anchor == "program"
    return _scope(policy, "program.announced" if program else None)


@lru_cache(maxsize=256)
def _scope(policy: Policy, event: str | None) -> Mapping[str, Feature]:
    return features_in_scope(event, tuple(policy.catalogue))
