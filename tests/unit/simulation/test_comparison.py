"""Two simulations side by side."""

from services.simulation.comparison import compare_schedules


def test_touchpoints_of_people_and_messages_are_counted_by_type() -> None:
    def document(*touches: tuple[str, str], sample: bool = False) -> dict[str, object]:
        schedule = [{"type": kind, "owner": owner} for kind, owner in touches]
        return {
            "at": "2026-03-02T10:00:00Z",
            "days": 30,
            "accounts": len(touches),
            "sample": sample,
            "schedule": schedule,
        }

    before = document(("check_in", "csm"), ("tips", "marketing"))
    after = document(
        ("check_in", "csm"), ("check_in", "pooled_csm"), ("renewal_reminder", "automation"), sample=True
    )
    assert compare_schedules(before, after) == {
        "at": "2026-03-02T10:00:00Z",
        "days": 30,
        "accounts": {"before": 2, "after": 3},
        "sample": True,
        "touchpoints": {"check_in": {"before": 1, "after": 2}},
        "messages": {"renewal_reminder": {"before": 0, "after": 1}, "tips": {"before": 1, "after": 0}},
    }
