"""Evaluate all accounts of a file of events, for notebooks and scripts."""

from datetime import datetime
from typing import cast

from services.cadence.account.event_file import read_event_file
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation.evaluate import Decision, evaluate_account
from services.cadence.policy import Policy


def evaluate_event_file(
    policy: Policy, content: bytes, name: str = "events", now: datetime | None = None
) -> dict[str, Decision]:
    """Account id -> decision at `now` (aware; None: the time of the newest event), in order of the ids.

    `content`: CloudEvents as JSON, one, an array, or one per line. `name` is the file's name in errors. Raises
    `FactsRefused` with the mistakes of the file.
    """
    event_file = read_event_file(content, name)
    at = now or cast("datetime", event_file.newest)
    states = event_file.account_states
    portfolio = portfolio_of(event_file.announcements, states.values(), currency=policy.content.currency)
    return {key: evaluate_account(policy, *states[key], portfolio, at) for key in sorted(states)}
