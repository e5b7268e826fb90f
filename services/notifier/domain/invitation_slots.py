"""When a first invitation goes: far ahead, a few each morning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from schemas.times import WEEKDAYS, Weekday
from schemas.zones import TimeZone
from services.notifier.domain.invitation import Queue
from services.notifier.domain.working_day import DAY_MAIL_AT, USUAL_DAYS, opening_from

SOON: Final = timedelta(days=14)
"""What takes place within this time is invited to at once."""
MOST_TO_CONTACT: Final = 5
MOST_TO_CSM: Final = 40
"""First invitations that one reader gets a day."""
NOON: Final = time(12)


@dataclass(frozen=True, slots=True)
class Mornings:
    """The mornings on which a reader gets invitations, and how many on each."""

    zone: TimeZone
    most: int
    days: Sequence[Weekday] = USUAL_DAYS

    def is_open(self, moment: datetime) -> bool:
        """Whether it is the morning of a working day."""
        local = moment.astimezone(self.zone)
        return WEEKDAYS[local.weekday()] in self.days and DAY_MAIL_AT <= local.time() < NOON

    def after(self, moment: datetime, number: int) -> datetime:
        """The `number`-th morning that begins after this moment, in UTC; 1 is the next one."""
        for _ in range(number):
            moment = opening_from(self.zone, self.days, moment + timedelta(microseconds=1))
        return moment

    def count(self, moments: Sequence[datetime], now: datetime) -> int:
        """How many of these moments are on the reader's day of now."""
        today = now.astimezone(self.zone).date()
        return sum(moment.astimezone(self.zone).date() == today for moment in moments)


def find_slot(
    starts_at: datetime, now: datetime, queue: Queue, mornings: Mornings, planned_at: datetime | None = None
) -> datetime | None:
    """When a first invitation goes (service time); None: now.

    What is soon goes at once. The rest goes in the morning, a few a day, the soonest first. `planned_at`: the morning for
    which it was planned; when that has passed without it, as on a fast clock, any time of a day is right.
    """
    if starts_at - now <= SOON:
        return None
    is_open = mornings.is_open(now) or (planned_at is not None and planned_at <= now)
    ahead = queue.rank + mornings.count(queue.sent_at, now)
    days = ahead // mornings.most if is_open else queue.rank // mornings.most + 1
    if days == 0:
        return None
    return min(mornings.after(now, days), starts_at - SOON)
