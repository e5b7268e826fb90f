"""What people read in place of names, numbers and instants. Every instant is held against service now."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final, cast

import orjson

_ACRONYMS: Final = {"arr": "ARR", "csm": "CSM", "nps": "NPS", "id": "id", "csat": "CSAT", "sms": "SMS"}
_CHANNELS: Final = {"in_app": "in the app", "sms": "SMS", "slack": "Slack"}
_KINDS_OF_OWNERS: Final = {"csm": "CSM", "pooled_csm": "CSM pool"}
_NAMED: Final = {1: "every day", 365: "every year"}
_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
# (seconds in it, its name, from how many seconds on it is used)
_UNITS: Final = (
    (365 * _DAY, "year", 350 * _DAY),
    (30.4 * _DAY, "month", 60 * _DAY),
    (_DAY, "day", 23.5 * _HOUR),
    (_HOUR, "hour", 59 * _MINUTE),
    (_MINUTE, "minute", 45),
)


def title(name: str) -> str:
    """`business_review` -> `Business review`."""
    words = [_ACRONYMS.get(word, word) for word in name.replace("-", "_").split("_") if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def count(number: int, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def span(length: timedelta) -> str:
    """A length in its largest unit, rounded: `3 days`; what is below a minute is `moments`."""
    seconds = abs(length.total_seconds())
    for size, noun, least in _UNITS:
        if seconds >= least:
            return count(max(1, round(seconds / size)), noun)
    return "moments"


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 days`, `2 hours ago`, `just now`."""
    distance = moment - now
    if abs(distance) < timedelta(seconds=45):
        return "now" if distance > timedelta() else "just now"
    length = span(distance)
    return f"in {length}" if distance > timedelta() else f"{length} ago"


def day(when: date, today: date) -> str:
    """`Today`, `Tomorrow`, `Mon 30 Nov`, and the year when it is another one."""
    if when == today:
        return "Today"
    if when == today + timedelta(days=1):
        return "Tomorrow"
    return f"{when:%a} {when.day} {when:%b}" + ("" if when.year == today.year else f" {when.year}")


def clock(moment: datetime) -> str:
    """The time of day, in UTC."""
    return f"{moment:%H:%M}"


def stamp(moment: datetime, now: datetime) -> str:
    """`today 09:00 UTC`, `Mon 30 Nov, 09:00 UTC`."""
    name = day(moment.date(), now.date())
    if name in ("Today", "Tomorrow"):
        return f"{name.lower()} {clock(moment)} UTC"
    return f"{name}, {clock(moment)} UTC"


def when(moment: datetime, now: datetime) -> str:
    """An instant and how far off it is."""
    return f"{stamp(moment, now)} ({relative(moment, now)})"


def rate(seconds: float) -> str:
    """How fast the service clock runs."""
    if seconds == 1:
        return "in real time"
    for size, noun in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            amount = seconds / size
            return f"{amount:,.4g} {noun}{'' if amount == 1 else 's'} each second"
    return f"{seconds:,.4g} times real time"


def every(days: int) -> str:
    """The interval of a rhythm."""
    if days in _NAMED:
        return _NAMED[days]
    if days % 7 == 0 and days <= 28:
        return "every week" if days == 7 else f"every {days // 7} weeks"
    return f"every {days} days"


def owner(kind: str, csm_id: str | None) -> str:
    """Who does it: a person when one is named."""
    if kind == "csm":
        return csm_id or "a CSM (nobody is named)"
    if kind == "pooled_csm":
        return f"{csm_id} (pool)" if csm_id else "the CSM pool"
    return kind.replace("_", " ")


def channel(name: str) -> str:
    return _CHANNELS.get(name, name.replace("_", " "))


def how(channel_name: str, owner_kind: str, csm_id: str | None, *, anybody: bool = False) -> str:
    """`Call · csm-joe`. `anybody`: of a rule, which names a kind of owner and nobody in person."""
    text = channel(channel_name)
    by = _KINDS_OF_OWNERS.get(owner_kind) if anybody else None
    return f"{text[:1].upper()}{text[1:]} · {by or owner(owner_kind, csm_id)}"


def value(found: object) -> str:
    """The value of a fact."""
    match found:
        case None:
            return "not known"
        case bool():
            return "yes" if found else "no"
        case int():
            return f"{found:,}"
        case float():
            return f"{found:,.0f}" if found.is_integer() else f"{found:,.4g}"
        case str():
            return found or "(empty)"
        case list():
            return ", ".join(value(each) for each in cast("list[object]", found)) or "none"
        case _:
            return orjson.dumps(found).decode()


def listing(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
