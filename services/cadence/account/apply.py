"""Apply an event to the state of its account: to the facts, to the issued touchpoints or to both."""

from services.cadence.account import FactEvent, apply_fact
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import ONLY_ISSUED, TYPES, apply_issued
from services.cadence.account.state import ApplyResult


def apply_event(account_state: AccountState, event: FactEvent) -> ApplyResult:
    """Apply an event in place, by its type. `changed` covers facts and issued touchpoints, `fields` only the facts."""
    issued_changed = event.type in TYPES and apply_issued(account_state.issued, event)
    if event.type in ONLY_ISSUED:
        return ApplyResult(issued_changed)
    result = apply_fact(account_state.facts, event)
    return result._replace(changed=True) if issued_changed else result
