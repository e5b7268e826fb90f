"""Blackouts that cover a whole window."""

from datetime import date, timedelta

import pytest

from services.cadence.lint import lint
from services.cadence.policy import Blackout
from services.cadence.policy.model import SeasonDay
from tests.unit.cadence.policies import blackout, policy, trigger


@pytest.mark.parametrize(
    ("first", "then", "is_lost"),
    [
        (((12, 20), (12, 31)), ((1, 1), (1, 10)), True),
        (((12, 20), (12, 31)), ((1, 2), (1, 10)), False),
        (((3, 1), (3, 15)), ((3, 10), (3, 25)), True),
        (((12, 20), (1, 5)), ((1, 5), (1, 12)), True),
        (((12, 25), (1, 5)), ((1, 1), (1, 5)), False),
        ((date(2026, 3, 1), date(2026, 3, 15)), ((3, 10), (3, 25)), True),
        ((date(2026, 3, 1), date(2027, 3, 15)), ((3, 10), (3, 25)), True),
    ],
)
def test_a_window_can_be_dropped_where_blackouts_that_join_cover_it(
    first: tuple[SeasonDay, SeasonDay],
    then: tuple[SeasonDay, SeasonDay],
    is_lost: bool,  # noqa: FBT001
) -> None:
    seasons: list[Blackout] = [
        blackout("one", *first, "advocacy_ask"),
        blackout("other", *then, "advocacy_ask"),
    ]
    asks = trigger("ask", "nps.answered", "advocacy_ask", 20, cooldown=timedelta(days=90))

    findings = [finding for finding in lint(policy(asks, *seasons)) if finding.kind == "blackout"]

    assert [finding.rule for finding in findings] == (["ask"] if is_lost else [])
