"""The grammar of policy files as Pydantic models: sections, their keys, defaults and meaning."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.tree import Node, names
from services.cadence.features.registry import EVENT_FEATURES, ROLES, TOPICS, Feature
from services.cadence.policy import rule_spec as keys
from services.cadence.policy import values
from services.cadence.policy.conditions import TRUE, Condition, is_true, parts_of
from services.cadence.policy.errors import Fault, refuse
from services.cadence.policy.model import AIMS, ANCHORS, PRECEDENCES, Anchor, Damping, Urgency
from services.cadence.policy.rule_spec import Info, RuleSpec, Spec, key
from services.cadence.policy.scope import INTERNAL, UNKNOWN_EVENT, Around
from services.cadence.policy.values import Distinct, Items, Text, number, one_of

REQUIRED = ("health", "segments", "stages", "touchpoints")
"""Sections that a policy has in some file."""
SLOTS: Mapping[str, tuple[str, ...]] = {
    "renewal": ("contract_id", "renews_on"),
    "start": ("started_on",),
    "go_live": ("went_live_on",),
    "program": ("takes_place_on",),
}
"""Names that `because` may have besides features, by the anchor of its timeline."""
_DAYS = (
    "`renewal`: the day a contract's term ends; `start`: the first contract's start, or the first event about an account"
    " without one; `go_live`: the first go-live milestone"
)
_PERSONS, _SPOKEN = ("csm", "pooled_csm", "sales"), ("call", "meeting")
_Score = Annotated[float, number(0, 100, whole=False)]
_Steps = Annotated[int, number(1, 3)]


class HealthSpec(Spec):
    red_below: _Score = key("Scores below this are red")
    yellow_below: _Score = key("Scores below this, and not red, are yellow; the rest is green")

    def faults(self) -> Iterator[Fault]:
        if self.yellow_below < self.red_below:
            message = f"this is below red_below ({self.red_below:g}); yellow scores are above red ones"
            yield Fault(message, to=("yellow_below",))


def _check_derivation(tree: Node, info: Info) -> Node:
    """Segments do not depend on segments and stages, stages not on stages."""
    hidden = {"segment", "stage"} if "segment" in info.data else {"stage"}
    features = info.context.features()
    info.context.check(tree, {name: features[name] for name in features if name not in hidden})
    return tree


_Derivation = Annotated[
    Condition, AfterValidator(_check_derivation), key("What has to hold; for the last one `true`")
]


class SegmentSpec(Spec):
    segment: values.Segment = key("The segment")
    when: _Derivation


class StageSpec(Spec):
    stage: values.Stage = key("The stage")
    when: _Derivation


def _invited_roles(tree: Node, info: Info) -> tuple[str, ...]:
    """The roles that an audience invites; empty: all."""
    info.context.check(
        tree, {"role": Feature("role", "choice", "Role of a contact", values=ROLES, nullable=False)}
    )
    invites = compile_condition(tree)
    roles = tuple(role for role in ROLES if invites({"role": role}))
    if not roles:
        raise ValueError("no role satisfies this; leave `audience` out to include every contact")
    return () if roles == ROLES else roles


class TouchpointSpec(Spec):
    purpose: Text = key("What it is for, in one line")
    aim: Annotated[str, one_of(*AIMS)] = key("What it is worth to the customer")
    expects: Text = key("The outcome it should have")
    topic: Annotated[str, one_of(*TOPICS, INTERNAL)] = key(
        "What customers opt out of; `internal`: our own work"
    )
    owner: values.Owner = key("Who leads it")
    channel: values.Channel = key("Over which channel")
    minutes: Annotated[int, number(0, 600)] = key("What one costs its owner, preparation included")
    agenda: values.Several[Text] | None = key(
        "What is discussed; required for persons, calls and meetings", None
    )
    audience: Annotated[Condition, AfterValidator(_invited_roles)] | None = key(
        "Whom it is for, by the `role` of a contact; left out: every contact", None
    )
    never_skip: values.Truth = key("It may move, but it always happens once in its period", default=False)

    def faults(self) -> Iterator[Fault]:
        if self.agenda is None and (self.owner in _PERSONS or self.channel in _SPOKEN):
            why = f"{self.owner} leads it" if self.owner in _PERSONS else f"it is a {self.channel}"
            yield Fault(f"'agenda' is missing: {why}, so list what is discussed")
        if self.audience is not None and self.topic == INTERNAL:
            yield Fault("internal work reaches no customer, so it has no audience", to=("audience",))


class _RepeatingSpec(RuleSpec):
    rule: keys.Rule
    touchpoint: keys.Touchpoint
    every: values.Every = key(
        "In days (`14d`), or by stage (`{onboarding: 7d, growth: 30d}`) for these stages alone"
    )
    because: keys.Because
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When
    urgency: Annotated[Urgency, one_of("spread", "soon")] = key(
        "When the first one is due: `spread` over the interval, or as `soon` as possible", "spread"
    )
    any_contact: values.Truth = key("A contact of any type counts as the last one", default=False)
    owner: keys.Owner
    channel: keys.Channel

    def faults(self) -> Iterator[Fault]:
        if self.stage and "" not in self.every:
            yield Fault("`every` already names the stages; name them in one place", to=("stage",))


class RhythmSpec(_RepeatingSpec):
    precedence: Annotated[str, one_of(*PRECEDENCES)] = key(
        "Its rank among rhythms of the same touchpoint", "default"
    )
    within: values.Range | None = key(
        "How far preferences, adjustments and feedback may move it, as `7d..90d`; left out: not at all", None
    )

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if self.within and self.precedence in {"floor", "escalation"}:
            yield Fault(
                f"a rhythm of precedence {self.precedence} is never moved; remove `within`", to=("within",)
            )
        low, high = self.within or (1, values.MAX_DAYS)
        for stage, days in self.every.items():
            if not low <= days <= high:
                what = f"{days}d of {stage}" if stage else f"{days}d"
                yield Fault(f"{what} is outside {low}d..{high}d", to=("within",))


def _check_public(name: str, info: Info) -> str:
    if info.context.topics[name] == INTERNAL:
        raise ValueError(f"{name!r} is internal work, which reaches no customer")
    return name


class MinimumSpec(_RepeatingSpec):
    touchpoint: Annotated[keys.Touchpoint, AfterValidator(_check_public)]


def _check_movable(types: tuple[str, ...], info: Info) -> tuple[str, ...]:
    fixed = [name for name in types if name not in info.context.movable]
    what = "has no rhythm with `within`, so there is nothing to move"
    info.context.refuse([Fault(f"{name!r} {what}") for name in fixed])
    return types


class AdjustmentSpec(RuleSpec):
    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["rarer"]}, {"required": ["denser"]}]}
    )
    rule: keys.Rule
    touchpoints: Annotated[Distinct[keys.KnownType], AfterValidator(_check_movable)] = key(
        "The types that move"
    )
    rarer: _Steps | None = key("How many intervals of the ladder rarer", None)
    denser: _Steps | None = key("How many intervals of the ladder denser", None)
    because: keys.Because
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When

    def faults(self) -> Iterator[Fault]:
        if (self.rarer is None) == (self.denser is None):
            yield Fault("give exactly one of 'rarer' and 'denser'")


class _EventSpec(RuleSpec):
    rule: keys.Rule
    on: Annotated[str, one_of(*EVENT_FEATURES)] = key("The event")

    @classmethod
    def around(cls, info: Info, /) -> Around:
        return Around(info.context.features(info.data.get("on", UNKNOWN_EVENT)))


class FeedbackRuleSpec(AdjustmentSpec, _EventSpec):
    rarer: Annotated[int, number(1, 1)] | None = key("One interval of the ladder rarer", None)
    denser: Annotated[int, number(1, 1)] | None = key("One interval of the ladder denser", None)
    when: Condition = key("What has to hold; reads at least one feature of the event")

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        own = EVENT_FEATURES[self.on]
        if not own.keys() & set(names(self.when)):
            what = f"this reads no feature of {self.on} ({', '.join(own)})"
            yield Fault(f"{what}; a condition on the account alone belongs in an adjustment", to=("when",))


class FeedbackSpec(Spec):
    ladder: values.Ladder = key(
        "The intervals to step along, shortest first", [f"{days}d" for days in Damping().ladder]
    )
    spacing: values.Span = key("At most one step in this time", "60d")
    lasts: values.Span = key("How long a step counts", "180d")
    at_the_end: values.Channel | None = key(
        "The channel for a step that asks for rarer than `within` allows", None
    )
    rules: Items[FeedbackRuleSpec] | None = key("The events and what follows from them", None)


class TriggerSpec(_EventSpec):
    touchpoint: keys.Touchpoint
    within: values.Window = key("How long after the event it is useful; older events ask for nothing")
    because: keys.Because
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When
    unless: keys.Unless
    after: values.Span = key("How long after the event it is useful at the earliest", "0h")
    deadline: keys.Deadline
    cooldown: values.Span | None = key("The least time between two of its type, whichever rule asks", None)
    cap: values.CapText | None = key("At most this many of its type, as `2 per 365d`", None)
    owner: keys.Owner
    channel: keys.Channel

    def faults(self) -> Iterator[Fault]:
        if self.after and self.after >= self.within:
            yield Fault(
                "the window would open after it closes; make `after` shorter than `within`", to=("after",)
            )


class _StepSpec(RuleSpec):
    rule: keys.Rule
    touchpoint: keys.Touchpoint
    because: keys.Because
    within: values.Window | None = key(
        "How long it is useful; left out: until the next step, or 7 days", None
    )
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When
    unless: keys.Unless
    deadline: keys.Deadline
    owner: keys.Owner
    channel: keys.Channel

    @classmethod
    def around(cls, info: Info, /) -> Around:
        return info.context.timeline


class StepSpec(_StepSpec):
    at: values.Offset = key("Days from the anchor: `-90d` before it, `0d` on it, `30d` after it")

    @field_validator("at")
    @classmethod
    def _is_known_in_time(cls, days: int, info: Info) -> int:
        if days < 0 and info.context.timeline.anchor == "go_live":
            raise ValueError("a go-live is not known before its day; use 0d or later")
        return days


class DayStepSpec(_StepSpec):
    day: Distinct[values.Day] = key("The day; 1 is the anchor's own day. A list makes a step for each")


class _TimelineSpec(RuleSpec):
    @classmethod
    def around(cls, info: Info, /) -> Around:
        return Around(
            info.context.features("program.announced" if info.data.get("anchor") == "program" else "")
        )

    @field_validator("steps", mode="before", check_fields=False)
    @classmethod
    def _show_to_steps(cls, steps: object, info: Info) -> object:
        anchor, conditions = info.data.get("anchor", "renewal"), parts_of(info.data.get("when", TRUE))
        info.context.timeline = cls.around(info)._replace(
            conditions=conditions, slots=SLOTS[anchor], anchor=anchor
        )
        return steps


class TimelineSpec(_TimelineSpec):
    anchor: Annotated[Anchor, one_of(*ANCHORS)] = key(
        f"The date. {_DAYS}; `program`: a release, webinar, newsletter or event for this account"
    )
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When
    steps: Items[StepSpec] = key("The steps")


class SequenceSpec(_TimelineSpec):
    sequence: Text = key("Its name")
    anchor: Annotated[Anchor, one_of("start", "go_live", "renewal")] = key(f"Day 1. {_DAYS}", "start")
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When
    steps: Items[DayStepSpec] = key("The steps")


class LimitSpec(RuleSpec):
    limit: keys.Rule
    at_most: values.CapText = key("How many in which time, as `2 per 90d`")
    touchpoints: keys.Types
    because: keys.Because

    @classmethod
    def around(cls, _info: Info, /) -> Around:
        """No features: a limit holds for every account."""
        return Around({})


class BlackoutSpec(RuleSpec):
    blackout: keys.Rule
    from_: Annotated[values.MonthDay, Field(alias="from")] = key("Its first day, as month-day: `11-01`")
    to: values.MonthDay = key("Its last day, included; before `from` it is in the next year")
    touchpoints: keys.Types
    because: keys.Because
    segment: keys.Segments
    stage: keys.Stages
    when: keys.When

    def faults(self) -> Iterator[Fault]:
        if (date(2026, *self.from_) - date(2026, *self.to)).days % 365 == 1:
            yield Fault("this covers the whole year; leave some days open", to=("to",))


FirstMatch = TypeVar("FirstMatch", SegmentSpec, StageSpec)


def _check_last(items: list[FirstMatch]) -> list[FirstMatch]:
    last = len(items) - 1
    if is_true(items[last].when):
        return items
    raise refuse(Fault("the last one must hold for every other account: give it `when: true`", to=(last,)))


_Segments = Annotated[Items[SegmentSpec], AfterValidator(_check_last)]
_Stages = Annotated[Items[StageSpec], AfterValidator(_check_last)]


class PolicyFile(Spec):
    health: HealthSpec | None = key("The colours of health scores, for events without a colour", None)
    segments: _Segments | None = key("What kind of account it is: the first segment that holds", None)
    stages: _Stages | None = key("Where an account is with us: the first stage that holds", None)
    touchpoints: dict[values.TypeName, TouchpointSpec] | None = key("Every type of touchpoint, by name", None)
    rhythms: Items[RhythmSpec] | None = key("What repeats", None)
    minimum: Items[MinimumSpec] | None = key("What repeats where no other rhythm is as frequent", None)
    adjustments: Items[AdjustmentSpec] | None = key("What makes rhythms rarer or denser while it holds", None)
    feedback: FeedbackSpec | None = key("How events make rhythms rarer or denser, step by step", None)
    triggers: Items[TriggerSpec] | None = key("What follows an event", None)
    timelines: Items[TimelineSpec] | None = key("What comes before and after a date", None)
    sequences: Items[SequenceSpec] | None = key("What follows a date day by day", None)
    limits: Items[LimitSpec] | None = key("Contact budgets over several types of touchpoint", None)
    blackouts: Items[BlackoutSpec] | None = key("Seasons without touchpoints of some types", None)
