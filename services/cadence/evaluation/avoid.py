"""Times to avoid: the pause of an account, and the blackouts of the policy."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from schemas.zones import TimeZone, span_of_days
from services.cadence.account import DAY, Facts, Fields, Plain, day_of, day_text, micros, when
from services.cadence.account.stamps import EPOCH_ORDINAL
from services.cadence.policy import Blackout, Policy

HORIZON_DAYS = 426
"""Fourteen months: the plan lists blackouts that begin within them."""
_LATEST_CLOCKS_DAYS = 1
"""A day that is over in UTC goes on for up to twelve hours elsewhere: until then the plan lists its blackout."""


class Avoidance(NamedTuple):
    """From `start` until `end` (None: open), in microseconds. No `touchpoint_types`: everything a customer receives.

    `days`: of a blackout its first and its last day, since 1970; they begin and end by the clocks of the account, and
    `start` and `end` are those of the days in UTC.
    """

    name: str
    start: int
    end: int | None
    touchpoint_types: tuple[str, ...]
    text: str
    days: tuple[int, int] | None = None

    def span(self, clocks: tuple[TimeZone, ...]) -> tuple[int, int | None]:
        """From when until when it is, where the account has these clocks."""
        if self.days is None:
            return self.start, self.end
        start, end = span_of_days(day_of(self.days[0]), day_of(self.days[1]), clocks)
        return micros(start), micros(end)


class BlackoutWindows(NamedTuple):
    """`all`: past ones too, in order of time; `ahead`: running or still to come, as the plan lists them.

    `ends`, `listings`: when one is over everywhere, and when the plan begins to list one, in microseconds.
    """

    all: tuple[Avoidance, ...] = ()
    ahead: tuple[Avoidance, ...] = ()
    ends: tuple[int, ...] = ()
    listings: tuple[int, ...] = ()


_NO_BLACKOUTS = BlackoutWindows()


def pause_of(facts: Facts, now: int) -> Avoidance | None:
    """The pause of the account at `now`, if there is one."""
    stamped = facts.pauses.get("")
    if not stamped:
        return None
    since, fields = 0, Fields()
    for stamp, stated in stamped.items():
        fields.update(stated)
        if "paused" in stated:
            since = when(stamp)
    until = fields.get("until")
    if fields.get("paused") is not True or (isinstance(until, int) and until <= now):
        return None
    end = until if isinstance(until, int) else None
    return Avoidance("pause", since, end, (), _pause_text(fields.get("reason"), end))


def _pause_text(reason: Plain, end: int | None) -> str:
    until = "until further notice" if end is None else f"until {day_text(end // DAY)}"
    return f"Outreach is paused {until}" + (f": {reason}" if reason else ".")


def blackouts_of(policy: Policy, fired: int, now: int) -> BlackoutWindows:
    """The windows of the blackouts whose bit is in `fired`. Cached by day: many accounts share them."""
    if not policy.blackouts:
        return _NO_BLACKOUTS
    active = tuple(blackout for bit, blackout in policy.blackouts if fired >> bit & 1)
    return _windows(active, now // DAY) if active else _NO_BLACKOUTS


@lru_cache(maxsize=512)
def _windows(blackouts: tuple[Blackout, ...], today: int) -> BlackoutWindows:
    windows: list[Avoidance] = []
    ends: set[int] = set()
    listings: set[int] = set()
    year = date.fromordinal(today + EPOCH_ORDINAL).year
    for blackout in blackouts:
        for start, end in _spans(blackout, year):
            ends.add(end + _LATEST_CLOCKS_DAYS)
            listings.add(start - HORIZON_DAYS + 1)
            kinds = blackout.touchpoints
            windows.append(
                Avoidance(
                    blackout.rule, start * DAY, end * DAY, kinds, blackout.because, days=(start, end - 1)
                )
            )
    windows.sort(key=lambda window: (window.start, window.name))
    ahead = tuple(
        window
        for window in windows
        if (window.end or 0) > (today - _LATEST_CLOCKS_DAYS) * DAY
        and window.start < (today + HORIZON_DAYS) * DAY
    )
    return BlackoutWindows(tuple(windows), ahead, _after(today, ends), _after(today, listings))


def _after(today: int, days: set[int]) -> tuple[int, ...]:
    return tuple(day * DAY for day in sorted(days) if day > today)


def _spans(blackout: Blackout, year: int) -> Iterator[tuple[int, int]]:
    """Days since 1970: the first day of each window around that year, and the day after its last."""
    first, last = blackout.first, blackout.last
    if isinstance(first, date) and isinstance(last, date):
        yield first.toordinal() - EPOCH_ORDINAL, last.toordinal() - EPOCH_ORDINAL + 1
    elif not isinstance(first, date) and not isinstance(last, date):
        for first_year in range(year - 2, year + 3):
            end_year = first_year + (last < first)
            yield _day(first_year, *first), _day(end_year, *last) + 1


def _day(year: int, month: int, day: int) -> int:
    # 29 February stands for the end of February.
    return date(year, month, min(day, monthrange(year, month)[1])).toordinal() - EPOCH_ORDINAL
