"""Fields of API documents are read tolerantly."""

from datetime import UTC, datetime

from services.console import json_fields


def test_a_field_of_another_type_counts_as_absent() -> None:
    assert json_fields.items({"items": None}) == []
    assert json_fields.items({"items": [{"a": 1}, "b"]}) == [{"a": 1}]
    assert json_fields.texts({"names": ["a", 1]}, "names") == ["a"]
    assert json_fields.nested({"plan": []}, "plan") == {}
    assert json_fields.text({"name": 7}, "name") == ""
    assert json_fields.number({"count": "7"}, "count") == 0


def test_an_instant_is_in_utc_and_needs_a_zone() -> None:
    expected = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert json_fields.instant({"at": "2026-11-23T15:30:00+01:00"}, "at") == expected
    assert json_fields.instant({"at": "2026-11-23T15:30:00"}, "at") is None
    assert json_fields.instant({"at": "soon"}, "at") is None
