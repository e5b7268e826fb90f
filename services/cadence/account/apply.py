"""Telling: one event into what is believed of an account, for whoever works on memories that no transaction holds."""

from services.cadence.account import FactEvent, apply_fact
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import ONLY_ISSUED, TYPES, apply_issued


def apply_event(account_state: AccountState, event: FactEvent) -> None:
    """Into the facts, into what was issued, or into both, as the consumer does."""
    if event.type in TYPES:
        apply_issued(account_state.issued, event)
    if event.type not in ONLY_ISSUED:
        apply_fact(account_state.facts, event)
