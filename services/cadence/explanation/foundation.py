"""Foundation: all events that an item of a plan rests on. These alone, applied to an empty account, lead to the item.

An item rests on more than its own rule: on why other rules for its type did not come first, on what it had to keep clear
of, and on whom it is for. Programs, ranks and exchange rates concern many accounts; of these the announcements are named.
What a bound has let go of, and what was erased, is not known any more and cannot be named.
"""

from collections.abc import Iterable, Iterator, Mapping

from services.cadence.account import Plain, Stamp
from services.cadence.evaluation import Decision
from services.cadence.evaluation.candidates import Candidate, Selection, touchpoint_id
from services.cadence.evaluation.event_entries import EventEntry, entries_of
from services.cadence.evaluation.feature_events import FeatureEvents
from services.cadence.evaluation.rhythms import ChosenRhythm
from services.cadence.evaluation.timelines import AnchorPoint, anchors_of
from services.cadence.expressions.deciding import deciding_names
from services.cadence.expressions.trace import trace
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.policy import Rhythm, Rule, Step, Trigger, condition_of

_OWN_THING = frozenset({"interaction.logged", "milestone.reached", "expansion.signalled", "request.received"})
"""Events each of which stands alone: nothing that the account tells beside it changes how it reads."""


class Foundation:
    """Of the decision about one account."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self._state = decision.state
        self._policy = decision.state.policy
        self.features = FeatureEvents(decision.state)
        self._stored = self.features.stored

    def of_rule(self, rule: str) -> frozenset[Stamp]:
        """Behind every item of the plan that a rule leads to, also one that came due under another policy."""
        outline = self._decision.outline
        stamps = [self._of_rhythm(chosen) for chosen in outline.rhythms if chosen.rule.rule == rule]
        stamps += [self._of_one_off(each) for each in outline.selection.selected if each.rule.rule == rule]
        due = [key for key, fields in outline.selection.due.items() if fields.get("reason_rule") == rule]
        return frozenset[Stamp]().union(*stamps, self._stored.of_one_offs(due))

    def behind_account(self, rule: Rule) -> frozenset[Stamp]:
        """Behind what a rule reads of the account."""
        return self.features.behind(self._policy.read_by[rule.rule])

    def _of_rhythm(self, chosen: ChosenRhythm) -> set[Stamp]:
        kind = chosen.rule.touchpoint
        kinds = self._related(chosen)
        stamps = set(self._around(kind))
        last = self._state.view.last_contact(kind, of_any_type=chosen.rule.any_contact)
        stamps |= set() if last is None else {last[1]}
        for rule in (*self._policy.content.rhythms, *self._policy.content.adjustments):
            types = {rule.touchpoint} if isinstance(rule, Rhythm) else {*rule.touchpoints}
            if not kinds.isdisjoint(types):
                stamps |= self.features.deciding(condition_of(rule))
        for event, rules in self._policy.feedback.items():
            own = [rule for _, rule in rules if not kinds.isdisjoint(rule.touchpoints)]
            if own:
                stamps |= set(self._behind_event(event))
                stamps |= self.features.behind(
                    name for rule in own for name in self._read_of_account(rule, event)
                )
        return stamps

    def _related(self, chosen: ChosenRhythm) -> set[str]:
        """The types whose rhythms have a say in this one: a fallback fills what all others leave."""
        rhythms, kind = self._policy.content.rhythms, chosen.rule.touchpoint
        if any(rule.fallback and rule.touchpoint == kind for rule in rhythms):
            return {rule.touchpoint for rule in rhythms}
        if chosen.preferred_days is None:
            return {kind}
        topic = self._policy.catalogue[kind].topic
        return {rule.touchpoint for rule in rhythms if self._policy.catalogue[rule.touchpoint].topic == topic}

    def _of_one_off(self, candidate: Candidate) -> set[Stamp]:
        stamps = set(self._around(candidate.rule.touchpoint)) | set(
            self._issued(candidate.key, *candidate.aliases)
        )
        if isinstance(candidate.rule, Trigger):
            return stamps | self._of_triggered(candidate)
        return stamps | set(self._of_step(candidate, candidate.rule))

    def _of_triggered(self, candidate: Candidate) -> set[Stamp]:
        """Also why no rule for the same type asked first, and which times left room."""
        kind = candidate.rule.touchpoint
        own = candidate.base, candidate.stamp or "", candidate.rule.rule
        shared = [limit.touchpoints for limit in self._policy.limits if kind in limit.touchpoints]
        stamps = set(self._stored.of_times({kind}.union(*shared)))
        for event, rules in self._policy.triggers.items():
            asking = [rule for _, rule in rules if rule.touchpoint == kind]
            for entry in self._entries(event, candidate.base) if asking else ():
                for rule in asking:
                    if (entry.at, entry.stamp, rule.rule) <= own:
                        stamps |= self._deciding(rule, event, entry)
                        stamps |= set(self._issued(*((kind, *key) for key in (entry.key, *entry.aliases))))
        return stamps | self._of_competitors(candidate, kind)

    def _of_competitors(self, candidate: Candidate, kind: str) -> set[Stamp]:
        """What is selected of other types took the room of a shared limit from rules of this type."""
        limited = {
            limit.rule: limit.touchpoints for limit in self._policy.limits if kind in limit.touchpoints
        }
        stopped = [
            item
            for item in self._decision.suppressed
            if item.cause == "limit" and item.touchpoint_type == kind
        ]
        stamps: set[Stamp] = set()
        for other in self._decision.outline.selection.selected if stopped else ():
            if other.base > candidate.base or other is candidate or other.rule.touchpoint == kind:
                continue
            if any(other.rule.touchpoint in limited[item.by] for item in stopped):
                stamps |= self._of_one_off(other)
        return stamps

    def _entries(self, event: str, until: int) -> Iterator[EventEntry]:
        since = self._state.now - self._policy.longest_within[event]
        for entry in entries_of(self._state.view, event, since, self._policy.entry_reads[event]):
            if entry.at <= until:
                yield entry

    def _deciding(self, rule: Trigger, event: str, entry: EventEntry) -> set[Stamp]:
        """What is enough for the result of the rule's condition on an entry."""
        values = {**self._state.view.values, **entry.values}
        if "color" in entry.values:
            health = self._policy.content.health
            values["color"] = health.effective_color(entry.values["color"], entry.values.get("health_score"))
        own = EVENT_FEATURES[event]

        def behind(names: Iterable[str]) -> set[Stamp]:
            read = set(names)
            stamps = set(self.features.behind(read - own.keys()))
            return stamps | set(self._behind_entry(event, entry, read & own.keys()))

        truth = trace(condition_of(rule), values)
        stamps = behind(deciding_names(truth, lambda names: len(behind(names))))
        return stamps | (set(self._behind_entry(event, entry, ())) if truth.holds else set())

    def _behind_entry(self, event: str, entry: EventEntry, names: Iterable[str]) -> Iterator[Stamp]:
        yield entry.stamp
        if event in _OWN_THING:
            yield from self._stored.of_thing(event, entry.stamp)
        elif event != "health.scored" or "score_drop" in names:
            yield from self._behind_event(event)

    def _behind_event(self, event: str) -> Iterator[Stamp]:
        """Behind all that is stored of an event type, with what its entries are read with."""
        if event == "program.announced":
            for program in self._state.portfolio.programs:
                yield from program.stamps
                yield from self.features.behind(program.reads)
        yield from self._stored.of_event(event)

    def _of_step(self, candidate: Candidate, step: Step) -> Iterator[Stamp]:
        """Also why no other step asked for the same, and where the date comes from."""
        match step.anchor:
            case "renewal" | "notice":
                yield from self._stored.of_contracts()
            case "start":
                yield from self.features.behind_parts("start")
            case "go_live":
                yield from self._stored.of_event("milestone.reached")
            case "program":
                yield from self._behind_event("program.announced")
        for anchor in self._anchors(candidate, step):
            values: Mapping[str, Plain] = {**self._state.view.values, **anchor.values}
            for _, other, *_ in self._policy.timelines[step.anchor].steps:
                if other.touchpoint == step.touchpoint and other.ordinal == step.ordinal:
                    truth = trace(condition_of(other), values)
                    names = deciding_names(truth, lambda names: len(self.features.behind(names)))
                    yield from self.features.behind(names)

    def _anchors(self, candidate: Candidate, step: Step) -> Iterator[AnchorPoint]:
        end = self._policy.timelines[step.anchor].end
        for anchor in anchors_of(self._state, Selection(), step.anchor, end):
            if anchor.base == candidate.base and anchor.stamp == candidate.stamp:
                yield anchor

    def _around(self, kind: str) -> Iterator[Stamp]:
        """Pauses and blackouts, wished channels and rhythms, and the person who leads."""
        yield from self._stored.of_event("outreach.paused")
        for blackout in self._policy.content.blackouts:
            if kind in blackout.touchpoints:
                yield from self.features.deciding(blackout.when)
        if self._policy.catalogue[kind].topic is not None:
            yield from self._stored.of_preferences()
        yield from self._stored.of_field("csm_id")

    def _issued(self, *keys: tuple[str, ...]) -> Iterator[Stamp]:
        """Behind what was issued under these keys."""
        yield from self._stored.of_one_offs(touchpoint_id(self._state.facts.account_id, key) for key in keys)

    def _read_of_account(self, rule: Rule, event: str) -> Iterator[str]:
        yield from (name for name in self._policy.read_by[rule.rule] if name not in EVENT_FEATURES[event])
