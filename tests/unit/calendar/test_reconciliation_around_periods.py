"""Seasons and pauses: what falls in them moves beside them, or is held, with the reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas.plans import Avoid, Window
from services.calendar.avoid import NEVER, PAUSE
from services.calendar.reconciliation.context import ChangeKind, StoredCalendar
from services.calendar.reconciliation.spec import hash_spec
from services.calendar.touchpoint import Closure, Origin, Status, Touchpoint, move_by_hand, reassign, release
from services.scheduler.application.project_rhythms import project_rhythms
from tests.unit.calendar.plans import (
    EMPTY,
    HOURS,
    NOW,
    apply_changes,
    by_hand,
    calendar,
    come_due,
    decided,
    one_off,
    plan,
    reconciled,
    rhythm,
    season,
)

DAY = timedelta(days=1)
REVIEW = rhythm(91, touchpoint_type="business_review", never_skip=True)
TIPS = rhythm(7, touchpoint_type="tips", owner="marketing", csm_id=None, topic="education", channel="email")


def planned(stored: StoredCalendar, name: str = "check_in") -> list[Touchpoint]:
    same = [each for each in stored.touchpoints if each.type == name and each.status is Status.PLANNED]
    return sorted(same, key=lambda each: each.number or 0)


def days(several: list[Touchpoint]) -> list[int]:
    return [(each.due_at - NOW).days for each in several]


def test_a_weekly_rhythm_has_one_before_a_season_and_one_after_and_the_others_are_left_out() -> None:
    stored = calendar(plan([rhythm(7)], avoid=[season(12, 40)]))

    assert days(planned(stored))[:6] == [0, 7, 11, 42, 49, 56]
    left_out = [each for each in stored.touchpoints if each.status is Status.CANCELLED]
    assert [(each.start_at - NOW).days for each in left_out] == [21, 28, 35]
    for each in left_out:
        assert each.cancellation is not None
        assert (each.cancellation.closure, each.cancellation.text) == (
            Closure.SUPPRESSED,
            "season leaves it no room: it is not the time",
        )


def test_one_alone_goes_to_the_nearer_side_and_keeps_its_nominal_moment() -> None:
    monthly = rhythm(30)

    early = planned(calendar(plan([monthly], avoid=[season(29, 36)])))
    late = planned(calendar(plan([monthly], avoid=[season(24, 31)])))

    assert days(early)[:3] == [0, 28, 60]
    assert days(late)[:3] == [0, 31, 60]
    assert early[1].start_at == late[1].start_at == NOW + 30 * DAY
    assert early[1].shift == "moved before season: it is not the time"
    assert late[1].shift == "moved after season: it is not the time"


def test_a_season_that_has_begun_has_no_side_before_it() -> None:
    stored = planned(calendar(plan([rhythm(30)], avoid=[season(-3, 8)])))

    assert days(stored)[:3] == [8, 30, 60]


def test_a_review_that_is_never_skipped_moves_out_of_the_season() -> None:
    stored = planned(calendar(plan([REVIEW], avoid=[season(70, 120)])), "business_review")

    assert days(stored) == [0, 67, 182, 273, 364]  # the 69th and 68th days are a weekend
    assert [each.number for each in stored] == [1, 2, 3, 4, 5]


def test_it_takes_the_farther_side_when_the_nearer_makes_too_long_a_gap() -> None:
    stored = planned(calendar(plan([REVIEW], avoid=[season(85, 145)])), "business_review")
    short = planned(calendar(plan([REVIEW], avoid=[season(28, 94), season(180, 230)])), "business_review")

    # Before is nearer and leaves 98 days until the next; nothing speaks for the other side.
    assert days(stored)[:3] == [0, 84, 182]
    # After the second season would be 233: 139 days after the one before, and too near to the next.
    assert days(short)[:4] == [0, 94, 179, 273]


def test_a_gap_that_is_too_long_on_both_sides_is_noted_and_counted() -> None:
    reconciliation = reconciled(plan([REVIEW], avoid=[season(1, 150)]), EMPTY, HOURS, NOW)

    reviews = planned(apply_changes(EMPTY, reconciliation), "business_review")
    assert days(reviews)[:3] == [0, 150, 182]
    assert reviews[1].shift == (
        "moved after season: it is not the time; 150 days since the one before, more than the 136.5 it should be at most"
    )
    assert reconciliation.stretched == 1
    again = reconciled(
        plan([REVIEW], avoid=[season(1, 150)]), apply_changes(EMPTY, reconciliation), HOURS, NOW
    )
    assert again.stretched == 0


def test_several_reviews_in_one_season_all_take_place_in_their_order() -> None:
    stored = planned(calendar(plan([REVIEW], avoid=[season(80, 290)])), "business_review")

    assert [each.number for each in stored] == [1, 2, 3, 4, 5]
    assert days(stored) == sorted(days(stored))
    assert not any(80 <= day < 290 for day in days(stored))


def test_after_a_pause_one_of_each_type_catches_up_and_the_others_keep_their_rhythm() -> None:
    before = calendar(plan([rhythm(7, urgency="spread"), TIPS.model_copy(update={"urgency": "soon"})]))
    natural = [each.due_at for each in planned(before)]

    after = calendar(
        plan(
            [rhythm(7, urgency="spread"), TIPS.model_copy(update={"urgency": "soon"})],
            version=2,
            avoid=[season(3, 24, name=PAUSE)],
        ),
        before,
    )

    for name in ("check_in", "tips"):
        moments = [each.due_at for each in planned(after, name)]
        assert not any(3 * DAY <= each - NOW < 24 * DAY for each in moments)
        assert sum(24 * DAY <= each - NOW < 31 * DAY for each in moments) in (1, 2)
    assert {each for each in natural if each >= NOW + 31 * DAY} <= {each.due_at for each in planned(after)}


def test_a_pause_without_an_end_holds_what_customers_see_and_internal_work_continues() -> None:
    internal = rhythm(7, touchpoint_type="escalation", topic=None)
    forever = [season(-1, None, name=PAUSE)]

    stored = calendar(plan([rhythm(7), internal], [one_off()], avoid=forever))

    assert {each.due_at for each in planned(stored)} == {NEVER}
    assert {each.due_at for each in planned(stored, "step")} == {NEVER}
    assert {each.shift for each in planned(stored)} == {
        "held until further notice: pause: it is not the time"
    }
    assert days(planned(stored, "escalation"))[:3] == [0, 7, 14]
    assert {each.overdue_at for each in planned(stored)} == {None}


def test_a_pause_without_an_end_holds_yearly_reviews_that_are_never_skipped() -> None:
    """A year and a half after the moment that stands for no end there is no date any more."""
    yearly = rhythm(365, touchpoint_type="business_review", never_skip=True)
    stored = calendar(plan([yearly], avoid=[season(-1, None, name=PAUSE)]))
    assert {each.due_at for each in planned(stored, "business_review")} == {NEVER}


def test_when_a_pause_without_an_end_goes_away_only_one_catches_up() -> None:
    start = calendar(plan([rhythm(7)]))
    stored = calendar(
        plan([rhythm(7)], version=2, avoid=[season(3, None, name=PAUSE)], at=NOW + DAY), start, now=NOW + DAY
    )
    later = NOW + 25 * DAY

    again = calendar(plan([rhythm(7)], version=3, at=later), stored, now=later)

    first = [each for each in planned(again) if each.due_at > NOW]
    assert days(first)[:4] == [25, 28, 35, 42]
    ahead = {each.id: each.due_at for each in planned(start) if each.due_at > later}
    assert ahead.items() <= {each.id: each.due_at for each in planned(again)}.items()


def test_what_a_season_left_out_comes_back_when_it_goes_away() -> None:
    plain = calendar(plan([rhythm(7)]))
    during = calendar(plan([rhythm(7)], version=2, avoid=[season(12, 40)]), plain)

    after = calendar(plan([rhythm(7)], version=3), replace(during, touchpoints=planned(during)))

    assert days(planned(after)) == days(planned(plain))
    assert all(each.shift is None for each in planned(after))


def test_a_season_moves_only_what_is_in_it() -> None:
    plain = calendar(plan([rhythm(7, urgency="spread")]))

    changes = reconciled(
        plan([rhythm(7, urgency="spread")], version=2, avoid=[season(12, 40)]), plain, HOURS, NOW
    ).changes

    assert sum(each.kind is ChangeKind.MOVE for each in changes) <= 2
    assert sum(each.kind is ChangeKind.CANCEL for each in changes) >= 2
    assert not any(each.kind is ChangeKind.CREATE for each in changes)


def test_a_season_at_the_edge_of_the_horizon_takes_nothing_back_later() -> None:
    wanted = plan([rhythm(7)], avoid=[season(345, 400)])
    stored = calendar(wanted)
    for week in range(1, 9):
        now = NOW + week * 7 * DAY
        reconciliation = reconciled(decided(wanted, decided_at=now), stored, HOURS, now)
        assert not any(each.kind in (ChangeKind.CANCEL, ChangeKind.MOVE) for each in reconciliation.changes)
        stored = apply_changes(stored, reconciliation)
    assert not any(345 <= day < 400 for day in days(planned(stored)))


def test_named_types_alone_are_concerned_whatever_their_topic() -> None:
    internal = rhythm(7, touchpoint_type="escalation", topic=None)

    stored = calendar(plan([rhythm(7), internal], avoid=[season(3, 24, "escalation")]))

    assert days(planned(stored))[:4] == [0, 7, 14, 21]
    assert not any(3 <= day < 24 for day in days(planned(stored, "escalation")))


def test_a_pause_stops_what_was_about_to_be_released() -> None:
    before = calendar(plan([rhythm(7, last_touch_at=NOW - 7 * DAY + timedelta(seconds=2))]))
    first = planned(before)[0]
    late = first.due_at + timedelta(seconds=3)
    pause = Avoid(name=PAUSE, from_=first.due_at - timedelta(seconds=1), to=late + 5 * DAY)

    after = calendar(plan([rhythm(7)], version=2, at=late, avoid=[pause]), before, now=late)

    assert planned(after)[0].due_at >= late + 5 * DAY
    due = replace(before, touchpoints=[release(first, first.due_at)])
    stays = calendar(plan([rhythm(7)], version=2, at=late, avoid=[pause]), due, now=late)
    assert stays.touchpoints[0].status is Status.DUE


def test_a_date_that_a_person_chose_stays_even_in_a_season() -> None:
    hand = by_hand(NOW + 15 * DAY)
    before = calendar(plan([rhythm(7)]))
    moved = move_by_hand(planned(before)[2], NOW + 16 * DAY)
    others = [each for each in before.touchpoints if each.id != moved.id]

    after = calendar(
        plan([rhythm(7)], version=2, avoid=[season(12, 40)]),
        replace(before, touchpoints=[*others, moved, hand]),
    )

    assert moved in after.touchpoints
    assert hand in after.touchpoints


def test_a_touchpoint_reassigned_during_a_pause_comes_back_to_its_new_owner() -> None:
    stored = calendar(plan([rhythm(7)], avoid=[season(-1, None, name=PAUSE)]))
    first = reassign(planned(stored)[0], "bob")

    after = calendar(plan([rhythm(7)], version=2), replace(stored, touchpoints=[first, *planned(stored)[1:]]))

    assert (planned(after)[0].due_at, planned(after)[0].csm_id) == (NOW, "bob")


def test_a_one_off_takes_the_first_open_moment_of_its_window_outside_a_season() -> None:
    (made,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 12.5)])).touchpoints

    assert made.due_at == datetime(2026, 3, 16, 9, tzinfo=UTC)
    assert made.shift == "moved after season: it is not the time"


def test_a_one_off_whose_whole_window_is_to_be_avoided_moves_to_the_nearer_side() -> None:
    (early,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 30)])).touchpoints
    (late, escalation) = calendar(plan([], [one_off(days=10)], avoid=[season(1, 16)])).touchpoints
    (paused,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 30, name=PAUSE)])).touchpoints

    assert days([early]) == [7]
    assert early.overdue_at == early.end_at
    assert days([late]) == [16]
    assert escalation.origin is Origin.CALENDAR  # its window has passed by then
    assert days([paused]) == [30]


def test_a_late_one_off_that_the_plan_names_no_more_waits_for_the_end_of_a_pause() -> None:
    """Its window was a weekend: it is to be done on Monday, and on Sunday a pause begins."""
    sunday, monday = NOW + 6 * DAY, NOW.replace(hour=9) + 7 * DAY
    weekend = one_off(window=Window(from_=NOW + 5 * DAY, to=sunday))
    before = calendar(plan([], [weekend]))
    assert [each.due_at for each in before.touchpoints] == [monday]

    later = plan(version=2, at=sunday, avoid=[season(6, 8.5, name=PAUSE)])
    (moved,) = calendar(later, before, now=sunday).touchpoints
    assert (moved.due_at, moved.status) == (monday + 2 * DAY, Status.PLANNED)
    assert moved.overdue_at == moved.due_at.replace(hour=17)
    assert all(
        change.kind is ChangeKind.KEEP
        for change in reconciled(later, replace(before, touchpoints=(moved,)), now=sunday).changes
    )

    endless = plan(version=2, at=sunday, avoid=[season(6, None, name=PAUSE)])
    (ended,) = calendar(endless, before, now=sunday).touchpoints
    assert ended.cancellation is not None
    assert ended.cancellation.closure is Closure.EXPIRED
    assert ended.cancellation.text.endswith("and what holds it back has no end")


def test_a_one_off_returns_when_the_season_goes_away() -> None:
    during = calendar(plan([], [one_off(days=8)], avoid=[season(6, 30)]))

    (back,) = calendar(plan([], [one_off(days=8)], version=2), during).touchpoints

    assert (days([back]), back.shift) == ([8], None)


def test_seasons_that_touch_are_left_together() -> None:
    stored = planned(
        calendar(plan([rhythm(60)], avoid=[season(50, 61), season(61, 70), season(70, 75, name="next")]))
    )

    assert days(stored)[:3] == [0, 49, 120]


def test_the_projection_goes_around_seasons_with_the_ids_that_will_be() -> None:
    wanted = plan([TIPS], avoid=[season(33, 60)])
    stored = calendar(wanted)
    coming = list(project_rhythms("acme", stored.series.values(), NOW, to=NOW + 90 * DAY, plan=wanted))

    for week in range(1, 10):
        now = NOW + 7 * week * DAY
        stored = calendar(decided(wanted, decided_at=now), stored, now=now)

    assert coming
    assert not any(33 <= day < 60 for day in days(coming))
    found = {each.id: each.due_at for each in planned(stored, "tips")}
    assert {each.id: each.due_at for each in coming}.items() <= found.items()


def test_times_to_avoid_change_the_hash() -> None:
    shapes = {
        hash_spec(plan([rhythm(7)]), HOURS),
        hash_spec(plan([rhythm(7, never_skip=True)]), HOURS),
        hash_spec(plan([rhythm(7)], avoid=[season(1, 2)]), HOURS),
        hash_spec(plan([rhythm(7)], avoid=[season(1, None)]), HOURS),
    }

    assert len(shapes) == 4


def test_reading_the_same_plan_again_changes_nothing_as_a_season_comes_and_goes() -> None:
    wanted = plan(
        [rhythm(7), REVIEW, TIPS], [one_off(days=20)], avoid=[season(12, 40), season(90, 120, name=PAUSE)]
    )
    stored = calendar(wanted)
    for day in range(0, 130, 3):
        now = NOW + day * DAY + timedelta(hours=5)
        stored = come_due(stored, now)
        reconciliation = reconciled(decided(wanted, decided_at=now), stored, HOURS, now)
        assert all(
            change.kind in (ChangeKind.CREATE, ChangeKind.KEEP) for change in reconciliation.changes
        ), day
        stored = apply_changes(stored, reconciliation)


def test_what_made_room_for_a_late_one_stays_when_that_one_comes_due() -> None:
    """A daily rhythm was held by a pause; the pause is over, and the one that was late comes due at once."""
    later, held = NOW + 11 * DAY, season(0, None, "check_in", name=PAUSE)
    before = come_due(calendar(plan([rhythm(1, topic=None)], avoid=[held])), later)
    resumed = plan([rhythm(1, topic=None, never_skip=True)], version=2, at=later)

    after = calendar(resumed, before, now=later)
    again = reconciled(resumed, after, now=later)

    assert planned(after)[0].due_at == later
    assert {change.kind for change in again.changes} == {ChangeKind.KEEP}
