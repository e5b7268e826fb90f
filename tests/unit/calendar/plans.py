"""Plans and calendars to test with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from schemas.ids import derived_id
from schemas.plans import About, Avoid, OneOffItem, Plan, PlanAdjusted, Reason, RhythmItem
from schemas.recurrence_dates import mean_days, read_rule
from schemas.times import Window
from schemas.vocabulary import Owner
from schemas.zones import span_of_days
from services.calendar.avoid import PAUSE
from services.calendar.open_hours import WORKDAYS, OpenHours
from services.calendar.plan import content_of
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    ReconcileContext,
    Reconciliation,
    StoredCalendar,
)
from services.calendar.touchpoint import (
    Origin,
    Status,
    Touchpoint,
    become_overdue,
    release,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
UTC_ZONE = ZoneInfo("UTC")
OFFICE = OpenHours(UTC_ZONE)
EMPTY = StoredCalendar((), {}, {})
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
HOURS = AccountHours(UTC_ZONE, OFFICE, {})


def reason(text: str = "because") -> Reason:
    return Reason(rule="r", policy="p", text=text)


def rhythm(every_days: int = 7, **changed: Any) -> RhythmItem:
    usual: dict[str, Any] = {
        "touchpoint_type": "check_in",
        "every_days": every_days,
        "owner": "csm",
        "csm_id": "ada",
        "minutes": 30,
        "channel": "call",
        "topic": "account",
        "purpose": "keep in touch",
        "audience": ("champion",),
        "reason": reason(),
        "urgency": "soon",
    }
    return RhythmItem(**{**usual, **changed})


def one_off(name: str = "step", days: float = 10, **changed: Any) -> OneOffItem:
    usual: dict[str, Any] = {
        "id": derived_id("touchpoint", "acme", name),
        "touchpoint_type": name,
        "window": Window(from_=NOW + timedelta(days=days), to=NOW + timedelta(days=days + 5)),
        "owner": "csm",
        "csm_id": "ada",
        "minutes": 45,
        "channel": "call",
        "topic": "account",
        "purpose": "keep in touch",
        "audience": ("champion",),
        "reason": reason(),
    }
    return OneOffItem(**{**usual, **changed})


def plan(
    rhythms: Sequence[RhythmItem] = (),
    one_offs: Sequence[OneOffItem] = (),
    version: int = 1,
    at: datetime = NOW,
    avoid: Sequence[Avoid] = (),
) -> PlanAdjusted:
    return PlanAdjusted(
        account_id="acme",
        version=version,
        policy="p",
        decided_at=at,
        rhythms=tuple(rhythms),
        touchpoints=tuple(one_offs),
        avoid=tuple(avoid),
    )


def decided(plan: PlanAdjusted, **changed: object) -> PlanAdjusted:
    """The plan with other fields."""
    return plan.model_copy(update=changed)


def season(first: float, last: float | None, *types: str, name: str = "season") -> Avoid:
    """From so many days after NOW up to so many."""
    end = None if last is None else NOW + timedelta(days=last)
    return Avoid(
        name=name,
        from_=NOW + timedelta(days=first),
        to=end,
        touchpoint_types=types,
        text="it is not the time",
    )


def season_of_days(first: date, last: date, *types: str) -> Avoid:
    """As a policy has it: from the first to the last day."""
    start, end = span_of_days(first, last, (UTC_ZONE,))
    return Avoid(
        name="season", from_=start, to=end, touchpoint_types=types, text="it is not the time",
        first_on=first, last_on=last,
    )  # fmt: skip


def reconciled(
    plan: PlanAdjusted,
    stored: StoredCalendar = EMPTY,
    hours: AccountHours = HOURS,
    now: datetime = NOW,
) -> Reconciliation:
    return reconcile(ReconcileContext(plan, stored, hours, plan.decided_at, now))


def apply_changes(stored: StoredCalendar, reconciliation: Reconciliation) -> StoredCalendar:
    """The calendar after those changes, as the repository stores it."""
    touchpoints = {touchpoint.id: touchpoint for touchpoint in stored.touchpoints}
    touchpoints |= {change.touchpoint.id: change.touchpoint for change in reconciliation.changes}
    series = {**stored.series, **{series.type: series for series in reconciliation.series}}
    return StoredCalendar(tuple(touchpoints.values()), series, stored.last_due_at)


def calendar(
    plan: PlanAdjusted,
    stored: StoredCalendar = EMPTY,
    hours: AccountHours = HOURS,
    now: datetime = NOW,
) -> StoredCalendar:
    return apply_changes(stored, reconciled(plan, stored, hours, now))


def come_due(stored: StoredCalendar, now: datetime, *, overdue: bool = False) -> StoredCalendar:
    """The calendar after everything that is due by then was released and, if so asked, became overdue."""
    touchpoints: list[Touchpoint] = []
    for touchpoint in stored.touchpoints:
        if touchpoint.status is Status.PLANNED and touchpoint.due_at <= now:
            due = release(touchpoint, now)
            touchpoints.append(become_overdue(due) if overdue else due)
        else:
            touchpoints.append(touchpoint)
    released = sorted((each for each in touchpoints if each.released_at), key=lambda each: each.due_at)
    return StoredCalendar(tuple(touchpoints), stored.series, {each.type: each.due_at for each in released})


def by_hand(due_at: datetime) -> Touchpoint:
    return Touchpoint(
        id=derived_id("touchpoint", "acme", "hand"),
        account_id="acme",
        type="check_in",
        origin=Origin.HAND,
        due_at=due_at,
        start_at=due_at,
        end_at=due_at,
        deadline=None,
        owner="csm",
        content=content_of(rhythm(), Plan()),
    )


zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
owners = st.sampled_from(get_args(Owner))
topics = st.sampled_from([None, "account", "education"])
csm_ids = st.sampled_from([None, "ada", "bob"])


@st.composite
def openings(draw: st.DrawFn) -> OpenHours:
    start = draw(st.integers(0, 22))
    end = draw(st.integers(0, 23).filter(lambda hour: hour != start))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return OpenHours(draw(zones), draw(st.sampled_from([days, WORKDAYS])), time(start), time(end))


@st.composite
def account_hours(draw: st.DrawFn) -> AccountHours:
    by_csm = draw(st.dictionaries(st.sampled_from(["ada", "bob"]), openings()))
    return AccountHours(draw(zones), draw(openings()), by_csm)


RULES = (
    "FREQ=WEEKLY;BYDAY=WE", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "FREQ=WEEKLY", "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=MONTHLY;INTERVAL=3", "FREQ=YEARLY", "FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=1MO",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYDAY=5MO",
)  # fmt: skip
rules = st.sampled_from(RULES)


def by_rule(rule: str, **changed: Any) -> RhythmItem:
    return rhythm(mean_days(read_rule(rule)), rrule=rule, **changed)


@st.composite
def rhythms(draw: st.DrawFn, name: str) -> RhythmItem:
    rule = draw(st.none() | rules)
    return rhythm(
        draw(st.integers(1, 400)) if rule is None else mean_days(read_rule(rule)),
        rrule=rule,
        touchpoint_type=name,
        owner=draw(owners),
        csm_id=draw(csm_ids),
        topic=draw(topics),
        channel=draw(st.sampled_from(["call", "email", "in_app"])),
        urgency=draw(st.sampled_from(["soon", "spread"])),
        last_touch_at=draw(st.none() | st.integers(0, 200).map(lambda days: NOW - timedelta(days=days))),
        never_skip=draw(st.booleans()),
    )


@st.composite
def one_offs(draw: st.DrawFn, name: str) -> OneOffItem:
    start = NOW + timedelta(hours=draw(st.integers(-400, 4000)))
    end = start + timedelta(hours=draw(st.integers(0, 400)))
    return one_off(
        name,
        window=Window(from_=start, to=end),
        deadline=draw(st.none() | st.integers(0, 100).map(lambda hours: end + timedelta(hours=hours))),
        owner=draw(owners),
        csm_id=draw(csm_ids),
        topic=draw(topics),
        spacing_days=draw(st.none() | st.integers(1, 90)),
        precedence=draw(st.sampled_from(["default", "escalation"])),
        about=draw(
            st.none() | st.builds(About, contract_id=st.just("c1"), renews_on=st.none() | st.just(NOW.date()))
        ),
    )


@st.composite
def seasons(draw: st.DrawFn) -> Avoid:
    first = draw(st.integers(-1000, 9000)) / 24
    last = draw(st.none() | st.integers(1, 3000).map(lambda hours: first + hours / 24))
    types = draw(st.lists(st.sampled_from(["check_in", "tips", "kickoff"]), unique=True))
    if draw(st.booleans()):
        begin = (NOW + timedelta(days=first)).date()
        return season_of_days(begin, begin + timedelta(days=draw(st.integers(0, 120))), *types)
    return season(first, last, *types, name=draw(st.sampled_from([PAUSE, "season"])))


@st.composite
def plans(draw: st.DrawFn, version: int = 1, at: datetime = NOW) -> PlanAdjusted:
    types = draw(st.lists(st.sampled_from(["check_in", "tips", "business_review"]), unique=True))
    names = draw(st.lists(st.sampled_from(["advocacy_ask", "escalation", "kickoff"]), unique=True))
    return plan(
        [draw(rhythms(name)) for name in types], [draw(one_offs(name)) for name in names], version, at
    )


@st.composite
def avoiding_plans(draw: st.DrawFn, version: int = 1, at: datetime = NOW) -> PlanAdjusted:
    return decided(draw(plans(version, at)), avoid=tuple(draw(st.lists(seasons(), max_size=4))))
