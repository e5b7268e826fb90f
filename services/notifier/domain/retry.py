"""What follows from an attempt: sent, again later, or failed. The one place where a schedule is chosen."""

from datetime import datetime

from services.notifier.domain.backoff import (
    EMAIL_DEFERRED,
    EMAIL_UNREACHED,
    WEBHOOK,
    Schedule,
    next_wait,
    respecting,
)
from services.notifier.domain.delivery import Attempt, Delivery, Outcome, Receipt


def after_attempt(
    delivery: Delivery, receipt: Receipt, *, at: datetime, first_at: datetime | None
) -> tuple[Delivery, Attempt]:
    """The delivery after this answer, and the attempt to be remembered. All times are real."""
    attempt = Attempt(delivery.attempts + 1, at, receipt.outcome, receipt.detail)
    if receipt.outcome is Outcome.DELIVERED:
        return delivery.tried(attempt, again_at=None, reason=receipt.detail), attempt
    wait = None
    if not (receipt.permanent or receipt.gone):
        schedule = _schedule(delivery.channel, receipt.outcome)
        wait = next_wait(schedule, delivery.id, attempt.number, at - (first_at or at))
    if wait is None:
        return delivery.tried(attempt, again_at=None, reason=_last_word(receipt)), attempt
    again_at = at + respecting(wait, receipt.retry_after)
    return delivery.tried(attempt, again_at=again_at, reason=receipt.detail), attempt


def _schedule(channel: str, outcome: Outcome) -> Schedule:
    if channel == "webhook":
        return WEBHOOK
    return EMAIL_UNREACHED if outcome is Outcome.UNREACHED else EMAIL_DEFERRED


def _last_word(receipt: Receipt) -> str:
    return receipt.detail if receipt.permanent or receipt.gone else f"gave up after {receipt.detail}"
