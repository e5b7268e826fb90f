"""Which touchpoints may change a plan by coming due."""

from dataclasses import replace
from datetime import timedelta

from services.cadence.policy import Limit, Trigger
from services.simulation.issuing import find_contested
from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.policies import evaluated, limit, policy, trigger

ASK = trigger("ask", "nps.answered", "advocacy_ask", 10)
NPS = make_event("nps.answered", NOW, score=9)


def test_what_another_waits_for_is_contested() -> None:
    """Two events ask for one type, or two types share a limit: when one comes due there may be room for the other."""
    first = trigger("first", "expansion.signalled", "advocacy_ask", 10)
    other = trigger("other", "expansion.signalled", "expansion_discovery", 10)
    signal = make_event("expansion.signalled", NOW - DAY, signal="seat_limit")
    shared = limit("one-ask", 1, 30, "advocacy_ask", "expansion_discovery")

    def contested(*rules: Trigger | Limit) -> frozenset[str]:
        under = policy(*rules)
        return find_contested(under, evaluated(under, NPS, signal))

    assert contested(ASK) == frozenset()
    assert contested(ASK, first) == {"advocacy_ask"}
    assert contested(ASK, other) == frozenset()
    assert contested(ASK, other, shared) == {"advocacy_ask", "expansion_discovery"}
    assert contested(replace(ASK, cooldown=timedelta(days=30)), other) == frozenset()
