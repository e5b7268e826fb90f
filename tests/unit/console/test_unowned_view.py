"""Unowned work: the most urgent first, and nothing that needs no person."""

from datetime import UTC, datetime

from services.console.touchpoints import touchpoints
from services.console.unowned_view import unowned_rows
from tests.unit.console.test_my_day_view import item

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_overdue_work_comes_before_due_and_planned_work() -> None:
    documents = [
        item("planned", "planned"),
        item("due", "due", deadline="2026-03-03T09:00:00Z"),
        item("overdue", "overdue", deadline="2026-03-01T09:00:00Z", owner={"kind": "pooled_csm"}),
        item("newsletter", "due", owner={"kind": "marketing"}, channel="email"),
    ]
    rows = unowned_rows(touchpoints(documents), {}, NOW)
    assert [(row.touchpoint.id, row.owner) for row in rows] == [
        ("overdue", "CSM pool"),
        ("due", "CSM"),
        ("planned", "CSM"),
    ]
    assert [row.left for row in rows] == ["1 day ago", "in 23 hours", ""]
