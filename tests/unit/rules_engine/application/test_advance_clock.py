"""How far a standing clock is asked to go."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.rules_engine.application.advance_clock import WantedAdvance

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("by", "span"),
    [
        ("1d", timedelta(days=1)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("45s", timedelta(seconds=45)),
        ("P1DT12H", timedelta(hours=36)),
        (90, timedelta(seconds=90)),
    ],
)
def test_a_span_is_read(by: object, span: timedelta) -> None:
    assert WantedAdvance.model_validate({"by": by}).moment(NOW) == NOW + span


def test_a_moment_is_read() -> None:
    assert WantedAdvance.model_validate({"to": "2026-04-01T00:00:00Z"}).moment(NOW) == datetime(
        2026, 4, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "body", [{}, {"by": "1d", "to": "2026-04-01T00:00:00Z"}, {"by": "1w"}, {"by": "0s"}, {"by": -5}]
)
def test_anything_else_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WantedAdvance.model_validate(body)
