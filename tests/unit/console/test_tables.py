"""Documents as cells."""

from services.console import tables


def test_cells_are_short_and_say_when_there_is_nothing() -> None:
    assert tables.cell("2026-11-23T14:42:37.245476Z") == "2026-11-23 14:42"
    assert tables.cell(None) == "-"
    assert tables.cell(["a"]) == '["a"]'
    assert tables.cell(3) == "3"


def test_a_reason_is_its_words_however_it_came() -> None:
    assert tables.reason_text({"reason": {"text": "red health", "rule": "x"}}) == "red health"
    assert tables.reason_text({"reason": "by hand"}) == "by hand"
    assert tables.reason_text({}) == "-"


def test_items_of_a_document_that_has_none_are_none() -> None:
    assert tables.items({"items": None}) == []
    assert tables.part({"plan": []}, "plan") == {}
