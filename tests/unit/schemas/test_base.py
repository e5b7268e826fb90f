"""The base of all models."""

from typing import Any

import pytest

from schemas.plans import RhythmItem
from schemas.times import Window

REASON: dict[str, Any] = {"rule": "weekly", "policy": "a1", "text": "Health is red."}


def item(**changes: Any) -> dict[str, Any]:
    return {
        "touchpoint_type": "check_in",
        "every_days": 7,
        "owner": "csm",
        "channel": "call",
        "purpose": "Keep in touch",
        "reason": REASON,
        **changes,
    }


@pytest.mark.parametrize(
    "values",
    [item(), item(minutes=30, csm_id="dana", never_skip=True), dict(reversed(item(topic="account").items()))],
)
def test_a_message_built_without_validation_equals_the_validated_one(values: dict[str, Any]) -> None:
    validated = RhythmItem(**values)
    parts = {name: getattr(validated, name) for name in values}
    built = RhythmItem.of_valid(**parts)

    assert built == validated
    assert built.write() == validated.write()
    assert RhythmItem.read(built.write()) == validated
    assert built.model_fields_set == validated.model_fields_set


def test_a_field_with_another_name_in_json_is_written_under_that_name() -> None:
    validated = Window.model_validate({"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"})
    built = Window.of_valid(from_=validated.from_, to=validated.to)

    assert built == validated
    assert built.write() == validated.write()
