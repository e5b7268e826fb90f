"""Plans and calendars to test with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from services.scheduler.domain.avoid import PAUSE, Avoid
from services.scheduler.domain.calendar import WEEKDAYS, Hours
from services.scheduler.domain.plan import Context, Held, OneOff, Plan, applied, converge
from services.scheduler.domain.recurrence import Rhythm, derived
from services.scheduler.domain.touchpoint import Face, Origin, Owner, Touchpoint

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
UTC_ZONE = ZoneInfo("UTC")
OFFICE = Hours(UTC_ZONE)
EMPTY = Held((), {}, {})
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
PLACE = Context(UTC_ZONE, OFFICE, {})


def face(topic: str | None = "account", channel: str = "call", reason: str = "{}") -> Face:
    return Face(channel, "keep in touch", topic, ("champion",), reason)


def rhythm(every_days: int = 7, **changed: object) -> Rhythm:
    usual = Rhythm(
        type="check_in",
        every_days=every_days,
        owner=Owner.CSM,
        csm_id="ada",
        minutes=30,
        face=face(),
        urgent=True,
        last_touch_at=None,
    )
    return replace(usual, **changed)


def one_off(name: str = "step", days: int = 10, **changed: object) -> OneOff:
    usual = OneOff(
        id=derived("touchpoint", "acme", name),
        type=name,
        start=NOW + timedelta(days=days),
        end=NOW + timedelta(days=days + 5),
        deadline=None,
        owner=Owner.CSM,
        csm_id="ada",
        minutes=45,
        face=face(),
        spacing_days=None,
    )
    return replace(usual, **changed)


def plan(
    rhythms: Sequence[Rhythm] = (),
    one_offs: Sequence[OneOff] = (),
    version: int = 1,
    at: datetime = NOW,
    avoid: Sequence[Avoid] = (),
) -> Plan:
    return Plan("acme", version, at, tuple(rhythms), tuple(one_offs), tuple(avoid))


def season(first: float, last: float | None, *types: str, name: str = "season") -> Avoid:
    """From so many days after NOW up to so many."""
    end = None if last is None else NOW + timedelta(days=last)
    return Avoid(name, NOW + timedelta(days=first), end, types, "it is not the time")


def calendar(wish: Plan, held: Held = EMPTY, context: Context = PLACE, now: datetime = NOW) -> Held:
    return applied(held, converge(wish, held, context, now))


def by_hand(due_at: datetime) -> Touchpoint:
    return Touchpoint(
        id=derived("touchpoint", "acme", "hand"),
        account_id="acme",
        type="check_in",
        origin=Origin.HAND,
        due_at=due_at,
        start=due_at,
        end=due_at,
        deadline=None,
        owner=Owner.CSM,
        face=face(),
    )


zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
owners = st.sampled_from(list(Owner))
topics = st.sampled_from([None, "account", "education"])


@st.composite
def openings(draw: st.DrawFn) -> Hours:
    start = draw(st.integers(0, 22))
    end = draw(st.integers(start + 1, 23))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Hours(draw(zones), draw(st.sampled_from([days, WEEKDAYS])), time(start), time(end))


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    return Context(
        draw(zones), draw(openings()), draw(st.dictionaries(st.sampled_from(["ada", "bob"]), openings()))
    )


@st.composite
def rhythms(draw: st.DrawFn, name: str) -> Rhythm:
    return Rhythm(
        type=name,
        every_days=draw(st.integers(1, 400)),
        owner=draw(owners),
        csm_id=draw(st.sampled_from([None, "ada", "bob"])),
        minutes=30,
        face=face(draw(topics), draw(st.sampled_from(["call", "email", "in_app"]))),
        urgent=draw(st.booleans()),
        last_touch_at=draw(st.none() | st.integers(0, 200).map(lambda days: NOW - timedelta(days=days))),
        never_skip=draw(st.booleans()),
    )


@st.composite
def single_wishes(draw: st.DrawFn, name: str) -> OneOff:
    start = NOW + timedelta(hours=draw(st.integers(-400, 4000)))
    end = start + timedelta(hours=draw(st.integers(0, 400)))
    return OneOff(
        id=derived("touchpoint", "acme", name),
        type=name,
        start=start,
        end=end,
        deadline=draw(st.none() | st.integers(0, 100).map(lambda hours: end + timedelta(hours=hours))),
        owner=draw(owners),
        csm_id=draw(st.sampled_from([None, "ada", "bob"])),
        minutes=30,
        face=face(draw(topics)),
        spacing_days=draw(st.none() | st.integers(1, 90)),
    )


@st.composite
def seasons(draw: st.DrawFn) -> Avoid:
    first = draw(st.integers(-1000, 9000)) / 24
    last = draw(st.none() | st.integers(1, 3000).map(lambda hours: first + hours / 24))
    types = draw(st.lists(st.sampled_from(["check_in", "tips", "kickoff"]), unique=True))
    return season(first, last, *types, name=draw(st.sampled_from([PAUSE, "season"])))


@st.composite
def avoiding_plans(draw: st.DrawFn, version: int = 1, at: datetime = NOW) -> Plan:
    return replace(draw(plans(version, at)), avoid=tuple(draw(st.lists(seasons(), max_size=4))))


@st.composite
def plans(draw: st.DrawFn, version: int = 1, at: datetime = NOW) -> Plan:
    types = draw(st.lists(st.sampled_from(["check_in", "tips", "business_review"]), unique=True))
    names = draw(st.lists(st.sampled_from(["advocacy_ask", "escalation", "kickoff"]), unique=True))
    return plan(
        [draw(rhythms(name)) for name in types], [draw(single_wishes(name)) for name in names], version, at
    )
