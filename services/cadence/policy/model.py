"""The content of a policy as values. `place`, where a rule is in its file, is for people: it is not compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple, get_args

from schemas.directory import HolidayRecord
from schemas.times import USUAL_QUIET_HOURS, QuietHours, SendWindow
from schemas.vocabulary import SPOKEN, BudgetScope, Misfire
from services.cadence.content.names import ContentName
from services.cadence.expressions.compile import Health, Named
from services.cadence.expressions.tree import Node
from services.cadence.rates import USUAL_CURRENCY

Urgency = Literal["soon", "spread"]
SeasonDay = tuple[int, int] | date
"""A day of every year as (month, day), or one date."""
Anchor = Literal["renewal", "notice", "start", "go_live", "program"]
PRECEDENCES = ("default", "preference", "floor", "escalation")
"""A preference comes before a default. Floors and escalations are guarantees: never rarer, whatever else holds."""
ANCHORS: tuple[Anchor, ...] = ("renewal", "notice", "start", "go_live", "program")
PERSONS = frozenset({"csm", "pooled_csm", "sales"})
"""Owners who give a customer their own time."""
MODELS: Mapping[str, str | None] = {
    "high_touch": "enterprise",
    "mid_touch": "mid_market",
    "low_touch": "small_business",
    "hybrid": None,
}
"""How a company leads its accounts: all like those of one segment, or each like those of its own (None)."""
YIELDS = ("first", "normal", "last", "never")
"""In which order touchpoints are given up when the weeks of their owner cannot hold all."""
MISFIRES = get_args(Misfire)
"""What an outage does to touchpoints that came due meanwhile."""
SKIP_GRACE = timedelta(hours=24)
"""How late what is skipped after an outage may be, where its type does not say."""
AIMS = ("share_insight", "reach_goal", "solve_problem", "open_opportunity", "gather_feedback")


class Location(NamedTuple):
    """A place in a policy: file name and line, from 1."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """A type of touchpoint. `topic` None: internal work that reaches no customer. `audience`: roles; empty: every role.

    `never_skip`: it may move, but it always happens once in its period. `expects`: the outcome it should have.
    `group`: held for many customers at once, so it is no contact with one of them. `folds_into`: types whose rhythm takes
    it in when both are near. `yields`: when it is given up; None: by its precedence. `invite`: whether it is put into
    calendars; None: by who leads it and over which channel. `remind`: how long before it people are reminded of it.
    `misfire`, `grace`: what an outage does to those that came due meanwhile, and how late is not late; None: as usual.
    `send_window`: when customers get its messages; None: as for all messages.
    `approve`: its message waits for an approval, for `approve_within` (None: as long as it is worth sending). `hand_off`:
    the platform that writes to the customer instead of Drumbeat. `share`: whether a colleague of the pool may lead it
    when its owner's weeks are full; None: where a pooled CSM leads it.
    """

    type: str
    topic: str | None
    owner: str
    channel: str
    purpose: str
    minutes: int
    audience: tuple[str, ...] = ()
    aim: str = ""
    agenda: tuple[str, ...] = ()
    expects: str = ""
    never_skip: bool = False
    group: bool = False
    folds_into: tuple[str, ...] = ()
    yields: str | None = None
    invite: bool | None = None
    remind: tuple[timedelta, ...] = ()
    misfire: str | None = None
    grace: timedelta | None = None
    send_window: SendWindow | None = None
    approve: bool = False
    approve_within: timedelta | None = None
    hand_off: str | None = None
    share: bool | None = None
    place: Location = field(default=Location(), compare=False)

    @property
    def misfire_grace(self) -> timedelta:
        """How late it may be released without a misfire."""
        return self.grace if self.grace is not None else SKIP_GRACE if self.misfire == "skip" else timedelta()

    @property
    def invites(self) -> bool:
        """Whether the customer and its owner get it into their calendars: without a word of the policy, what a person
        holds with one customer as a call or a meeting.
        """
        if self.invite is not None:
            return self.invite
        is_talk = self.owner in PERSONS and self.channel in SPOKEN
        return is_talk and self.topic is not None and not self.group


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conditional:
    rule: str
    when: Node
    because: str
    place: Location = field(default=Location(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm(_Conditional):
    """A touchpoint that repeats.

    `rrule`: its days by the calendar, and `every_days` is their mean interval; None: every `every_days` days.
    `within`: the shortest and the longest interval, in days, that preferences, adjustments and feedback may make of it;
    None: it is never moved. `fallback`: it applies only where no other rhythm reaches the customer as often.
    """

    touchpoint: str
    every_days: int
    urgency: Urgency = "spread"
    precedence: str = "default"
    owner: str | None = None
    channel: str | None = None
    rrule: str | None = None
    any_contact: bool = False
    """A contact of any type counts as the last one, not only one of this type."""
    within: tuple[int, int] | None = None
    fallback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment(_Conditional):
    """Makes rhythms of these touchpoint types rarer (`steps` > 0) or denser (< 0) by intervals of the ladder."""

    touchpoints: tuple[str, ...]
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(_Conditional):
    """An adjustment by one step after an event (`on`). `Damping` limits the steps."""

    on: str
    touchpoints: tuple[str, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class Damping:
    """How feedback acts. `ladder`: intervals in days, shortest first. At most one step in `spacing`, each for `lasts`.

    `at_the_end`: the channel a rhythm moves to when a step asks for rarer than its longest interval. `round`: answers of
    one contact to one survey within this time are one.
    """

    ladder: tuple[int, ...] = (7, 14, 30, 60, 90, 180, 365)
    spacing: timedelta = timedelta(days=60)
    lasts: timedelta = timedelta(days=180)
    at_the_end: str | None = None
    round: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` in any `per`."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneOff(_Conditional):
    """`precedence` says how urgently its owner is told; it selects nothing."""

    touchpoint: str
    within: timedelta
    precedence: str = "default"
    unless: Node | None = None
    deadline: timedelta | None = None
    owner: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(_OneOff):
    """A touchpoint that follows an event, from `after` it until `within` it. `cooldown`: between two of its type."""

    on: str
    cooldown: timedelta | None = None
    after: timedelta = timedelta(0)
    cap: Cap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(_OneOff):
    """A step of a timeline or a sequence: `days` from the anchor, negative before it, for as long as `within`.

    `ordinal`: its number among the steps of its type in its timeline, from 0, by day; part of its identity.
    """

    days: int
    anchor: Anchor = "renewal"
    ordinal: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `cap.count` touchpoints of these types in any `cap.per`: what would exceed it is planned later."""

    rule: str
    cap: Cap
    touchpoints: tuple[str, ...]
    because: str
    place: Location = field(default=Location(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactBudget:
    """At most `cap.count` contacts of a person or an account in any `cap.per`, messages and talks together.

    `channels`: those whose contacts count; empty: all. `exempt`: types whose messages count and never wait.
    """

    rule: str
    per: BudgetScope
    cap: Cap
    channels: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    because: str
    place: Location = field(default=Location(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout(_Conditional):
    """A season without touchpoints of these types, both days included.

    Every year as (month, day), where it may go on into the next year, or once as dates. A touchpoint that is due in it
    moves to its nearest side.
    """

    first: SeasonDay
    last: SeasonDay
    touchpoints: tuple[str, ...]


Rule = Rhythm | Trigger | Step | Adjustment | Feedback | Blackout
"""What has a condition, and so a bit of its own in `Decision.fired`."""


@dataclass(frozen=True, slots=True)
class PolicyContent:
    """The content of a policy's files. The order of segments and stages counts, that of rules does not."""

    health: Health
    segments: tuple[Named, ...]
    stages: tuple[Named, ...]
    touchpoints: tuple[Touchpoint, ...]
    rhythms: tuple[Rhythm, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    steps: tuple[Step, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    damping: Damping = Damping()
    limits: tuple[Limit, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    contact_budgets: tuple[ContactBudget, ...] = ()
    quiet_hours: QuietHours = USUAL_QUIET_HOURS
    send_window: SendWindow | None = None
    holidays: tuple[HolidayRecord, ...] = ()
    """Public holidays that it adds or takes away."""
    currency: str = USUAL_CURRENCY
    """Of the revenue that conditions read (ISO 4217)."""
    model: str = "hybrid"
    texts: Mapping[ContentName, str] = field(default_factory=dict[ContentName, str])
    """Its own content files."""
    places: Mapping[str, Location] = field(default_factory=dict[str, Location], compare=False)
    """Of segments, stages, model and damping, as `segment/<index>`, `stage/<index>`, `model/<name>` and `feedback`."""

    @property
    def only_segment(self) -> str | None:
        """The segment of every account, unless set by hand; None: as `segments` has it."""
        return MODELS[self.model]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Rules of every kind."""
        return (
            *self.rhythms, *self.triggers, *self.steps, *self.adjustments, *self.feedback, *self.blackouts,
        )  # fmt: skip
