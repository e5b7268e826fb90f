"""What has no day while a person is away goes to the colleague with the most room, else it is escalated."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from services.calendar.absences import (
    AccountTouch,
    cover,
    describe_difficulties,
    find_in_question,
)
from services.calendar.avoid import Availability
from services.calendar.deputies import Deputy, DeputyWork, take_on
from services.calendar.levelling import Homeless, Obstacle
from services.calendar.open_hours import DateSpan, OpenHours, check_hours
from services.calendar.person_book import PersonBook, PlannedTouch, availability_key, find_owed_within
from services.calendar.person_levelling import level_person
from services.calendar.sharing import make_deputy
from tests.unit.calendar.plans import NOW, OFFICE, UTC_ZONE, season

DAY = timedelta(days=1)
TARGET = NOW + 14 * DAY


def touch(name: str = "1", target: datetime = TARGET, priority: int = 0, **changed: object) -> PlannedTouch:
    planned = PlannedTouch(
        name,
        "acme",
        "check_in",
        target,
        target,
        target - 3 * DAY,
        target + 3 * DAY,
        2,
        30,
        priority,
        is_new=False,
    )
    return planned._replace(**changed)


def book(touches: Sequence[PlannedTouch], hours: OpenHours = OFFICE, **accounts: Availability) -> PersonBook:
    known = {availability_key(name, "check_in"): each for name, each in accounts.items()}
    return PersonBook("ada", hours, 2400, tuple(touches), (), known)


def test_the_colleague_with_the_most_room_stands_in_on_the_day_nearest_to_the_target() -> None:
    """Row 22: time off is covered."""
    deputies = [Deputy("bob", OFFICE, 900), Deputy("cyd", OFFICE, 300), Deputy("dan", OFFICE, 300)]

    found = cover(book([touch()]), touch(), deputies, NOW)

    assert found is not None
    assert (found.csm_id, found.due_at) == ("cyd", TARGET)
    assert found.reason == "covered by cyd: ada is away (week 2026-W12)"


def test_a_stand_in_and_who_is_away_are_named_as_the_directory_does() -> None:
    deputy = Deputy("cyd", replace(OFFICE, person="Cyd Ode"), 0)

    found = cover(book([touch()], replace(OFFICE, person="Ada Lind")), touch(), [deputy], NOW)

    assert found is not None
    assert found.reason == "covered by Cyd Ode: Ada Lind is away (week 2026-W12)"


def test_a_colleague_who_works_on_no_day_of_the_window_does_not_stand_in() -> None:
    narrow = touch(earliest_at=TARGET - DAY, latest_at=TARGET + DAY)  # Sunday to Tuesday
    thursdays, tuesdays = OpenHours(UTC_ZONE, frozenset({3})), OpenHours(UTC_ZONE, frozenset({1}))

    assert cover(book([narrow]), narrow, [Deputy("bob", thursdays, 0)], NOW) is None
    found = cover(book([narrow]), narrow, [Deputy("bob", thursdays, 0), Deputy("cyd", tuesdays, 500)], NOW)
    assert found is not None
    assert (found.csm_id, found.due_at.weekday()) == ("cyd", 1)


def test_nobody_stands_in_on_a_day_on_which_the_customer_is_not_to_be_met() -> None:
    closed = season(10, 18)
    around = Availability((closed,), UTC_ZONE, OFFICE)

    assert cover(book([touch()], acme=around), touch(), [Deputy("bob", OFFICE, 0)], NOW) is None


def test_the_leveller_finds_who_is_away_although_the_touchpoint_stands_behind_the_absence() -> None:
    """Its window is stretched to where it had to be put; that is no reason to leave it there."""
    pushed = touch(due_at=TARGET + 3 * DAY, earliest_at=TARGET - DAY, latest_at=TARGET + 3 * DAY)
    thursdays = OpenHours(UTC_ZONE, frozenset({3}))

    levelled = level_person(book([pushed], thursdays), NOW)
    assert levelled.homeless == (Homeless("1", Obstacle.AWAY),)
    assert level_person(book([pushed._replace(is_shifted=True)], thursdays), NOW).homeless == ()


def test_touchpoints_of_one_account_that_stay_less_than_two_days_apart_are_counted() -> None:
    """Point 7: two touches of one account keep two days apart; what stays unmet is reported."""
    narrow = [touch(name, earliest_at=TARGET, latest_at=TARGET) for name in ("1", "2")]

    assert level_person(book(narrow), NOW).crowded == 1
    levelled = level_person(book([touch("1"), touch("2")]), NOW)
    assert levelled.crowded == 0
    assert levelled.moves


def test_only_what_is_protected_is_escalated_for_a_customer_who_cannot_be_met() -> None:
    routine, floor, moved = touch("1"), touch("2", priority=2), touch("3", priority=2, is_shifted=True)
    homeless = [Homeless(each.id, Obstacle.CLOSED) for each in (routine, floor, moved)]

    found = find_in_question(book([routine, floor, moved]), homeless)
    assert [each.touch.id for each in found] == ["2"]
    passed = find_in_question(book([floor]), [Homeless("2", Obstacle.PASSED)])
    assert passed == []


def test_an_escalation_names_the_person_as_the_directory_does() -> None:
    named = replace(OFFICE, person="Ada Lind")

    (found,) = describe_difficulties(book([touch()], named), [AccountTouch(touch(), Obstacle.AWAY)], set())

    assert "Ada Lind is away" in found.text
    assert "acme" not in found.text  # it stands beside the account's name


def test_an_absence_of_weeks_is_one_escalation_for_each_account_and_month() -> None:
    touches = [touch(str(number), TARGET + number * 7 * DAY) for number in range(5)]
    away = [AccountTouch(each, Obstacle.AWAY) for each in touches]

    found = describe_difficulties(book(touches), away, {"0"})

    assert [each.cause for each in found] == ["ada/away/2026-03", "ada/away/2026-04"]
    assert "for 2 of type check in" in found[0].text
    for part in ("check in", "ada is away", "weeks 2026-W", "What helps"):
        assert part in found[1].text


def test_what_its_person_can_only_do_late_goes_to_a_colleague_within_its_time() -> None:
    owed = touch(
        earliest_at=None, latest_at=None, due_at=TARGET + 20 * DAY, owed_within=(TARGET, TARGET + 4 * DAY)
    )
    in_question = find_in_question(book([owed]), ())

    found = cover(book([owed]), owed, [Deputy("bob", OFFICE, 0)], NOW)

    assert in_question == [AccountTouch(owed, Obstacle.AWAY)]
    assert found is not None
    assert TARGET <= found.due_at <= TARGET + 4 * DAY
    (difficulty,) = describe_difficulties(book([owed]), in_question, ())  # without one
    assert "ada is away on every working day of the window" in difficulty.text


AWAY_THEN = replace(OFFICE, away=(DateSpan(NOW.date(), NOW.date() + 40 * DAY),))


def test_nobody_stands_in_in_the_past_or_before_the_day_after_tomorrow() -> None:
    """Its target was yesterday; what is left of its window begins in two days."""
    passed = touch(target=NOW - DAY, due_at=NOW + 2 * DAY, earliest_at=NOW - 7 * DAY, latest_at=NOW + 5 * DAY)

    found = cover(book([passed], AWAY_THEN), passed, [Deputy("bob", OFFICE, 0)], NOW)
    assert found is not None
    assert found.due_at == NOW + 2 * DAY

    over = passed._replace(earliest_at=NOW - 3 * DAY, latest_at=NOW + DAY)
    assert cover(book([over], AWAY_THEN), over, [Deputy("bob", OFFICE, 0)], NOW) is None


def test_what_is_late_already_may_be_covered_today() -> None:
    owed = touch(earliest_at=None, latest_at=None, owed_within=(NOW, NOW + DAY), target=NOW)

    found = cover(book([owed], AWAY_THEN), owed, [Deputy("bob", OFFICE, 0)], NOW)
    assert found is not None
    assert found.due_at == NOW


def test_a_meeting_that_people_are_invited_to_keeps_its_time_with_a_colleague_who_is_free_then() -> None:
    """Also where levelling had put it beyond its window, and before one with more room who is not free."""
    invited = touch(due_at=TARGET + 4 * DAY, is_invited=True)  # a Friday, three days is the window
    thursdays = OpenHours(UTC_ZONE, frozenset({3}))

    found = cover(
        book([invited], AWAY_THEN), invited, [Deputy("bob", thursdays, 0), Deputy("cyd", OFFICE, 900)], NOW
    )
    assert found is not None
    assert (found.csm_id, found.due_at) == ("cyd", invited.due_at)
    meets = take_on(
        Deputy("cyd", OFFICE, 0), [DeputyWork(invited.due_at - timedelta(minutes=30), 60, is_invited=True)]
    )
    in_a_meeting = [meets, Deputy("eve", OFFICE, 900)]
    beside = cover(book([invited], AWAY_THEN), invited, in_a_meeting, NOW)
    assert beside is not None
    assert (beside.csm_id, beside.due_at) == ("eve", invited.due_at), "nobody is in two meetings at one time"
    on_the_day = take_on(Deputy("cyd", OFFICE, 0), [DeputyWork(invited.due_at, 60)])
    assert cover(book([invited], AWAY_THEN), invited, [on_the_day], NOW) is not None, (
        "other work finds another hour"
    )
    nearest = cover(book([invited], AWAY_THEN), invited, [Deputy("bob", thursdays, 0)], NOW)
    assert nearest is not None
    assert nearest.due_at == TARGET + 3 * DAY  # not on the day nearest to its target


def test_only_what_is_late_and_has_time_left_is_owed() -> None:
    window = (TARGET, TARGET + 4 * DAY)
    late = "late: nothing is open before its deadline, 2026-03-20T10:00:00Z: time off of Ada"

    assert find_owed_within(late, window, NOW) == window
    assert find_owed_within(late, window, TARGET + DAY) == (TARGET + DAY, TARGET + 4 * DAY)
    assert find_owed_within(late, window, TARGET + 5 * DAY) is None
    assert find_owed_within(None, window, NOW) is None
    assert (
        find_owed_within("late: nothing is open before its deadline: public holiday Epiphany", window, NOW)
        is None
    )


def test_somebody_with_minutes_on_no_day_has_no_hours_and_is_not_away() -> None:
    """Row 38: neither 0 minutes a week, nor less than one a day, nor no working days are time off."""
    nobody, _ = check_hours(UTC_ZONE, frozenset(), OFFICE.start, OFFICE.end)
    for hours, minutes in ((OFFICE, 0), (OFFICE, 4), (nobody, 2400)):
        person = book([touch(), touch("2", TARGET + 7 * DAY)], hours)._replace(weekly_minutes=minutes)
        found = level_person(person, NOW)
        open_touches = find_in_question(person, found.homeless)

        assert [each.obstacle for each in open_touches] == [Obstacle.NO_HOURS] * 2
        (conflict,) = found.relief.conflicts
        assert (conflict.weeks, conflict.needed, conflict.available) == (
            ("2026-W11", "2026-W12", "2026-W13"), 60, 0,
        )  # fmt: skip
        (difficulty,) = describe_difficulties(person, open_touches, set())
        assert "ada has no hours for touchpoints in the window" in difficulty.text
        assert "away" not in difficulty.text
        taken = cover(person, touch(), [Deputy("bob", OFFICE, 0)], NOW)
        assert taken is not None
        assert taken.reason == "covered by bob: ada has no hours (week 2026-W12)"


def test_who_has_no_hours_and_is_away_in_the_window_is_away() -> None:
    away = replace(OFFICE, away=(DateSpan(date(2026, 3, 9), date(2026, 3, 24)),))
    person = book([touch()], away)._replace(weekly_minutes=0)
    found = level_person(person, NOW)

    assert [each.obstacle for each in found.homeless] == [Obstacle.AWAY]
    taken = cover(person, touch(), [Deputy("bob", OFFICE, 0)], NOW)
    assert taken is not None
    assert "ada is away" in taken.reason


def test_who_has_no_hours_stands_in_for_nobody() -> None:
    nobody, _ = check_hours(UTC_ZONE, frozenset(), OFFICE.start, OFFICE.end)
    span = NOW, NOW + 30 * DAY
    unable = [make_deputy("cyd", nobody, 600, [], span), make_deputy("dan", OFFICE, 0, [], span)]

    assert cover(book([touch()]), touch(), unable, NOW) is None
    found = cover(book([touch()]), touch(), [*unable, make_deputy("eve", OFFICE, 600, [], span)], NOW)
    assert found is not None
    assert found.csm_id == "eve"
