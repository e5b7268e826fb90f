"""The grammar of health, segments, stages and touchpoint types."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from schemas.vocabulary import SPOKEN
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.tree import Node
from services.cadence.features.feature import ROLES, TOPICS, Feature
from services.cadence.policy import values
from services.cadence.policy.conditions import Condition
from services.cadence.policy.errors import Fault
from services.cadence.policy.model import AIMS, MISFIRES, PERSONS, YIELDS
from services.cadence.policy.rule_spec import Info, Spec, Types, key
from services.cadence.policy.scope import INTERNAL, Scope
from services.cadence.policy.values import Text, number, one_of

_ROLE = {"role": Feature("role", "choice", "Role of a contact", values=ROLES, nullable=False)}
MOST_PLATFORM = 100
_Score = Annotated[float, number(0, 100, whole=False)]


class HealthSpec(Spec):
    red_below: _Score = key("Scores below this are red")
    yellow_below: _Score = key("Scores below this, and not red, are yellow; the rest is green")

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        if self.yellow_below < self.red_below:
            message = f"this is below red_below ({self.red_below:g}); yellow scores are above red ones"
            yield Fault(message, to=("yellow_below",))


class QuietHoursSpec(Spec):
    begin: values.Clock = key("When they begin, in the evening", alias="from")
    end: values.Clock = key("When they end, on the next morning", alias="to")

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        if self.end >= self.begin:
            yield Fault("quiet hours go over midnight, as from 20:00 to 08:00; exchange the two", to=("to",))


class HolidaySpec(Spec):
    name: Text = key("Its name, which reasons show", alias="holiday")
    on: values.HolidayDate = key("The date, as `2026-12-24`, or a day of every year, as `12-24`")
    country: values.Country | None = key(
        "Only there, an ISO 3166-1 code such as `DE`; left out: everywhere", None
    )
    region: Text | None = key(
        "Only there, the part of an ISO 3166-2 code after the country, as `BY`; left out: in the whole country",
        None,
    )
    works: values.Truth = key(
        "`true`: people work on that day, although it is known as a public holiday", default=False
    )

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        if self.region and not self.country:
            yield Fault("a region is a part of a country; name the country too", to=("region",))


def _check_derivation(tree: Node, info: Info) -> Node:
    """Segments do not depend on segments and stages, stages not on stages."""
    hidden = {"segment", "stage"} if "segment" in info.data else {"stage"}
    features = info.context.features()
    info.context.refuse(
        info.context.faults_of(tree, {name: features[name] for name in features if name not in hidden})
    )
    return tree


_When = Annotated[
    Condition, AfterValidator(_check_derivation), key("What has to hold; for the last one `true`")
]


class SegmentSpec(Spec):
    segment: values.Segment = key("The segment")
    when: _When


class StageSpec(Spec):
    stage: values.Stage = key("The stage")
    when: _When


def _invited_roles(tree: Node, info: Info) -> tuple[str, ...]:
    """The roles that an audience invites; empty: all."""
    info.context.refuse(info.context.faults_of(tree, _ROLE))
    invites = compile_condition(tree)
    roles = tuple(role for role in ROLES if invites({"role": role}))
    if not roles:
        raise ValueError("no role satisfies this; leave `audience` out to include every contact")
    return () if roles == ROLES else roles


def _check_platform(name: str) -> str:
    """One printable line, as the name of a subscription is."""
    if len(name) > MOST_PLATFORM or not name.isprintable():
        raise ValueError(f"name the platform in one line of at most {MOST_PLATFORM} characters")
    return name


class TouchpointSpec(Spec):
    purpose: Text = key("What it is for, in one line")
    aim: Annotated[str, one_of(*AIMS)] = key("What it is worth to the customer")
    expects: Text = key("The outcome it should have")
    topic: Annotated[str, one_of(*TOPICS, INTERNAL)] = key("What customers opt out of; `internal`: our work")
    owner: values.Owner = key("Who leads it")
    channel: values.Channel = key("Over which channel")
    minutes: Annotated[int, number(0, 600)] = key("What one costs its owner, preparation included")
    agenda: values.Several[Text] | None = key("Its subjects; required for persons, calls and meetings", None)
    audience: Annotated[Condition, AfterValidator(_invited_roles)] | None = key(
        "Whom it is for, by the `role` of a contact; left out: every contact", None
    )
    never_skip: values.Truth = key("It may move, but it always happens once in its period", default=False)
    group: values.Truth = key(
        "Held for many customers at once, such as a webinar; it does not count as contact with one of them",
        default=False,
    )
    folds_into: Types | None = key(
        "Types that take it in: within three days of one of theirs, and led by the same person, it is part of that one",
        None,
    )
    yields: Annotated[str, one_of(*YIELDS)] | None = key(
        "When it is given up if the weeks of its owner cannot hold all their work; left out: escalations never, what is "
        "never skipped and floors last, one-offs before them, everything else first",
        None,
    )
    share: values.Truth | None = key(
        "Whether a colleague of the account's pool may lead it when the weeks of its owner are full; left out: what a "
        "pooled CSM leads",
        None,
    )
    invite: values.Truth | None = key(
        "Whether the customer and its owner get it into their calendars; left out: what a person holds as a call or a "
        "meeting, except for `group`",
        None,
    )
    remind: values.Distinct[values.Window] | None = key(
        "How long before it its owner and the invited customer are reminded, with the agenda, as `48h`; left out: never",
        None,
    )
    approve: values.Truth = key(
        "`true`: its message waits until whoever leads the account has approved it, as it is or edited",
        default=False,
    )
    approve_within: values.Window | None = key(
        "How long it waits for an approval, as `2d`; left out: until its deadline or the end of its window",
        None,
    )
    hand_off: Annotated[Text, AfterValidator(_check_platform)] | None = key(
        "The automation platform that writes to the customer instead of Drumbeat: the `name` of a subscription",
        None,
    )

    misfire: Annotated[str, one_of(*MISFIRES)] | None = key(
        "What an outage does to those that came due meanwhile: `fire_all` releases each late, `fire_latest` only "
        "the newest of a rhythm, `skip` none that is later than `grace`; left out: rhythms of people `fire_all`, else "
        "`fire_latest`, and a one-off past its deadline expires",
        None,
    )
    grace: values.Window | None = key(
        "How late it may be released without a misfire, as `24h`; left out: 24h with `misfire: skip`, else no time",
        None,
    )
    send_window: values.SendHours | None = key(
        "When customers get its messages, by the clock where they are, as `mon-fri 08:00-18:00`; left out: as for all "
        "messages",
        None,
    )

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        yield from self._faults_after_outage()
        if self.send_window and self.topic == INTERNAL:
            yield Fault("internal work reaches no customer, so it has no send window", to=("send_window",))
        yield from self._faults_of_messages()
        yield from self._faults_of_type(scope)

    def _faults_of_messages(self) -> Iterator[Fault]:
        """Who approves or sends what, where Drumbeat itself writes to no customer."""
        if self.approve and self.hand_off:
            yield Fault(
                f"{self.hand_off} writes these messages, so there is none to approve; remove one of the two",
                to=("approve",),
            )
        if self.approve_within and not self.approve:
            yield Fault("nothing waits for an approval; add `approve: true`", to=("approve_within",))
        if self.owner not in PERSONS and self.topic != INTERNAL:
            return
        why = "internal work reaches no customer" if self.topic == INTERNAL else f"{self.owner} leads it"
        if self.approve:
            yield Fault(f"{why}, so no message to a customer waits for an approval", to=("approve",))
        if self.hand_off:
            yield Fault(f"{why}, so there is no message to hand off", to=("hand_off",))

    def _faults_of_type(self, _scope: Scope, /) -> Iterator[Fault]:
        if self.invite and self.topic == INTERNAL:
            yield Fault("internal work reaches no customer, so nobody is invited", to=("invite",))
        if self.folds_into and self.never_skip:
            yield Fault(
                "what is never skipped is not folded into another; remove one of the two", to=("folds_into",)
            )
        if self.never_skip and self.yields == "first":
            yield Fault("what is never skipped is not given up first; remove `yields`", to=("yields",))
        if self.agenda is None and (self.owner in PERSONS or self.channel in SPOKEN):
            why = f"{self.owner} leads it" if self.owner in PERSONS else f"it is a {self.channel}"
            yield Fault(f"'agenda' is missing: {why}, so list what is discussed")
        if self.audience is not None and self.topic == INTERNAL:
            yield Fault("internal work reaches no customer, so it has no audience", to=("audience",))

    def _faults_after_outage(self) -> Iterator[Fault]:
        if self.never_skip and self.misfire == "skip":
            message = "what is never skipped is not skipped after an outage; remove `never_skip` or `misfire`"
            yield Fault(message, to=("misfire",))
        if self.grace is not None and self.misfire in (None, "fire_all"):
            why = "releases each, however late" if self.misfire else "is left out"
            message = (
                f"`misfire` {why}, so no grace counts; write `misfire: skip` or `fire_latest`, or remove it"
            )
            yield Fault(message, to=("grace",))
