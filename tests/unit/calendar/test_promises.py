"""By when something is promised, what became of it, and what endangers it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.vocabulary import Owner
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.person_hours import PersonDays
from services.calendar.promises import (
    Promise,
    PromiseState,
    Risk,
    conclude_promise,
    find_look_at,
    find_promised_at,
    find_risk,
)
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
    cancel,
    give_way,
    release,
    settle,
)
from services.calendar.windows import LATE
from tests.unit.calendar.plans import OFFICE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = MONDAY + 48 * HOUR


def ask(owner: Owner = "csm", csm_id: str | None = "ada", **changed: object) -> Touchpoint:
    touchpoint = Touchpoint(
        id="ask", account_id="acme", type="advocacy_ask", origin=Origin.ONE_OFF, due_at=MONDAY, start_at=MONDAY,
        end_at=END, deadline=END, owner=owner, csm_id=csm_id, minutes=30,
    )  # fmt: skip
    return touchpoint._replace(**changed)


def outcome(kind: str, at: datetime) -> RecordedOutcome:
    return RecordedOutcome(kind, at, "/test", "1")  # pyright: ignore[reportArgumentType]


def risk_of(touchpoint: Touchpoint, now: datetime = MONDAY, hours: OpenHours | None = OFFICE) -> Risk | None:
    promised_at = find_promised_at(touchpoint)
    assert promised_at is not None
    return find_risk(Promise(touchpoint, promised_at, hours), now)


@pytest.mark.parametrize(
    ("touchpoint", "promised_at"),
    [
        (ask(), END),
        (ask(deadline=None), END),
        (ask(deadline=END - HOUR), END - HOUR),
        (ask(deadline=END + 2 * DAY, shift=f"{LATE}nothing is open"), END),
        (ask(deadline=END + 2 * DAY, shift="levelled: another day"), END + 2 * DAY),
        (ask(deadline=None, end_at=MONDAY), None),
        (ask(origin=Origin.HAND, deadline=None), None),
        (ask(origin=Origin.HAND), END),
        (ask(origin=Origin.CALENDAR), None),
    ],
)
def test_a_deadline_is_a_promise_and_of_a_one_off_the_end_of_its_window(
    touchpoint: Touchpoint, promised_at: datetime | None
) -> None:
    assert find_promised_at(touchpoint) == promised_at


@pytest.mark.parametrize(
    ("touchpoint", "now", "state"),
    [
        (ask(), END - MINUTE, PromiseState.OPEN),
        (ask(), END, PromiseState.BREACHED),
        (settle(release(ask(), MONDAY), outcome("completed", END)), END + DAY, PromiseState.KEPT),
        (settle(release(ask(), MONDAY), outcome("missed", END)), END + DAY, PromiseState.KEPT),
        (settle(release(ask(), MONDAY), outcome("attended", END + MINUTE)), END + DAY, PromiseState.BREACHED),
        (settle(release(ask(), MONDAY), outcome("rescheduled", MONDAY)), MONDAY, PromiseState.WITHDRAWN),
        (settle(ask("automation", None), outcome("missed", MONDAY)), MONDAY, PromiseState.WITHDRAWN),
        (settle(ask("automation", None), outcome("completed", MONDAY)), MONDAY, PromiseState.KEPT),
        (cancel(ask(), Cancellation(Closure.WITHDRAWN, "gone")), END, PromiseState.WITHDRAWN),
        (cancel(ask(), Cancellation(Closure.EXPIRED, "late")), MONDAY, PromiseState.BREACHED),
        (give_way(ask(), "no room"), END - MINUTE, PromiseState.OPEN),
        (give_way(ask(), "no room"), END, PromiseState.BREACHED),
    ],
)
def test_a_promise_is_kept_by_what_was_done_in_time(
    touchpoint: Touchpoint, now: datetime, state: PromiseState
) -> None:
    assert conclude_promise(touchpoint, END, now) is state


def test_what_nobody_leads_gave_way_or_was_dated_late_is_at_risk() -> None:
    assert risk_of(ask()) is None
    assert risk_of(ask(csm_id=None)) == Risk("no_owner", "nobody leads it yet")
    assert risk_of(ask("automation", None)) is None
    assert risk_of(give_way(ask(), "no room in 2026-W10")) == Risk("no_room", "gave way: no room in 2026-W10")
    assert risk_of(ask(due_at=END, pinned=True)) == Risk(
        "dated_late", "it is planned for 2026-03-04T09:00:00Z, after its deadline"
    )
    moved = ask(due_at=END + DAY, shift="moved after season: it is not the time")
    assert risk_of(moved) == Risk("avoided", "moved after season: it is not the time")
    paused = risk_of(ask(due_at=END + DAY, shift="moved after pause: they asked for it"))
    assert paused is not None
    assert (paused.cause, paused.is_announced) == ("paused", False)


def test_time_off_holidays_and_quiet_hours_are_named() -> None:
    away = PersonDays("Ada", away=(DateSpan(date(2026, 3, 1), date(2026, 3, 9)),)).close(OFFICE, ())
    assert risk_of(ask(), hours=away) == Risk("away", "Ada is away from 2026-03-01 to 2026-03-09")
    friday = datetime(2026, 5, 22, 17, tzinfo=UTC)
    london = PersonDays("Ada", "GB", "ENG").close(OFFICE, ())
    late = ask(
        start_at=friday, due_at=friday + 88 * HOUR, end_at=friday + 48 * HOUR, deadline=friday + 96 * HOUR
    )
    late = late._replace(shift=f"{LATE}nothing is open")
    assert risk_of(late, friday, london) == Risk(
        "closed", "nothing is open before its deadline: no working day, public holiday Spring Bank Holiday"
    )
    night = OpenHours(ZoneInfo("UTC"), frozenset(range(7)), time(8), time(21))
    mail = ask("automation", None, due_at=MONDAY + 23 * HOUR, start_at=MONDAY + 13 * HOUR)
    mail = mail._replace(end_at=MONDAY + 20 * HOUR, deadline=MONDAY + 20 * HOUR)
    assert risk_of(mail, MONDAY + 13 * HOUR, night) == Risk(
        "closed", "quiet hours cover the rest of its time"
    )
    short = ask(due_at=MONDAY + 7 * HOUR + 45 * MINUTE, end_at=MONDAY + 8 * HOUR, deadline=MONDAY + 8 * HOUR)
    assert risk_of(short) == Risk("closed", "15 open minutes are left, and it takes 30")


def test_what_came_due_is_at_risk_with_half_a_working_day_left_and_until_its_end() -> None:
    due = release(ask(), MONDAY)
    promise = Promise(due, END, OFFICE)
    alarm_at = datetime(2026, 3, 3, 13, tzinfo=UTC)

    assert find_risk(promise, alarm_at - MINUTE) is None
    assert find_look_at(promise, MONDAY + DAY) == alarm_at
    for now in (alarm_at, alarm_at + 5 * HOUR, END - MINUTE):
        found = find_risk(promise, now)
        assert found is not None
        assert found.cause == "unsettled"
    assert find_look_at(promise, alarm_at + 5 * HOUR) == END


def test_time_off_that_begins_after_it_came_due_is_the_cause_where_nothing_else_is_left() -> None:
    away = PersonDays("Ada", away=(DateSpan(date(2026, 3, 2), date(2026, 3, 9)),)).close(OFFICE, ())
    weekend = PersonDays("Ada", away=(DateSpan(date(2026, 3, 7), date(2026, 3, 8)),)).close(OFFICE, ())

    assert risk_of(release(ask(), MONDAY), MONDAY, away) == Risk(
        "away", "Ada is away from 2026-03-02 to 2026-03-09"
    )
    assert risk_of(release(ask(), MONDAY), MONDAY, weekend) is None
    assert release(ask(), MONDAY).status is Status.DUE


def test_a_far_promise_is_looked_at_two_weeks_before_its_moment() -> None:
    far = ask(due_at=MONDAY + 60 * DAY, end_at=MONDAY + 62 * DAY, deadline=MONDAY + 62 * DAY)

    assert find_look_at(Promise(far, MONDAY + 62 * DAY, OFFICE), MONDAY) == MONDAY + 48 * DAY
    assert find_look_at(Promise(far, MONDAY + 62 * DAY, OFFICE), MONDAY + 50 * DAY) == MONDAY + 51 * DAY
