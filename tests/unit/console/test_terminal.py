"""Documents as cells."""

from services.console import terminal


def test_cells_are_short_and_say_when_there_is_nothing() -> None:
    assert terminal.cell("2026-11-23T14:42:37.245476Z") == "2026-11-23 14:42"
    assert terminal.cell(None) == "-"
    assert terminal.cell(["a"]) == '["a"]'
    assert terminal.cell(3) == "3"


def test_a_reason_is_its_words_however_it_came() -> None:
    assert terminal.reason_text({"reason": {"text": "red health", "rule": "x"}}) == "red health"
    assert terminal.reason_text({"reason": "by hand"}) == "by hand"
    assert terminal.reason_text({}) == "-"


def test_items_of_a_document_that_has_none_are_none() -> None:
    assert terminal.items({"items": None}) == []
    assert terminal.part({"plan": []}, "plan") == {}
