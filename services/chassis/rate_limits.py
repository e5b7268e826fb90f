"""Rate limits of API keys: a token bucket for each key, kept by this replica, by the real clock.

A request begins when its key has a unit left, and is then taken whole: what it uses beyond that is owed, and the next
request waits until it is paid. So no request is cut where a sender cannot go on, and over time the rate holds.
Header fields: draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4; the problem type: its section 5.1.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

from services.chassis.access_settings import RateLimit
from services.chassis.keys import key_of_session
from services.chassis.problems import Problem
from services.chassis.telemetry import METRICS

POLICY: Final = "events"
QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
LARGEST_DEBT: Final = 250_000
"""Units that a key may owe at the most: those of one stream, so that only streams sent at once are ever cut."""


class Quota:
    """What one key may still use. Without a rate everything is admitted, and there are no header fields."""

    def __init__(self, limit: RateLimit, now: Callable[[], float]) -> None:
        self._per_second = limit.events_per_second
        self._burst = limit.largest_burst()
        self._now = now
        self._available = float(self._burst)
        self._at = now()

    def admit(self) -> None:
        """Raises a `Problem`, 429 with `Retry-After`, while nothing is left."""
        self._refuse_below(1)

    def take(self, units: int) -> None:
        """Use units, also such that are to be owed. Raises a `Problem`, 429, when too much is owed already."""
        self._refuse_below(-LARGEST_DEBT)
        self._available -= units

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit`. The unit `events` is not registered: the draft has no unit for them."""
        if self._per_second is None:
            return {}
        self._refill(self._per_second)
        window = max(1, math.ceil(self._burst / self._per_second))
        left = max(0, math.floor(self._available))
        until = self._seconds_until(self._burst if left else 1, self._per_second)
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self._burst};qu="events";w={window}',
            "RateLimit": f'"{POLICY}";r={left};t={until}',
        }

    def _refuse_below(self, least: int) -> None:
        if self._per_second is None:
            return
        self._refill(self._per_second)
        if self._available >= least - 1e-6:  # the sum of many pauses is rounded
            return
        METRICS.rate_limited.inc()
        wait = max(1, self._seconds_until(1, self._per_second))
        problem = Problem(
            429,
            f"This key may send {self._per_second:g} events a second and has sent more. Send the rest in {wait} s.",
            headers={"Retry-After": str(wait)},
        )
        problem.members |= {"type": QUOTA_EXCEEDED, "violated-policies": [POLICY]}
        raise problem

    def _refill(self, per_second: float) -> None:
        now = self._now()
        self._available = min(self._burst, self._available + (now - self._at) * per_second)
        self._at = now

    def _seconds_until(self, units: int, per_second: float) -> int:
        return max(0, math.ceil((units - self._available) / per_second))


class RateLimits:
    """The quotas of all keys. Sessions of the console share that of the key that signed in."""

    def __init__(
        self, default: RateLimit, of_keys: Mapping[str, RateLimit], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._default = default
        self._of_keys = of_keys
        self._now = now
        self._quotas: dict[str, Quota] = {}

    def of(self, key_id: str) -> Quota:
        """The quota of a valid key, so there are never more than keys."""
        owner = key_of_session(key_id) or key_id
        quota = self._quotas.get(owner)
        if quota is None:
            limit = self._of_keys.get(owner.lower(), self._default)
            quota = self._quotas[owner] = Quota(limit, self._now)
        return quota
