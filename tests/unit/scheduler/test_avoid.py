"""Seasons and pauses: what falls in them stands beside them, or is held, and says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.scheduler.application.accept import shape_of
from services.scheduler.application.project import projected
from services.scheduler.domain.avoid import NEVER, PAUSE, Avoid
from services.scheduler.domain.plan import Cancel, Create, Held, Keep, Move, applied, converge
from services.scheduler.domain.touchpoint import (
    Closure,
    Owner,
    Status,
    Touchpoint,
    moved_by_hand,
    reassigned,
    released,
)
from tests.unit.scheduler.wishes import (
    EMPTY,
    NOW,
    PLACE,
    by_hand,
    calendar,
    face,
    one_off,
    plan,
    rhythm,
    season,
)

DAY = timedelta(days=1)
REVIEW = rhythm(91, type="business_review", never_skip=True)
TIPS = rhythm(7, type="tips", owner=Owner.MARKETING, csm_id=None, face=face("education", "email"))


def planned(held: Held, name: str = "check_in") -> list[Touchpoint]:
    same = [each for each in held.touchpoints if each.type == name and each.status is Status.PLANNED]
    return sorted(same, key=lambda each: each.number or 0)


def days(several: list[Touchpoint]) -> list[int]:
    return [(each.due_at - NOW).days for each in several]


def test_of_a_weekly_rhythm_one_stands_before_a_season_and_one_after_and_the_rest_is_left_out() -> None:
    held = calendar(plan([rhythm(7)], avoid=[season(12, 40)]))

    assert days(planned(held))[:6] == [0, 7, 11, 42, 49, 56]
    left_out = [each for each in held.touchpoints if each.status is Status.CANCELLED]
    assert [(each.start - NOW).days for each in left_out] == [21, 28, 35]
    for each in left_out:
        assert each.verdict is not None
        assert (each.verdict.closure, each.verdict.text) == (
            Closure.SUPPRESSED,
            "season leaves it no room: it is not the time",
        )


def test_one_alone_goes_to_the_nearer_side_and_keeps_its_nominal_moment() -> None:
    monthly = rhythm(30)

    early = planned(calendar(plan([monthly], avoid=[season(29, 36)])))
    late = planned(calendar(plan([monthly], avoid=[season(24, 31)])))

    assert days(early)[:3] == [0, 28, 60]
    assert days(late)[:3] == [0, 31, 60]
    assert early[1].start == late[1].start == NOW + 30 * DAY
    assert early[1].shift == "moved before season: it is not the time"
    assert late[1].shift == "moved after season: it is not the time"


def test_a_season_that_has_begun_has_no_side_before_it() -> None:
    held = planned(calendar(plan([rhythm(30)], avoid=[season(-3, 8)])))

    assert days(held)[:3] == [8, 30, 60]


def test_a_review_that_is_never_skipped_moves_out_of_the_season() -> None:
    held = planned(calendar(plan([REVIEW], avoid=[season(70, 120)])), "business_review")

    assert days(held) == [0, 67, 182, 273, 364]  # the 69th and 68th days are a weekend
    assert [each.number for each in held] == [1, 2, 3, 4, 5]


def test_it_takes_the_farther_side_when_the_nearer_makes_too_long_a_gap() -> None:
    held = planned(calendar(plan([REVIEW], avoid=[season(85, 145)])), "business_review")
    short = planned(calendar(plan([REVIEW], avoid=[season(28, 94), season(180, 230)])), "business_review")

    # Before is nearer and leaves 98 days until the next; nothing speaks for the other side.
    assert days(held)[:3] == [0, 84, 182]
    # After the second season would be 233: 139 days after the one before, and too near to the next.
    assert days(short)[:4] == [0, 94, 179, 273]


def test_a_gap_that_no_side_can_keep_is_said_and_counted() -> None:
    convergence = converge(plan([REVIEW], avoid=[season(1, 150)]), EMPTY, PLACE, NOW)

    reviews = planned(applied(EMPTY, convergence), "business_review")
    assert days(reviews)[:3] == [0, 150, 182]
    assert reviews[1].shift == (
        "moved after season: it is not the time; 150 days since the one before, more than the 136.5 it should be at most"
    )
    assert convergence.stretched == 1
    again = converge(plan([REVIEW], avoid=[season(1, 150)]), applied(EMPTY, convergence), PLACE, NOW)
    assert again.stretched == 0


def test_several_reviews_in_one_season_all_take_place_in_their_order() -> None:
    held = planned(calendar(plan([REVIEW], avoid=[season(80, 290)])), "business_review")

    assert [each.number for each in held] == [1, 2, 3, 4, 5]
    assert days(held) == sorted(days(held))
    assert not any(80 <= day < 290 for day in days(held))


def test_after_a_pause_one_of_each_type_catches_up_and_the_others_keep_their_rhythm() -> None:
    before = calendar(plan([rhythm(7, urgent=False), replace(TIPS, urgent=True)]))
    natural = [each.due_at for each in planned(before)]

    after = calendar(
        plan(
            [rhythm(7, urgent=False), replace(TIPS, urgent=True)],
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


def test_a_pause_without_an_end_holds_what_customers_see_and_lets_internal_work_go_on() -> None:
    internal = rhythm(7, type="escalation", face=face(None))
    forever = [season(-1, None, name=PAUSE)]

    held = calendar(plan([rhythm(7), internal], [one_off()], avoid=forever))

    assert {each.due_at for each in planned(held)} == {NEVER}
    assert {each.due_at for each in planned(held, "step")} == {NEVER}
    assert {each.shift for each in planned(held)} == {"held until further notice: pause: it is not the time"}
    assert days(planned(held, "escalation"))[:3] == [0, 7, 14]
    assert {each.lapses_at for each in planned(held)} == {None}


def test_when_a_pause_without_an_end_goes_away_only_one_catches_up() -> None:
    start = calendar(plan([rhythm(7)]))
    held = calendar(
        plan([rhythm(7)], version=2, avoid=[season(3, None, name=PAUSE)], at=NOW + DAY), start, now=NOW + DAY
    )
    later = NOW + 25 * DAY

    again = calendar(plan([rhythm(7)], version=3, at=later), held, now=later)

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


def test_a_season_moves_only_what_stands_in_it() -> None:
    plain = calendar(plan([rhythm(7, urgent=False)]))

    changes = converge(
        plan([rhythm(7, urgent=False)], version=2, avoid=[season(12, 40)]), plain, PLACE, NOW
    ).changes

    assert sum(isinstance(each, Move) for each in changes) <= 2
    assert sum(isinstance(each, Cancel) for each in changes) >= 2
    assert not any(isinstance(each, Create) for each in changes)


def test_a_season_at_the_edge_of_the_horizon_takes_nothing_back_later() -> None:
    wish = plan([rhythm(7)], avoid=[season(345, 400)])
    held = calendar(wish)
    for week in range(1, 9):
        now = NOW + week * 7 * DAY
        convergence = converge(replace(wish, decided_at=now), held, PLACE, now)
        assert not any(isinstance(each, Cancel | Move) for each in convergence.changes)
        held = applied(held, convergence)
    assert not any(345 <= day < 400 for day in days(planned(held)))


def test_named_types_alone_are_concerned_whatever_their_topic() -> None:
    internal = rhythm(7, type="escalation", face=face(None))

    held = calendar(plan([rhythm(7), internal], avoid=[season(3, 24, "escalation")]))

    assert days(planned(held))[:4] == [0, 7, 14, 21]
    assert not any(3 <= day < 24 for day in days(planned(held, "escalation")))


def test_what_was_about_to_be_released_when_a_pause_began_is_held_back() -> None:
    before = calendar(plan([rhythm(7, last_touch_at=NOW - 7 * DAY + timedelta(seconds=2))]))
    first = planned(before)[0]
    late = first.due_at + timedelta(seconds=3)
    pause = Avoid(PAUSE, first.due_at - timedelta(seconds=1), late + 5 * DAY)

    after = calendar(plan([rhythm(7)], version=2, at=late, avoid=[pause]), before, now=late)

    assert planned(after)[0].due_at >= late + 5 * DAY
    due = replace(before, touchpoints=[released(first, first.due_at)])
    stays = calendar(plan([rhythm(7)], version=2, at=late, avoid=[pause]), due, now=late)
    assert stays.touchpoints[0].status is Status.DUE


def test_a_date_a_person_chose_stands_even_in_a_season() -> None:
    hand = by_hand(NOW + 15 * DAY)
    before = calendar(plan([rhythm(7)]))
    moved = moved_by_hand(planned(before)[2], NOW + 16 * DAY)
    others = [each for each in before.touchpoints if each.id != moved.id]

    after = calendar(
        plan([rhythm(7)], version=2, avoid=[season(12, 40)]),
        replace(before, touchpoints=[*others, moved, hand]),
    )

    assert moved in after.touchpoints
    assert hand in after.touchpoints


def test_what_was_held_when_it_changed_hands_comes_back_in_those_hands() -> None:
    held = calendar(plan([rhythm(7)], avoid=[season(-1, None, name=PAUSE)]))
    first = reassigned(planned(held)[0], "bob")

    after = calendar(plan([rhythm(7)], version=2), replace(held, touchpoints=[first, *planned(held)[1:]]))

    assert (planned(after)[0].due_at, planned(after)[0].csm_id) == (NOW, "bob")


def test_a_one_off_takes_the_first_open_moment_of_its_window_outside_a_season() -> None:
    (made,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 12.5)])).touchpoints

    assert made.due_at == datetime(2026, 3, 16, 9, tzinfo=UTC)
    assert made.shift == "moved after season: it is not the time"


def test_a_one_off_whose_whole_window_is_to_be_avoided_moves_to_the_nearer_side() -> None:
    (early,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 30)])).touchpoints
    (late,) = calendar(plan([], [one_off(days=10)], avoid=[season(1, 16)])).touchpoints
    (paused,) = calendar(plan([], [one_off(days=10)], avoid=[season(8, 30, name=PAUSE)])).touchpoints

    assert days([early]) == [7]
    assert early.lapses_at == early.end
    assert days([late]) == [16]
    assert days([paused]) == [30]


def test_a_one_off_returns_when_the_season_goes_away() -> None:
    during = calendar(plan([], [one_off(days=8)], avoid=[season(6, 30)]))

    (back,) = calendar(plan([], [one_off(days=8)], version=2), during).touchpoints

    assert (days([back]), back.shift) == ([8], None)


def test_seasons_that_touch_are_left_together() -> None:
    held = planned(
        calendar(plan([rhythm(60)], avoid=[season(50, 61), season(61, 70), season(70, 75, name="next")]))
    )

    assert days(held)[:3] == [0, 49, 120]


def test_the_projection_goes_around_seasons_with_the_ids_that_will_be() -> None:
    wish = plan([TIPS], avoid=[season(33, 60)])
    held = calendar(wish)
    coming = list(projected("acme", held.series.values(), NOW, to=NOW + 90 * DAY, zone_name="UTC", plan=wish))

    for week in range(1, 10):
        now = NOW + 7 * week * DAY
        held = calendar(replace(wish, decided_at=now), held, now=now)

    assert coming
    assert not any(33 <= day < 60 for day in days(coming))
    found = {each.id: each.due_at for each in planned(held, "tips")}
    assert {each.id: each.due_at for each in coming}.items() <= found.items()


def test_what_is_to_be_avoided_is_news() -> None:
    shapes = {
        shape_of(plan([rhythm(7)]), PLACE),
        shape_of(plan([rhythm(7, never_skip=True)]), PLACE),
        shape_of(plan([rhythm(7)], avoid=[season(1, 2)]), PLACE),
        shape_of(plan([rhythm(7)], avoid=[season(1, None)]), PLACE),
    }

    assert len(shapes) == 4


def test_reading_the_same_plan_again_changes_nothing_as_a_season_comes_and_goes() -> None:
    wish = plan(
        [rhythm(7), REVIEW, TIPS], [one_off(days=20)], avoid=[season(12, 40), season(90, 120, name=PAUSE)]
    )
    held = calendar(wish)
    for day in range(0, 130, 3):
        now = NOW + day * DAY + timedelta(hours=5)
        touchpoints = [
            released(e, now) if e.status is Status.PLANNED and e.due_at <= now else e
            for e in held.touchpoints
        ]
        due = [each for each in touchpoints if each.released_at]
        held = Held(
            touchpoints, held.series, {each.type: each.due_at for each in sorted(due, key=lambda e: e.due_at)}
        )
        convergence = converge(replace(wish, decided_at=now), held, PLACE, now)
        assert all(isinstance(each, Create | Keep) for each in convergence.changes), day
        held = applied(held, convergence)
