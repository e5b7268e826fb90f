"""Evidence: the clauses of a condition over one account, each with its values and the events behind them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from services.rules_engine.domain.compile.truths import Recorder, Truth
from services.rules_engine.domain.facts import (
    ACCOUNT_FIELDS,
    WENT_LIVE,
    Facts,
    Mark,
    Plain,
    moment,
    when,
    who,
)
from services.rules_engine.domain.language.spoken import spoken
from services.rules_engine.domain.language.tree import names
from services.rules_engine.domain.plan.marks import Marks
from services.rules_engine.domain.policy import Feedback, Policy, Rule, Step, Trigger, wish
from services.rules_engine.domain.vocabulary.registry import Word, scope
from services.rules_engine.domain.vocabulary.view import View
from services.rules_engine.domain.why.shapes import Clause, Event

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

    def __init__(self, policy: Policy, facts: Facts, seen: View) -> None:
        self._policy = policy
        self._facts = facts
        self._seen = seen
        self._marks = Marks(facts, seen)

    def truth(self, rule: Rule, over: Mapping[str, Plain]) -> Truth:
        """The truth of a rule's condition; `over` lies over the words of the account."""
        recorder = _recorder(self._policy, rule.rule)
        return recorder.truth(0, recorder.record({**self._blank(rule), **self._seen.values, **over}))

    def clauses(self, truth: Truth, over: Mapping[str, Plain], mark: Mark | None) -> tuple[Clause, ...]:
        """Each clause as its author wrote it. `mark`: the entry that the words in `over` are read of."""
        values = {**self._seen.values, **over}
        found: list[Clause] = []
        for each in truth.clauses():
            read = names(each.node)
            if read:
                said = {name: values.get(name) for name in read}
                marks = [mark if name in over else self._marks.of(name) for name in read]
                found.append(Clause(spoken(each.node), each.holds, said, tuple(self._events(marks))))
        return tuple(found)

    def _blank(self, rule: Rule) -> dict[str, Plain]:
        return dict.fromkeys(self._policy.read_by[rule.rule])

    def _events(self, marks: Sequence[Mark | None]) -> Iterator[Event]:
        for mark in dict.fromkeys(marks):
            if mark:
                source, event_id = who(mark)
                yield Event(self.kind_of(mark), source, event_id, moment(when(mark)))

    def kind_of(self, mark: Mark) -> str:
        """The type of the event that a mark stands for; "" when it is no longer remembered which."""
        facts = self._facts
        for kind, entries in facts.entries.items():
            if mark in entries:
                return _KINDS.get(kind, kind)
        for name in facts.account.get(mark, ()):
            return _FIELDS.get(name, "")
        return self._of_scope(mark) or self._other(mark)

    def _of_scope(self, mark: Mark) -> str:
        facts = self._facts
        contracts = facts.contracts.values()
        if any(mark in each.held or mark in each.terms or mark in each.revenues for each in contracts):
            return "contract.changed"
        for held in facts.contacts.values():
            if mark in held:
                return "contact.left" if held[mark].get("left") else "contact.described"
        if mark in facts.joined.values():
            return "contact.described"
        return "preference.changed" if any(mark in held for held in facts.preferences.values()) else ""

    def _other(self, mark: Mark) -> str:
        for held in self._facts.pauses.values():
            if mark in held:
                return "outreach.paused" if held[mark].get("paused") else "outreach.resumed"
        booked = any(program.mark == mark for program in self._seen.book.programs)
        return "program.announced" if booked else ""


@lru_cache(maxsize=4096)
def _recorder(policy: Policy, rule: str) -> Recorder:
    found = policy.rules[policy.bits[rule]]
    # Words that are never null are so where nothing was heard yet: nothing is left unasked.
    return Recorder((wish(found),))


def words_of(policy: Policy, rule: Rule) -> Mapping[str, Word]:
    """What the rule's condition may read."""
    if isinstance(rule, Trigger | Feedback):
        return _scope(policy, rule.on)
    program = isinstance(rule, Step) and rule.anchor == "program"
    return _scope(policy, "program.announced" if program else None)


@lru_cache(maxsize=256)
def _scope(policy: Policy, event: str | None) -> Mapping[str, Word]:
    return scope(event, tuple(policy.catalogue))
