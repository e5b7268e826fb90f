"""People's weeks as percentages, and what somebody should do something about."""

from services.console.load_view import book_lines, describe_gap, find_findings, load_rows, relief_lines
from services.scheduler.application.measure_books import StoredBook, describe_book


def week(name: str, planned: int, available: int, **more: object) -> dict[str, object]:
    return {
        "csm_id": "ada", "week": name, "planned_minutes": planned, "available_minutes": available, "touches": 3,
        **more,
    }  # fmt: skip


def test_a_week_is_light_busy_full_or_away() -> None:
    weeks = [week("2026-W10", 0, 100), week("2026-W11", 79, 100), week("2026-W12", 80, 100)]
    weeks += [week("2026-W13", 101, 100), week("2026-W14", 0, 0, time_off=["2026-03-30"])]
    conflicts = [{"csm_id": "ada", "weeks": ["2026-W11"], "text": "does not fit"}]

    (row,) = load_rows({"weeks": weeks})
    (conflicting,) = load_rows({"weeks": weeks, "conflicts": conflicts})

    assert [each.level for each in row.weeks] == ["free", "light", "busy", "full", "away"]
    assert [each.figure for each in row.weeks] == ["0 %", "79 %", "80 %", "101 %", "away"]
    assert conflicting.weeks[1].level == "full"
    assert "away on 2026-03-30" in row.weeks[4].description


def test_conflicts_overfull_weeks_and_crowded_books_are_findings() -> None:
    capacity: dict[str, object] = {
        "weeks": [week("2026-W10", 90, 100), week("2026-W11", 120, 100)],
        "conflicts": [{"csm_id": "ada", "weeks": ["2026-W10"], "text": "seven kickoffs"}],
        "books": [
            {"csm_id": "ada", "size": "stressed", "text": "25 accounts"},
            {"csm_id": "bob", "size": "ok"},
        ],
    }

    assert find_findings(capacity) == ["seven kickoffs", "ada: 120 % of 2026-W11", "ada: 25 accounts"]
    assert find_findings({"weeks": [week("2026-W10", 90, 100)]}) == []


def test_the_gap_names_its_worst_week() -> None:
    capacity: dict[str, object] = {"headcount_gap": 0.4, "headcount_week": {"week": "2026-W11"}}

    assert describe_gap(capacity) == "0.4 people are missing in 2026-W11, the worst week"
    assert describe_gap({"headcount_gap": 0.0}) == ""


def test_what_gives_way_is_listed_with_its_reason_and_how_many_more_there_are() -> None:
    relief = {
        "touchpoint_type": "check_in",
        "account_id": "acme",
        "minutes": 30,
        "action": "gave_way",
        "reason": "no room in 2026-W11",
    }

    lines = list(relief_lines({"relief": [relief], "relief_touches": 3}, {"acme": "Acme"}))

    assert lines == ["Check in, Acme, 30 minutes: gave way (no room in 2026-W11)", "2 more"]


def test_the_hours_of_every_book_are_listed_beside_the_usual_ones_whatever_its_size() -> None:
    """S40: 5 to 10 hours for each account and month, also in books that are not crowded."""

    def book(csm_id: str, minutes: int, dedicated: int = 10) -> dict[str, object]:
        return describe_book(StoredBook(csm_id, dedicated, 2, minutes, 10, minutes, 0)).model_dump()

    hour = 60 * 10 * 3
    books = [
        book("low", 4 * hour), book("at-five", 5 * hour), book("at-ten", 10 * hour), book("high", 11 * hour),
        book("pooled", 0, 0),
    ]  # fmt: skip

    assert {each["size"] for each in books} == {"ok"}
    assert book_lines({"books": books}) == [
        ("low", 10, 2, "4", "less than 5"),
        ("at-five", 10, 2, "5", "within 5 to 10"),
        ("at-ten", 10, 2, "10", "within 5 to 10"),
        ("high", 10, 2, "11", "more than 10"),
        ("pooled", 0, 2, "-", "-"),
    ]
