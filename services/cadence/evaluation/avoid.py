"""What is avoided: the pause of an account, and seasons in which the policy wants nothing of some types held."""

from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from services.cadence.account import DAY, Facts, Fields, Plain, day_text, when
from services.cadence.account.stamps import EPOCH_ORDINAL
from services.cadence.policy import Blackout, Policy

HORIZON = 426
"""Days, fourteen months: the plan tells of seasons that begin within them."""


class Avoided(NamedTuple):
    """From `start` until `end` (None: open), in microseconds. No `types`: all that a customer hears of."""

    name: str
    start: int
    end: int | None
    types: tuple[str, ...]
    text: str


class Seasons(NamedTuple):
    """All that may touch a one-off, those that are over included, in order of time; `told`: those ahead or running."""

    known: tuple[Avoided, ...] = ()
    told: tuple[Avoided, ...] = ()
    turns: tuple[int, ...] = ()


_NO_SEASONS = Seasons()


def pause_of(facts: Facts, now: int) -> Avoided | None:
    """The pause of the account, if there is one now."""
    held = facts.pauses.get("")
    if not held:
        return None
    since, fields = 0, Fields()
    for stamp, said in held.items():
        fields.update(said)
        if "paused" in said:
            since = when(stamp)
    until = fields.get("until")
    if fields.get("paused") is not True or (isinstance(until, int) and until <= now):
        return None
    return Avoided("pause", since, until if isinstance(until, int) else None, (), _paused(fields, until))


def _paused(fields: Fields, until: Plain) -> str:
    ends = f"until {day_text(until // DAY)}" if isinstance(until, int) else "until further notice"
    reason = fields.get("reason")
    return f"Outreach is paused {ends}" + (f": {reason}" if reason else ".")


def seasons_of(policy: Policy, fired: int, now: int) -> Seasons:
    """The seasons of the blackouts whose conditions hold. Remembered by day, for many accounts share them."""
    if not policy.blackouts:
        return _NO_SEASONS
    holding = tuple(each for bit, each in policy.blackouts if fired >> bit & 1)
    return _seasons(holding, now // DAY) if holding else _NO_SEASONS


@lru_cache(maxsize=512)
def _seasons(blackouts: tuple[Blackout, ...], today: int) -> Seasons:
    found: list[Avoided] = []
    turns: set[int] = set()
    year = date.fromordinal(today + EPOCH_ORDINAL).year
    for each in blackouts:
        for first in range(year - 2, year + 3):
            start, end = _days(each, first)
            turns |= {end, start - HORIZON + 1}
            found.append(Avoided(each.rule, start * DAY, end * DAY, each.touchpoints, each.because))
    found.sort(key=lambda season: (season.start, season.name))
    return Seasons(
        tuple(found),
        tuple(
            each
            for each in found
            if each.end is not None and each.end > today * DAY and each.start < (today + HORIZON) * DAY
        ),
        tuple(day * DAY for day in sorted(turns) if day > today),
    )


def _days(each: Blackout, year: int) -> tuple[int, int]:
    """Days since 1970: the first of the season that begins in that year, and the day after its last."""
    ends = year + (each.last < each.first)
    return _day(year, *each.first), _day(ends, *each.last) + 1


def _day(year: int, month: int, day: int) -> int:
    # 29 February stands for the end of February.
    return date(year, month, min(day, monthrange(year, month)[1])).toordinal() - EPOCH_ORDINAL


def told_of(pause: Avoided | None, seasons: Seasons) -> tuple[Avoided, ...]:
    """What the plan tells to avoid, in order of time."""
    return seasons.told if pause is None else (pause, *seasons.told)


def keyed(avoided: tuple[Avoided, ...]) -> list[tuple[str, int, int | None, tuple[str, ...]]]:
    """What has an effect; the wording has none."""
    return [(each.name, each.start, each.end, each.types) for each in avoided]
