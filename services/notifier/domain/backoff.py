"""When to try again, or that it is time to give up.

All waits are real time. Jitter is derived from the delivery and the attempt, so that the schedule of a
delivery is a function of its identity: two senders that see the same failure agree on the next moment.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits between attempts, in seconds. Exhausted when they are used up or `lifetime` has passed.

    `up_only`: jitter only lengthens a wait, for partners who prescribe the shortest one.
    """

    waits: tuple[float, ...]
    lifetime: timedelta
    up_only: bool = False
    repeats_last: bool = False

    def base(self, attempt: int) -> float | None:
        """The wait before jitter after the attempt with this number (the first is 1)."""
        if attempt <= len(self.waits):
            return self.waits[attempt - 1]
        return self.waits[-1] if self.repeats_last else None


MINUTE, HOUR, DAY = 60.0, 3600.0, timedelta(days=1)

# Attempts at 0, then after 5 s, 1 m, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: about 3.2 days.
WEBHOOK = Schedule(
    waits=(5, MINUTE, 5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24))),
    lifetime=4 * DAY,
)
# A mail server that answered 4xx wants to be left alone for half an hour (RFC 5321, 4.5.4.1).
EMAIL_DEFERRED = Schedule(
    waits=(30 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR),
    lifetime=4 * DAY,
    up_only=True,
    repeats_last=True,
)
# A server that could not be reached has not asked for anything: the first tries may come sooner.
EMAIL_UNREACHED = Schedule(
    waits=(5, MINUTE, 5 * MINUTE, 30 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR),
    lifetime=4 * DAY,
    repeats_last=True,
)


def fraction(delivery_id: str, attempt: int) -> float:
    """A number in [0, 1) that belongs to this attempt of this delivery."""
    digest = blake2b(f"{delivery_id}:{attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def next_wait(schedule: Schedule, delivery_id: str, attempt: int, elapsed: timedelta) -> timedelta | None:
    """How long to wait after the failed attempt with this number; None: give up.

    `elapsed` is the real time since the first attempt.
    """
    base = schedule.base(attempt)
    if base is None:
        return None
    part = fraction(delivery_id, attempt)
    factor = 1 + JITTER * part if schedule.up_only else 1 - JITTER + 2 * JITTER * part
    wait = timedelta(seconds=base * factor)
    return None if elapsed + wait > schedule.lifetime else wait


def respecting(wait: timedelta, asked: timedelta | None) -> timedelta:
    """A wait that also honours a receiver's Retry-After, up to a day."""
    return wait if asked is None else max(wait, min(asked, DAY))
