"""Plans without times to avoid."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.times import USUAL_QUIET_HOURS, QuietHours
from services.calendar.open_hours import OpenHours
from services.calendar.reconciliation import erase, reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    ChangeKind,
    ReconcileContext,
    StoredCalendar,
)
from services.calendar.touchpoint import (
    Closure,
    RecordedOutcome,
    Status,
    Touchpoint,
    move_by_hand,
    release,
    settle,
)
from tests.unit.calendar.plans import (
    EMPTY,
    HOURS,
    NOW,
    UTC_ZONE,
    apply_changes,
    by_hand,
    calendar,
    decided,
    one_off,
    plan,
    reason,
    reconciled,
    rhythm,
)

DAY = timedelta(days=1)


def changed(stored: StoredCalendar, touchpoint: Touchpoint) -> StoredCalendar:
    others = [each for each in stored.touchpoints if each.id != touchpoint.id]
    return StoredCalendar((*others, touchpoint), stored.series, stored.last_due_at)


def in_order(stored: StoredCalendar) -> list[Touchpoint]:
    return sorted(stored.touchpoints, key=lambda each: each.number or 0)


def planned(stored: StoredCalendar) -> list[Touchpoint]:
    return [each for each in in_order(stored) if each.status is Status.PLANNED]


def test_a_rhythm_of_a_person_is_planned_a_year_ahead_and_a_digital_one_a_month() -> None:
    people = calendar(plan([rhythm(7)]))
    digital = calendar(plan([rhythm(7, owner="automation", csm_id=None)]))

    assert len(people.touchpoints) == 53
    assert len(digital.touchpoints) == 5


def test_occurrences_are_numbered_and_each_ends_where_the_next_begins() -> None:
    made = in_order(calendar(plan([rhythm(7)])))

    assert [each.number for each in made] == list(range(1, 54))
    assert all(a.deadline == b.start_at for a, b in itertools.pairwise(made))


def test_a_new_interval_keeps_the_ids_of_open_occurrences_and_their_order() -> None:
    before = calendar(plan([rhythm(14)]))

    after = calendar(plan([rhythm(7)], version=2), before)

    assert [each.id for each in in_order(before)] == [each.id for each in in_order(after)][
        : len(before.touchpoints)
    ]
    assert len(planned(after)) == 53
    assert [b.due_at - a.due_at for a, b in zip(planned(after), planned(after)[1:], strict=False)] == [
        7 * DAY
    ] * 52


def test_a_longer_interval_withdraws_what_has_no_room() -> None:
    before = calendar(plan([rhythm(7)]))

    changes = Counter(
        each.kind for each in reconciled(plan([rhythm(28)], version=2), before, HOURS, NOW).changes
    )

    assert changes[ChangeKind.MOVE] + changes[ChangeKind.KEEP] == 14
    assert changes[ChangeKind.CANCEL] == 53 - 14


def test_withdrawn_occurrences_come_back_under_their_ids_before_new_numbers_are_used() -> None:
    before = calendar(plan([rhythm(7)]))
    shrunk = calendar(plan([rhythm(28)], version=2), before)

    regrown = calendar(plan([rhythm(5)], version=3), shrunk)

    assert {each.number for each in planned(shrunk)} == set(range(1, 15))
    assert {each.number for each in planned(regrown)} == set(range(1, len(planned(regrown)) + 1))
    assert max(each.number or 0 for each in planned(regrown)) > 53
    assert all(each.sequence > 1 for each in planned(regrown)[1:53])


def test_what_has_come_due_is_never_changed() -> None:
    before = calendar(plan([rhythm(7)]))
    first = in_order(before)[0]
    due = release(first, NOW)

    after = calendar(plan([rhythm(3)], version=2), changed(before, due))

    assert due in after.touchpoints
    assert planned(after)[0].due_at >= NOW + 3 * DAY


def test_what_should_have_been_released_when_the_plan_was_decided_counts_as_come_due() -> None:
    before = calendar(plan([rhythm(7)]))
    later = NOW + DAY

    after = calendar(plan([], version=2, at=later), before, now=later)

    assert [each.number for each in planned(after)] == [1]


def test_a_plan_decided_before_the_due_time_withdraws_even_when_it_arrives_late() -> None:
    before = calendar(plan([rhythm(7)]))
    second = in_order(before)[1]

    after = calendar(plan([], version=2, at=NOW + DAY), before, now=second.due_at + DAY)

    assert [each.number for each in planned(after)] == [1]


def test_a_rhythm_the_plan_drops_is_withdrawn_with_its_reason() -> None:
    before = calendar(plan([rhythm(7, urgency="spread")]))

    after = calendar(plan([], version=2), before)

    assert {each.status for each in after.touchpoints} == {Status.CANCELLED}
    assert all(
        each.cancellation is not None and each.cancellation.closure is Closure.WITHDRAWN
        for each in after.touchpoints
    )


def test_a_hand_moved_occurrence_keeps_its_date() -> None:
    before = calendar(plan([rhythm(7)]))
    moved = move_by_hand(in_order(before)[3], NOW + 23 * DAY)

    after = calendar(plan([rhythm(14)], version=2), changed(before, moved))

    assert moved in after.touchpoints


def test_plans_do_not_change_a_touchpoint_planned_by_hand() -> None:
    hand = by_hand(NOW + DAY)

    after = calendar(plan([rhythm(7)]), StoredCalendar((hand,), {}, {}))

    assert hand in after.touchpoints
    assert hand in calendar(plan([], version=2), after).touchpoints


def test_a_new_wording_refreshes_without_a_visible_change() -> None:
    before = calendar(plan([], [one_off()]))

    (change,) = reconciled(plan([], [one_off(reason=reason("new"))], 2), before, HOURS, NOW).changes

    assert change.kind is ChangeKind.REFRESH
    assert change.touchpoint.sequence == 1


def test_a_new_owner_is_a_visible_change() -> None:
    before = calendar(plan([rhythm(7)]))

    changes = reconciled(plan([rhythm(7, csm_id="bob")], version=2), before, HOURS, NOW).changes

    moves = [each for each in changes if each.kind is ChangeKind.MOVE]
    assert len(moves) == 52  # the first has come due
    assert all(each.touchpoint.sequence == 2 for each in moves)


def test_new_hours_of_the_csm_shift_what_is_open_and_keep_the_ids() -> None:
    before = calendar(plan([rhythm(7, urgency="spread")]))
    tokyo = AccountHours(UTC_ZONE, HOURS.default, {"ada": OpenHours(ZoneInfo("Asia/Tokyo"))})

    after = calendar(plan([rhythm(7, urgency="spread")]), before, tokyo)

    assert {each.id for each in before.touchpoints} == {each.id for each in after.touchpoints}
    assert all(0 <= each.due_at.hour < 8 for each in planned(after))


def test_the_horizon_moves_on_with_time() -> None:
    wanted = plan([rhythm(7)])
    before = calendar(wanted)

    changes = reconciled(decided(wanted, decided_at=NOW), before, HOURS, NOW + 14 * DAY).changes

    assert [each.touchpoint.number for each in changes if each.kind is ChangeKind.CREATE] == [54, 55]


def test_a_moved_window_moves_an_open_step_and_leaves_a_done_one() -> None:
    before = calendar(plan([], [one_off("a"), one_off("b")]))
    done = settle(before.touchpoints[0], RecordedOutcome("completed", NOW, "crm", "1"))
    later = [one_off("a", days=20), one_off("b", days=20)]

    after = calendar(plan([], later, 2), changed(before, done))

    found = {each.type: each for each in after.touchpoints}
    assert found["a"] == done
    assert found["b"].due_at == datetime(2026, 3, 23, 9, tzinfo=UTC)  # the 20th day is a Sunday
    assert found["b"].id == before.touchpoints[1].id


def test_a_one_off_takes_the_earliest_open_slot_of_its_window() -> None:
    (made,) = calendar(plan([], [one_off(days=5)])).touchpoints

    assert made.due_at == datetime(2026, 3, 9, 9, tzinfo=UTC)


def test_a_one_off_without_an_open_slot_in_time_reaches_the_next_day_that_its_owner_works() -> None:
    """Row 42 of the reported faults: not on a Saturday at night, and not over by Sunday."""
    saturday = NOW + 5 * DAY

    (made,) = calendar(plan([], [one_off(days=5, deadline=saturday + DAY, end=saturday + DAY)])).touchpoints

    monday = saturday + 2 * DAY
    assert (made.due_at, made.deadline) == (monday.replace(hour=9), monday.replace(hour=17))
    assert made.shift == "late: nothing is open before its deadline, 2026-03-08T10:00:00Z: no working day"


def test_an_internal_one_off_may_be_due_at_any_hour_and_an_internal_rhythm_while_its_owner_works() -> None:
    """An escalation does not wait for Monday; nobody looks at figures on Sunday night, as every week."""
    (made,) = calendar(plan([], [one_off(days=5, topic=None)])).touchpoints
    regular = calendar(plan([rhythm(1, topic=None)])).touchpoints

    assert made.due_at == NOW + 5 * DAY
    assert all(each.due_at.weekday() < 5 and 9 <= each.due_at.hour < 17 for each in regular)


def test_customer_mail_keeps_to_the_customers_day() -> None:
    auckland = AccountHours(ZoneInfo("Pacific/Auckland"), HOURS.default, {})
    mail = one_off(owner="automation", csm_id=None, channel="email")

    (made,) = calendar(plan([], [mail]), EMPTY, auckland).touchpoints

    assert 8 <= made.due_at.astimezone(auckland.zone).hour < 20


def test_a_one_off_received_too_late_is_recorded_as_expired() -> None:
    (made,) = calendar(plan([], [one_off(days=-20)])).touchpoints

    assert made.status is Status.CANCELLED
    assert made.cancellation is not None
    assert made.cancellation.closure is Closure.EXPIRED


def test_a_one_off_too_close_to_the_last_of_its_type_is_refused_with_the_reason() -> None:
    lately = StoredCalendar((), {}, {"ask": NOW - 30 * DAY})
    long_ago = StoredCalendar((), {}, {"ask": NOW - 90 * DAY})
    wanted = plan([], [one_off("ask", spacing_days=90)])

    (refused,) = calendar(wanted, lately).touchpoints
    (made,) = calendar(wanted, long_ago).touchpoints

    assert refused.cancellation is not None
    assert refused.cancellation.closure is Closure.SUPPRESSED
    assert made.status is Status.PLANNED


def test_an_absent_one_off_is_withdrawn_and_comes_back_under_its_own_id() -> None:
    before = calendar(plan([], [one_off()]))
    gone = calendar(plan([], [], 2), before)

    back = calendar(plan([], [one_off()], 3), gone)

    assert [each.status for each in gone.touchpoints] == [Status.CANCELLED]
    assert [(each.id, each.status, each.sequence) for each in back.touchpoints] == [
        (before.touchpoints[0].id, Status.PLANNED, 3)
    ]


def test_an_absent_one_off_whose_time_has_passed_is_expired() -> None:
    before = calendar(plan([], [one_off(days=1)]))

    after = calendar(plan([], [], 2), before, now=NOW + 30 * DAY)

    assert [each.cancellation.closure for each in after.touchpoints if each.cancellation] == [Closure.EXPIRED]


def test_a_rhythm_that_becomes_digital_keeps_a_month() -> None:
    before = calendar(plan([rhythm(7)]))
    digital = rhythm(7, owner="automation", csm_id=None)

    after = calendar(plan([digital], version=2), before)

    assert all(each.due_at <= NOW + 30 * DAY for each in planned(after))


def test_an_erased_account_keeps_nothing_open() -> None:
    before = calendar(plan([rhythm(7)], [one_off()]), StoredCalendar((by_hand(NOW + DAY),), {}, {}))

    after = apply_changes(before, erase(before))

    assert {each.status for each in after.touchpoints} == {Status.CANCELLED}
    assert not any(each.active for each in after.series.values())


def test_messages_come_due_outside_the_quiet_hours_of_the_plan() -> None:
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    mail = one_off("tips", days=0.5, owner="automation", csm_id=None, channel="email", topic="education")
    for quiet, hour in ((USUAL_QUIET_HOURS, 8), (QuietHours(from_="22:00", to="06:30"), 6)):
        (touchpoint,) = calendar(decided(plan([], [mail]), quiet_hours=quiet), now=night).touchpoints

        assert (touchpoint.due_at.day, touchpoint.due_at.hour) == (3, hour)
        assert touchpoint.content is not None
        assert touchpoint.content.quiet_hours == quiet


def test_a_rhythm_that_awaits_its_first_moment_has_the_same_occurrences_once_it_is_chosen() -> None:
    """As one whose provisional occurrences move there."""
    asked = plan([rhythm(28, urgency="spread")])
    anchor = NOW + 10 * DAY

    def begin(context: ReconcileContext) -> tuple[StoredCalendar, StoredCalendar]:
        first = apply_changes(context.stored, reconcile(context))
        series = {
            name: replace(each, anchor=anchor, until=None, phase=None) for name, each in first.series.items()
        }
        return first, calendar(asked, replace(first, series=series))

    context = ReconcileContext(asked, EMPTY, HOURS, NOW, NOW)
    provisional, moved = begin(context)
    awaited, begun = begin(replace(context, awaits_phases=True))

    assert provisional.touchpoints
    assert awaited.touchpoints == ()
    assert [(each.id, each.due_at) for each in in_order(begun)] == [
        (each.id, each.due_at) for each in in_order(moved)
    ]
