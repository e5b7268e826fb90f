"""The board sorts what is open by urgency and what is planned by day, and has texts for when there is nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.console.json_fields import Json
from services.console.touchpoints import Touchpoint, board, selection, timing, touchpoint, touchpoints

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
NAMES = {"halcyon": "Halcyon Health"}


def item(
    identity: str, status: str, due: timedelta, deadline: timedelta | None = None, **more: object
) -> Json:
    return {
        "id": identity,
        "account_id": "halcyon",
        "type": "check_in",
        "status": status,
        "due_at": (NOW + due).isoformat(),
        "released_at": (NOW + due).isoformat() if status in ("due", "overdue") else None,
        "deadline": None if deadline is None else (NOW + deadline).isoformat(),
        "owner": {"kind": "csm", "csm_id": "csm-joe"},
        "channel": "call",
        "reason": {"rule": "red-check-in", "text": "Health is red.", "facts": []},
        "sequence": 1,
        "updated_at": NOW.isoformat(),
        **more,
    }


def read(*items: Json) -> list[Touchpoint]:
    return touchpoints(items)


def test_overdue_touchpoints_are_separate_and_the_nearest_deadline_comes_first() -> None:
    waiting = read(
        item("later", "due", timedelta(hours=-3), timedelta(days=5)),
        item("open end", "due", timedelta(hours=-9)),
        item("sooner", "due", timedelta(hours=-1), timedelta(days=2)),
        item("late", "overdue", timedelta(days=-9), timedelta(days=-2)),
    )

    view = board(waiting, [], NOW, NAMES)

    assert [touchpoint.id for touchpoint in view.overdue] == ["late"]
    assert [touchpoint.id for touchpoint in view.due] == ["sooner", "later", "open end"]
    assert view.summary == "1 overdue and 3 due"


def test_the_next_fourteen_days_are_shown_by_day_and_the_first_touchpoint_after_them_in_a_sentence() -> None:
    planned = read(
        item("a", "planned", timedelta(hours=1)),
        item("b", "planned", timedelta(hours=2)),
        item("c", "planned", timedelta(days=7)),
        item("d", "planned", timedelta(days=20)),
    )

    view = board([], planned, NOW, NAMES)

    assert [(day.name, day.distance, len(day.touchpoints)) for day in view.days] == [
        ("Today", "", 2),
        ("Mon 30 Nov", "in 7 days", 1),
    ]
    assert view.beyond == "After that: “Check in” for Halcyon Health, Sun 13 Dec, 14:30 UTC (in 20 days)."


def test_with_nothing_due_the_next_touchpoint_is_named() -> None:
    planned = read(item("a", "planned", timedelta(days=20)))

    expected = "Nothing is due. The next touchpoint is “Check in” for Halcyon Health, Sun 13 Dec, 14:30 UTC (in 20 days)."
    assert board([], planned, NOW, NAMES).empty == expected
    assert board([], [], NOW, NAMES).empty.startswith("Nothing is due and nothing is planned.")


def test_timing_shows_the_time_since_it_is_due_and_the_deadline() -> None:
    due, late, planned = read(
        item("a", "due", timedelta(minutes=-3), timedelta(days=2)),
        item("b", "overdue", timedelta(days=-9), timedelta(days=-2)),
        item("c", "planned", timedelta(days=7)),
    )

    assert timing(due, NOW) == "Due 3 minutes ago · by Wed 25 Nov, 14:30 UTC (in 2 days)"
    assert timing(late, NOW) == "Due 9 days ago · deadline passed 2 days ago, Sat 21 Nov"
    assert timing(planned, NOW) == "Mon 30 Nov, 14:30 UTC (in 7 days)"


def test_an_account_shows_open_then_planned_then_closed_touchpoints() -> None:
    past = [item(f"past {n}", "settled", timedelta(days=n - 40)) for n in range(12)]
    coming = [item(f"next {n}", "planned", timedelta(days=n + 1)) for n in range(9)]
    waiting = item("waits", "due", timedelta(days=-1))

    ids = [touchpoint.id for touchpoint in selection(read(*past, waiting, *coming))]

    assert ids[:2] == ["waits", "next 0"]
    assert ids[7:9] == ["past 11", "past 10"]
    assert len(ids) == 1 + 6 + 8


def test_an_item_without_an_id_is_left_out_and_fields_of_another_type_are_ignored() -> None:
    assert touchpoint({"due_at": NOW.isoformat()}) is None
    assert touchpoint({"id": "x", "due_at": "soon"}) is None
    sales = touchpoint(
        {"id": "x", "due_at": NOW.isoformat(), "reason": 7, "owner": {"kind": "sales"}, "csm_id": []}
    )
    assert sales is not None
    assert (sales.owner, sales.why, sales.csm_id) == ("sales", "", None)


def test_the_days_of_the_board_are_those_of_the_reader() -> None:
    planned = read(item("late", "planned", timedelta(hours=9)), item("later", "planned", timedelta(hours=10)))

    view = board([], planned, NOW.astimezone(ZoneInfo("Europe/Berlin")), NAMES)

    assert [(day.name, len(day.touchpoints)) for day in view.days] == [("Tomorrow", 2)]
    assert [day.name for day in board([], planned, NOW, NAMES).days] == ["Today", "Tomorrow"]


def test_a_touchpoint_says_what_endangers_its_promise() -> None:
    risk = {"cause": "away", "detail": "Kim is away", "deadline": NOW.isoformat(), "since": NOW.isoformat()}

    (danger, safe) = read(item("a", "due", timedelta(), risk=risk), item("b", "due", timedelta(), risk=None))

    assert (danger.risk, safe.risk) == ("Kim is away", "")
