"""Evidence: the clauses of a condition over one account, each with its values and the events behind them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from services.cadence.account import (
    ACCOUNT_FIELDS,
    WENT_LIVE,
    Facts,
    Plain,
    Stamp,
    moment,
    when,
    who,
)
from services.cadence.evaluation.feature_stamps import Marks
from services.cadence.explanation.model import Clause, Event
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.trace import Trace, Tracer
from services.cadence.expressions.tree import names
from services.cadence.features.compute import AccountView
from services.cadence.features.registry import Feature, features_in_scope
from services.cadence.policy import Feedback, Policy, Rule, Step, Trigger, condition_of

_KINDS: Mapping[str, str] = {
    "mail.sent": "delivery.finished",
    "mail.opened": "message.engaged",
    "mail.clicked": "message.engaged",
    "reached": "delivery.finished",
    "touched": "touchpoint.settled",
    WENT_LIVE: "milestone.reached",
}
"""What the memory calls dated entries of its own -> the event they come from."""
_FIELDS: Mapping[str, str] = {
    name: kind for kind, fields in ACCOUNT_FIELDS.items() for name in fields.values()
}


class Evidence:
    """Of one account at one moment."""

    def __init__(self, policy: Policy, facts: Facts, view: AccountView) -> None:
        self._policy = policy
        self._facts = facts
        self._seen = view
        self._marks = Marks(facts, view)

    def truth(self, rule: Rule, over: Mapping[str, Plain]) -> Trace:
        """The truth of a rule's condition; `over` lies over the words of the account."""
        recorder = _recorder(self._policy, rule.rule)
        return recorder.trace(0, recorder.record({**self._blank(rule), **self._seen.values, **over}))

    def clauses(self, truth: Trace, over: Mapping[str, Plain], stamp: Stamp | None) -> tuple[Clause, ...]:
        """Each clause as its author wrote it. `mark`: the entry that the words in `over` are read of."""
        values = {**self._seen.values, **over}
        found: list[Clause] = []
        for each in truth.clauses():
            read = names(each.node)
            if read:
                said = {name: values.get(name) for name in read}
                stamps = [stamp if name in over else self._marks.of(name) for name in read]
                found.append(
                    Clause(format_expression(each.node), each.holds, said, tuple(self._events(stamps)))
                )
        return tuple(found)

    def _blank(self, rule: Rule) -> dict[str, Plain]:
        return dict.fromkeys(self._policy.read_by[rule.rule])

    def _events(self, stamps: Sequence[Stamp | None]) -> Iterator[Event]:
        for stamp in dict.fromkeys(stamps):
            if stamp:
                source, event_id = who(stamp)
                yield Event(self.kind_of(stamp), source, event_id, moment(when(stamp)))

    def kind_of(self, stamp: Stamp) -> str:
        """The type of the event that a mark stands for; "" when it is no longer remembered which."""
        facts = self._facts
        for kind, entries in facts.entries.items():
            if stamp in entries:
                return _KINDS.get(kind, kind)
        for name in facts.account.get(stamp, ()):
            return _FIELDS.get(name, "")
        return self._of_scope(stamp) or self._other(stamp)

    def _of_scope(self, stamp: Stamp) -> str:
        facts = self._facts
        contracts = facts.contracts.values()
        if any(stamp in each.held or stamp in each.terms or stamp in each.revenues for each in contracts):
            return "contract.changed"
        for held in facts.contacts.values():
            if stamp in held:
                return "contact.left" if held[stamp].get("left") else "contact.described"
        if stamp in facts.joined.values():
            return "contact.described"
        return "preference.changed" if any(stamp in held for held in facts.preferences.values()) else ""

    def _other(self, stamp: Stamp) -> str:
        for held in self._facts.pauses.values():
            if stamp in held:
                return "outreach.paused" if held[stamp].get("paused") else "outreach.resumed"
        booked = any(program.stamp == stamp for program in self._seen.portfolio.programs)
        return "program.announced" if booked else ""


@lru_cache(maxsize=4096)
def _recorder(policy: Policy, rule: str) -> Tracer:
    found = policy.rules[policy.bits[rule]]
    # Words that are never null are so where nothing was heard yet: nothing is left unasked.
    return Tracer((condition_of(found),))


def words_of(policy: Policy, rule: Rule) -> Mapping[str, Feature]:
    """What the rule's condition may read."""
    if isinstance(rule, Trigger | Feedback):
        return _scope(policy, rule.on)
    program = isinstance(rule, Step) and rule.anchor == "program"
    return _scope(policy, "program.announced" if program else None)


@lru_cache(maxsize=256)
def _scope(policy: Policy, event: str | None) -> Mapping[str, Feature]:
    return features_in_scope(event, tuple(policy.catalogue))
