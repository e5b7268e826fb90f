"""A million events in `make soak`, fewer otherwise: shuffled by up to a day and repeated, they lead to the same plans."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.cadence.account import FactEvent, Facts, Provenance, apply_fact
from services.cadence.account.codec import decode, encode
from services.cadence.account.issued import TYPES, Issued, apply_issued
from services.cadence.evaluation import evaluate_account
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.portfolio import Portfolio

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]
ACCOUNTS, EVENTS_EACH = 2_000 if os.environ.get("DRUMBEAT_SOAK") else 300, 500
START = datetime(2025, 3, 1, 9, tzinfo=UTC)
NOW = START + timedelta(days=365)
LATEST = timedelta(days=1).total_seconds()


def _usage(dice: random.Random, at: datetime, _: int) -> dict[str, object]:
    begin = at - timedelta(days=7)
    used = {"events": dice.randrange(500, 900), "seats": 100, "seats_used": dice.randrange(40, 96)}
    return {"period_start": begin, "period_end": at, **used}


def _settled(dice: random.Random, at: datetime, number: int) -> dict[str, object]:
    outcome = dice.choice(("attended", "declined", "missed", "completed"))
    return {"touchpoint_id": f"t{number}", "touchpoint_type": "check_in", "outcome": outcome, "at": at}


def _contract(dice: random.Random, at: datetime, _: int) -> dict[str, object]:
    renews_on = (at + timedelta(days=dice.randrange(20, 300))).date()
    return {"contract_id": "c", "status": dice.choice(("active", "signed")), "renews_on": renews_on}


FIELDS: dict[str, Callable[[random.Random, datetime, int], dict[str, object]]] = {
    "usage.reported": _usage,
    "health.scored": lambda dice, _at, _number: {"score": dice.choice((10, 50, 80, 90))},
    "nps.answered": lambda dice, _at, _number: {"contact_id": "ann", "score": dice.randrange(11)},
    "milestone.reached": lambda dice, _at, number: {
        "milestone": f"m{number}",
        "kind": dice.choice(("adoption", "success")),
    },
    "touchpoint.settled": _settled,
    "touchpoint.due": lambda _dice, at, number: {
        "touchpoint_id": f"t{number}",
        "touchpoint_type": "advocacy_ask",
        "due_at": at,
    },
    "preference.changed": lambda dice, _at, _number: {
        "contact_id": "ann",
        "topic": "account",
        "frequency": dice.choice(("weekly", "quarterly")),
    },
    "account.described": lambda dice, _at, _number: {
        "arr": dice.choice((500, 5_000, 50_000, 500_000)),
        "csm_id": dice.choice(("dana", "eve")),
    },
    "contract.changed": _contract,
}
KINDS = (*FIELDS, *(("usage.reported",) * 3), *(("health.scored",) * 2))


def _history(account: int) -> Iterator[FactEvent]:
    dice = random.Random(account)
    for number in range(EVENTS_EACH):
        at = START + timedelta(seconds=dice.randrange(365 * 86_400))
        kind = dice.choice(KINDS)
        fields = FIELDS[kind](dice, at, number)
        content = hashlib.sha256(repr((kind, number, fields)).encode()).hexdigest()
        yield FactEvent(kind, f"acc-{account}", Provenance(at, "/crm", str(number), content), fields)


def _late(events: list[FactEvent], dice: random.Random) -> list[FactEvent]:
    """Every event one to three times, each copy late by up to a day."""
    copies = [
        (event.provenance.time.timestamp() + dice.random() * LATEST, place, event)
        for place, event in enumerate(events)
        for _ in range(dice.choice((1, 1, 1, 2, 3)))
    ]
    return [event for _, _, event in sorted(copies, key=lambda copy: copy[:2])]


def _plan_of(account: int, events: list[FactEvent], pieces: int) -> bytes:
    """The plan after so many batches; between them the state is stored and read again, as in the engine."""
    facts, issued = Facts(f"acc-{account}"), Issued()
    size = len(events) // pieces + 1
    for begin in range(0, len(events), size):
        for event in events[begin : begin + size]:
            if event.type in TYPES:
                apply_issued(issued, event)
            if event.type != "touchpoint.due":
                apply_fact(facts, event)
        facts, issued = decode(facts.account_id, encode(facts, issued))
    return evaluate_account(POLICY, facts, issued, Portfolio(), NOW).plan.write()


POLICY = load_policy(SHIPPED)


def test_events_in_any_order_lead_to_the_same_plans() -> None:
    dice = random.Random(7)
    in_order, shuffled, count = hashlib.sha256(), hashlib.sha256(), 0
    for account in range(ACCOUNTS):
        events = sorted(_history(account), key=lambda event: event.provenance)
        late = _late(events, dice)
        count += len(events) + len(late)
        in_order.update(_plan_of(account, events, 5))
        shuffled.update(_plan_of(account, late, 7))

    assert count > 2 * ACCOUNTS * EVENTS_EACH
    assert shuffled.hexdigest() == in_order.hexdigest()
