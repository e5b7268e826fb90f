"""Equal refusals are one line with a count and an example (C)."""

from services.console.refusal_groups import RefusalGroups


def refusal(number: int, problem: str) -> dict[str, object]:
    return {"index": number, "id": f"e-{number}", "status": "refused", "problem": problem}


def test_twenty_thousand_equal_refusals_are_one_line_with_a_count_and_an_example() -> None:
    groups = RefusalGroups()
    for number in range(20_000):
        groups.add(refusal(number, f"data.score: {number + 101} is more than 100"), number + 1)
    groups.add(refusal(20_000, "data.contact_id: is missing"), 20_001)
    assert groups.rows() == [
        (20_000, 1, "e-0", "refused", "data.score: 101 is more than 100"),
        (1, 20_001, "e-20000", "refused", "data.contact_id: is missing"),
    ]
    assert groups.count == 20_001


def test_refusals_of_other_fields_or_with_another_status_are_other_lines() -> None:
    groups = RefusalGroups()
    groups.add(refusal(0, "data.arr: 'x' is no number"), 1)
    groups.add(refusal(1, "data.seats: 'x' is no number"), 2)
    groups.add({**refusal(2, "data.arr: 'y' is no number"), "status": "unknown"}, 3)
    assert [row[0] for row in groups.rows()] == [1, 1, 1]


def test_stored_groups_go_on_growing() -> None:
    groups = RefusalGroups()
    groups.add(refusal(0, "data.arr: 'x' is no number"), 1)
    again = RefusalGroups(groups.documents())
    again.add(refusal(7, "data.arr: 'z' is no number"), 8)
    assert again.rows() == [(2, 1, "e-0", "refused", "data.arr: 'x' is no number")]
