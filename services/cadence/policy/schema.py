"""The grammar of policy files as Pydantic models: sections, their keys, defaults and meaning."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import ConfigDict, field_validator

from services.cadence.expressions.tree import names
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.policy import rule_spec as keys
from services.cadence.policy import values
from services.cadence.policy.catalogue_spec import (
    HealthSpec,
    HolidaySpec,
    QuietHoursSpec,
    SegmentSpec,
    StageSpec,
    TouchpointSpec,
)
from services.cadence.policy.conditions import TRUE, Condition, is_among, is_true, joined, parts_of
from services.cadence.policy.errors import Fault
from services.cadence.policy.intervals import Every
from services.cadence.policy.limit_spec import BlackoutSpec, ContactBudgetSpec, LimitSpec
from services.cadence.policy.model import ANCHORS, MODELS, PRECEDENCES, Anchor, Damping, Urgency
from services.cadence.policy.rule_spec import Info, OnEventSpec, RuleSpec, ScopedSpec, Spec, key
from services.cadence.policy.scope import INTERNAL, Around, Scope
from services.cadence.policy.values import Distinct, Items, Text, number, one_of

REQUIRED = ("health", "segments", "stages", "touchpoints")
"""Sections that a policy has in some file."""
SLOTS: Mapping[str, tuple[str, ...]] = {
    "renewal": ("contract_id", "renews_on"),
    "notice": ("contract_id", "renews_on", "notice_on"),
    "start": ("started_on",),
    "go_live": ("went_live_on",),
    "program": ("takes_place_on",),
}
"""Names that `because` may have besides features, by the anchor of its timeline."""
_DATES = (
    "`renewal`: the day a contract's term ends; `notice`: the last day for notice to a contract that renews by itself;"
    " `start`: the day the relation began, or the first event about an account without a contract; `go_live`: the first"
    " go-live milestone"
)


class _RepeatingSpec(RuleSpec):
    touchpoint: keys.KnownType = key("The type of touchpoint")
    every: Every = key(
        "How often: `14d`, `week on wednesday`, `month`; or by stage (`{onboarding: 7d, growth: month}`) for these alone"
    )
    urgency: Annotated[Urgency, one_of("spread", "soon")] = key(
        "When the first one is due: `spread` over the interval, or as `soon` as possible", "spread"
    )
    any_contact: values.Truth = key("A contact of any type counts as the last one", default=False)
    owner: keys.Owner
    channel: keys.Channel

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        stages = [stage for stage in self.every if stage]
        if stages and self.stage:
            yield Fault("`every` already names the stages; name them in one place", to=("stage",))
        for stage in stages if not self.stage else ():
            to = ("when",) if "when" in self.model_fields_set else ("every", stage)
            yield from scope.faults_of(joined([is_among("stage", [stage])], self.when), scope.features(), to)


class RhythmSpec(_RepeatingSpec):
    precedence: Annotated[str, one_of(*PRECEDENCES)] = key(
        "Its rank among rhythms of a touchpoint", "default"
    )
    within: values.Range | None = key(
        "How far preferences, adjustments and feedback may move it, as `7d..90d`; left out: not at all; of a floor it "
        "ends at its own interval",
        None,
    )

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        yield from super().faults(scope)
        if self.within and self.precedence == "escalation":
            yield Fault("a rhythm of precedence escalation is never moved; remove `within`", to=("within",))
        for days, _ in self.every.values() if self.within and self.precedence == "floor" else ():
            if self.within and self.within[1] != days:
                message = f"a floor is never made rarer: end `within` at its interval, {days}d"
                yield Fault(message, to=("within",))
        low, high = self.within or (1, values.MAX_DAYS)
        for stage, (days, _) in self.every.items():
            if not low <= days <= high:
                what = f"{days}d of {stage}" if stage else f"{days}d"
                yield Fault(f"{what} is outside {low}d..{high}d", to=("within",))


class MinimumSpec(_RepeatingSpec):
    precedence: ClassVar = "floor"
    fallback: ClassVar = True

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        yield from super().faults(scope)
        if scope.topics[self.touchpoint] == INTERNAL:
            message = f"{self.touchpoint!r} is internal work, which reaches no customer"
            yield Fault(message, to=("touchpoint",))


class AdjustmentSpec(RuleSpec):
    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [k]} for k in ("rarer", "denser")]})
    touchpoints: keys.Types = key("The types whose rhythms move; each has a rhythm with `within`")
    rarer: Annotated[int, number(1, 3)] | None = key("How many intervals of the ladder rarer", None)
    denser: Annotated[int, number(1, 3)] | None = key("How many intervals of the ladder denser", None)

    @property
    def steps(self) -> int:
        return (self.rarer or 0) - (self.denser or 0)

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        if (self.rarer is None) == (self.denser is None):
            yield Fault("give exactly one of 'rarer' and 'denser'")
        for name in self.touchpoints:
            if name not in scope.movable:
                message = f"{name!r} has no rhythm with `within`, so there is nothing to move"
                yield Fault(message, to=("touchpoints",))


class FeedbackRuleSpec(AdjustmentSpec, OnEventSpec):
    rarer: Annotated[int, number(1, 1)] | None = key("One interval of the ladder rarer", None)
    denser: Annotated[int, number(1, 1)] | None = key("One interval of the ladder denser", None)
    when: Condition = key("What has to hold; reads at least one feature of the event")

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        yield from super().faults(scope)
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
    at_the_end: values.Channel | None = key("The channel when a step asks for rarer than `within`", None)
    round: values.Span = key(
        "Answers of one contact to one survey within this time are one; the latest counts", "30d"
    )
    rules: Items[FeedbackRuleSpec] | None = key("The events and what follows from them", None)


class TriggerSpec(RuleSpec, OnEventSpec):
    touchpoint: keys.KnownType = key("The type of touchpoint")
    within: values.Window = key("How long after the event it is useful; older events ask for nothing")
    unless: keys.Unless
    after: values.Span = key("How long after the event it is useful at the earliest", "0h")
    deadline: keys.Deadline
    cooldown: values.Span | None = key("The least time between two of its type, whichever rule asks", None)
    cap: values.CapText | None = key("At most this many of its type, as `2 per 365d`", None)
    precedence: keys.OneOffPrecedence
    owner: keys.Owner
    channel: keys.Channel

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        if self.after and self.after >= self.within:
            message = "the window would open after it closes; make `after` shorter than `within`"
            yield Fault(message, to=("after",))


class _StepSpec(RuleSpec):
    touchpoint: keys.KnownType = key("The type of touchpoint")
    within: values.Window | None = key(
        "How long it is useful; left out: until the next step, or 7 days", None
    )
    unless: keys.Unless
    deadline: keys.Deadline
    precedence: keys.OneOffPrecedence
    owner: keys.Owner
    channel: keys.Channel

    @classmethod
    def around(cls, info: Info, /) -> Around:
        return info.context.timeline


class StepSpec(_StepSpec):
    days: values.Offset = key(
        "Days from the anchor: `-90d` before it, `0d` on it, `30d` after it", alias="at"
    )

    @field_validator("days")
    @classmethod
    def _is_known_in_time(cls, days: int, info: Info) -> int:
        if days < 0 and info.context.timeline.anchor == "go_live":
            raise ValueError("a go-live is not known before its day; use 0d or later")
        return days


class DayStepSpec(_StepSpec):
    day: Distinct[values.Day] = key("The day; 1 is the anchor's own day. A list makes a step for each")


class _AnchoredSpec(Spec):
    """Mixed into timelines and sequences, whose steps are around an anchor."""

    anchor: Anchor

    @classmethod
    def around(cls, info: Info, /) -> Around:
        is_program = info.data.get("anchor") == "program"
        return Around(info.context.features("program.announced" if is_program else ""))

    @field_validator("steps", mode="before", check_fields=False)
    @classmethod
    def _show_to_steps(cls, steps: object, info: Info) -> object:
        anchor, when = info.data.get("anchor", "renewal"), info.data.get("when", TRUE)
        info.context.timeline = Around(cls.around(info).features, parts_of(when), SLOTS[anchor], anchor)
        return steps


class TimelineSpec(ScopedSpec, _AnchoredSpec):
    anchor: Annotated[Anchor, one_of(*ANCHORS)] = key(
        f"The date. {_DATES}; `program`: a release, webinar, newsletter or event for this account"
    )
    steps: Items[StepSpec] = key("The steps")


class SequenceSpec(ScopedSpec, _AnchoredSpec):
    sequence: Text = key("Its name")
    anchor: Annotated[Anchor, one_of("start", "go_live", "renewal")] = key(f"Day 1. {_DATES}", "start")
    steps: Items[DayStepSpec] = key("The steps")


class PolicyFile(Spec):
    health: HealthSpec | None = key("The colours of health scores, for events without a colour", None)
    model: Annotated[str, one_of(*MODELS)] | None = key(
        "How the company leads its accounts: every one like `enterprise` (`high_touch`), `mid_market` (`mid_touch`) or "
        "`small_business` (`low_touch`), or each by its segment; a segment set by hand on an account comes first; left "
        "out: `hybrid`",
        None,
    )
    segments: Items[SegmentSpec] | None = key("What kind of account it is: the first that holds", None)
    stages: Items[StageSpec] | None = key("Where an account is with us: the first that holds", None)
    touchpoints: dict[values.TypeName, TouchpointSpec] | None = key("Every type of touchpoint, by name", None)
    currency: values.Currency | None = key(
        "The currency of revenues (`arr`) in conditions, `USD` if left out; amounts in others are converted at the rates"
        " of the file that `DRUMBEAT_RATES` names, and unknown without one",
        None,
    )
    quiet_hours: QuietHoursSpec | None = key(
        "When customers get no message, by the clock where they are; left out: from 20:00 to 08:00", None
    )
    send_window: values.SendHours | None = key(
        "When customers get messages, as `mon-fri 08:00-18:00`, by the clock where they are; escalations and reminders "
        "do not wait for it; left out: whenever there are no quiet hours",
        None,
    )
    rhythms: Items[RhythmSpec] | None = key("What repeats", None)
    minimum: Items[MinimumSpec] | None = key("What repeats where no other rhythm is as frequent", None)
    adjustments: Items[AdjustmentSpec] | None = key("What makes rhythms rarer or denser while it holds", None)
    feedback: FeedbackSpec | None = key("How events make rhythms rarer or denser, step by step", None)
    triggers: Items[TriggerSpec] | None = key("What follows an event", None)
    timelines: Items[TimelineSpec] | None = key("What comes before and after a date", None)
    sequences: Items[SequenceSpec] | None = key("What follows a date day by day", None)
    limits: Items[LimitSpec] | None = key("At most so many touchpoints of several types are planned", None)
    contact_budgets: Items[ContactBudgetSpec] | None = key(
        "How often a person and an account hear from us at most, calls and meetings included: messages wait for room",
        None,
    )
    blackouts: Items[BlackoutSpec] | None = key("Seasons and dates without touchpoints of some types", None)
    holidays: Items[HolidaySpec] | None = key(
        "Public holidays beside those that are known of the countries of people and accounts", None
    )

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        for section, items in (("segments", self.segments), ("stages", self.stages)):
            if items and not is_true(items[-1].when):
                message = "the last one must hold for every other account: give it `when: true`"
                yield Fault(message, to=(section, len(items) - 1))
