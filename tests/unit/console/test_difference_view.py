"""The effect of a draft is shown by its totals and its accounts, or by its error."""

from services.console.difference_view import difference_view
from services.console.json_fields import Json

CHANGED: Json = {"before": 4.5, "after": 3, "difference": -1.5, "minutes_difference": 0}
UNCHANGED: Json = {"before": 1, "after": 1, "difference": 0, "minutes_difference": 0}
TOTAL: Json = {**CHANGED, "minutes_before": 60, "minutes_after": 90, "minutes_difference": 30}


def test_a_difference_is_shown_by_its_totals_and_its_accounts() -> None:
    accounts = [{"account_id": str(number), "changes": [{"text": "less often"}]} for number in range(7)]
    counts: Json = {"compared": 9, "changed": 7, "moved": 1, "undecided": 0, "days": 90}
    totals: Json = {"check_in": CHANGED, "survey": UNCHANGED}
    view = difference_view({**counts, "totals": totals, "all": TOTAL, "accounts": accounts})
    assert view.summary == (
        "The plans of 7 of 9 accounts would change. 1 account would change segment or stage."
        " Touchpoints are counted over the next 90 days."
    )
    assert view.totals == (
        ("All touchpoints", "4.5 now, 3 then (-1.5)"),
        ("CSM minutes", "60 now, 90 then (+30)"),
        ("Check in", "4.5 now, 3 then (-1.5)"),
    )
    assert (view.examples[0], view.examples[-1]) == ("0: less often", "And 2 more accounts.")


def test_an_error_is_shown_in_place_of_the_difference() -> None:
    assert difference_view({"error": "It is down."}).summary == "The effect cannot be shown: It is down."


def test_no_difference_has_an_empty_view() -> None:
    view = difference_view({})
    assert (view.summary, view.totals, view.examples) == ("", (), ())
