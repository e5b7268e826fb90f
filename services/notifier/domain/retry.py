"""What follows from an attempt: sent, tried again later, or failed.

All waits are real time. The jitter derives from the delivery and the attempt, so that two senders that see the
same failure compute the same next moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from services.notifier.domain.delivery import Attempt, AttemptOutcome, Delivery, Response

JITTER = 0.2
"""Largest change of a wait, as a fraction of it."""
MINUTE, HOUR = 60.0, 3600.0
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits between attempts, in seconds. It ends when they are used up or `lifetime` has passed.

    `only_lengthens`: the jitter never shortens a wait, for partners who prescribe the shortest one.
    """

    waits: tuple[float, ...]
    lifetime: timedelta
    only_lengthens: bool = False
    repeats_last: bool = False

    def base_seconds(self, attempt: int) -> float | None:
        """The wait before jitter after the attempt with this number (the first is 1); None: no further one."""
        if attempt <= len(self.waits):
            return self.waits[attempt - 1]
        return self.waits[-1] if self.repeats_last else None


# Attempts at 0, then after 5 s, 1 m, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: about 3.2 days.
WEBHOOK = Schedule(
    waits=(5, MINUTE, 5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24))),
    lifetime=4 * DAY,
)
# After a 4xx reply a client should wait at least 30 minutes (RFC 5321, section 4.5.4.1).
EMAIL_DEFERRED = Schedule(
    waits=(30 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR),
    lifetime=4 * DAY,
    only_lengthens=True,
    repeats_last=True,
)
# A relay that could not be reached prescribed no wait: the first retries come sooner.
EMAIL_UNREACHED = Schedule(
    waits=(5, MINUTE, 5 * MINUTE, 30 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR),
    lifetime=4 * DAY,
    repeats_last=True,
)

# A gateway names its own wait; a text that is a day late is worth nothing, and goes by mail.
GATEWAY = Schedule(
    waits=(5, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR),
    lifetime=DAY,
    repeats_last=True,
)
GATEWAYS = frozenset({"sms", "slack", "call"})


def after_attempt(
    delivery: Delivery, response: Response, *, at: datetime, first_at: datetime | None
) -> tuple[Delivery, Attempt]:
    """The delivery after this response, and the attempt to record. All times are real."""
    attempt = Attempt(delivery.attempts + 1, at, response.outcome, response.detail)
    if response.outcome is AttemptOutcome.DELIVERED:
        return delivery.after_attempt(attempt, again_at=None, reason=response.detail), attempt
    if response.is_permanent or response.is_gone:
        return delivery.after_attempt(attempt, again_at=None, reason=response.detail), attempt
    schedule = _schedule(delivery.channel, response.outcome)
    wait = next_wait(schedule, delivery.id, attempt.number, at - (first_at or at))
    if wait is None:
        return delivery.after_attempt(
            attempt, again_at=None, reason=f"gave up after {response.detail}"
        ), attempt
    again_at = at + with_retry_after(wait, response.retry_after)
    return delivery.after_attempt(attempt, again_at=again_at, reason=response.detail), attempt


def next_wait(schedule: Schedule, delivery_id: str, attempt: int, elapsed: timedelta) -> timedelta | None:
    """How long to wait after the failed attempt with this number; None: give up.

    `elapsed` is the real time since the first attempt.
    """
    base = schedule.base_seconds(attempt)
    if base is None:
        return None
    part = fraction(delivery_id, attempt)
    factor = 1 + JITTER * part if schedule.only_lengthens else 1 - JITTER + 2 * JITTER * part
    wait = timedelta(seconds=base * factor)
    return None if elapsed + wait > schedule.lifetime else wait


def with_retry_after(wait: timedelta, retry_after: timedelta | None) -> timedelta:
    """The wait, or the receiver's Retry-After if that is longer; at most a day of it."""
    return wait if retry_after is None else max(wait, min(retry_after, DAY))


def fraction(delivery_id: str, attempt: int) -> float:
    """A number in [0, 1) derived from the delivery and the attempt."""
    digest = blake2b(f"{delivery_id}:{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _schedule(channel: str, outcome: AttemptOutcome) -> Schedule:
    if channel == "webhook":
        return WEBHOOK
    if channel in GATEWAYS:
        return GATEWAY
    return EMAIL_UNREACHED if outcome is AttemptOutcome.UNREACHED else EMAIL_DEFERRED
