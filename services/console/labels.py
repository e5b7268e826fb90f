"""The text shown for names, numbers, owners and instants."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, cast

import orjson

from schemas.recurrence_text import interval_text

_ACRONYMS: Final = {"arr": "ARR", "csm": "CSM", "nps": "NPS", "id": "id", "csat": "CSAT", "sms": "SMS"}
_CHANNELS: Final = {"in_app": "in-app", "sms": "SMS", "slack": "Slack", "calendar": "invitation"}
_ISO_DATE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
# (length in seconds, name, shortest span in seconds that is given in it)
_UNITS: Final = (
    (365 * _DAY, "year", 350 * _DAY),
    (30.4 * _DAY, "month", 60 * _DAY),
    (_DAY, "day", 23.5 * _HOUR),
    (_HOUR, "hour", 59 * _MINUTE),
    (_MINUTE, "minute", 45),
)


def title(name: str) -> str:
    """`business_review` -> `Business review`."""
    return capitalized(
        " ".join(_ACRONYMS.get(word, word) for word in name.replace("-", "_").split("_") if word)
    )


def capitalized(sentence: str) -> str:
    """The sentence with a capital first letter; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def count(number: int, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def span(length: timedelta) -> str:
    """A length in its largest unit, rounded: `3 days`; below 45 seconds `moments`."""
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
    return f"in {span(distance)}" if distance > timedelta() else f"{span(distance)} ago"


def day(when: date, today: date) -> str:
    """`today`, `tomorrow`, `Mon 30 Nov`, and the year when it is not the current one."""
    if when == today:
        return "today"
    if when == today + timedelta(days=1):
        return "tomorrow"
    return f"{when:%a} {when.day} {when:%b}" + ("" if when.year == today.year else f" {when.year}")


def with_dates(sentence: str) -> str:
    """A sentence of a service with its dates as people write them: `2026-12-01` -> `1 Dec 2026`."""

    def written(found: re.Match[str]) -> str:
        try:
            on = date.fromisoformat(found[0])
        except ValueError:
            return found[0]
        return f"{on.day} {on:%b} {on.year}"

    return _ISO_DATE.sub(written, sentence)


def stamp(moment: datetime, now: datetime) -> str:
    """`today 09:00 UTC`, `Mon 30 Nov, 10:00 CET`: in the zone of `now`."""
    local = moment.astimezone(now.tzinfo)
    name = day(local.date(), now.date())
    return f"{name}{'' if name in ('today', 'tomorrow') else ','} {local:%H:%M} {zone_name(local)}"


def clock_time(moment: datetime, now: datetime) -> str:
    """`10:00`, in the zone of `now`."""
    return f"{moment.astimezone(now.tzinfo):%H:%M}"


def short_stamp(moment: datetime, now: datetime) -> str:
    """`Mon 30 Nov, 10:00 CET`, in the zone of `now`."""
    local = moment.astimezone(now.tzinfo)
    return f"{local:%a} {local.day} {local:%b, %H:%M} {zone_name(local)}"


def zone_name(moment: datetime) -> str:
    """`CET`; `GMT-03` where a zone has no letters."""
    name = moment.strftime("%Z")
    return f"GMT{name}" if name[:1] in ("+", "-") else name


def in_utc(moment: datetime) -> str:
    """`2026-11-30 09:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def when(moment: datetime | None, now: datetime) -> str:
    """An instant and its distance from `now`; empty for None."""
    return "" if moment is None else f"{stamp(moment, now)} ({relative(moment, now)})"


def rate(seconds: float) -> str:
    """The speed of the service clock, which is `seconds` of service time in a second."""
    if seconds == 1:
        return "real time"
    for size, noun in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            amount = seconds / size
            return f"{amount:,.4g} {noun}{'' if amount == 1 else 's'} per second"
    return f"{seconds:,.4g} times real time"


def interval(days: int, rrule: str | None = None) -> str:
    """`every day`, `every 2 weeks`, `every 90 days`, `every year`; by a recurrence rule `every Wednesday`."""
    if rrule is not None:
        return interval_text(days, rrule)
    match days:
        case 1 | 7 | 365:
            return {1: "every day", 7: "every week", 365: "every year"}[days]
        case 14 | 21 | 28:
            return f"every {days // 7} weeks"
        case _:
            return f"every {days} days"


def owner(kind: str, csm_id: str | None) -> str:
    """Who carries a touchpoint: the person, `unassigned`, or the kind of owner that is no person."""
    match kind:
        case "csm":
            return csm_id or "unassigned"
        case "pooled_csm":
            return f"{csm_id} (pool)" if csm_id else "CSM pool"
        case _:
            return kind.replace("_", " ")


def owner_kind(kind: str) -> str:
    """The kind of owner that a rule names: `CSM`, `CSM pool`, `marketing`."""
    return "CSM" if kind == "csm" else owner(kind, None)


def channel(name: str) -> str:
    return _CHANNELS.get(name, name.replace("_", " "))


def channel_and_owner(channel_name: str, owner_text: str) -> str:
    """`Call · csm-joe`."""
    return capitalized(joined(channel(channel_name), owner_text))


def value(fact: object) -> str:
    """The value of a fact."""
    match fact:
        case None:
            return "unknown"
        case bool():
            return "yes" if fact else "no"
        case int():
            return f"{fact:,}"
        case float():
            return f"{fact:,.0f}" if fact.is_integer() else f"{fact:,.4g}"
        case str():
            return fact or "(empty)"
        case list():
            return ", ".join(map(value, cast("list[object]", fact))) or "none"
        case _:
            return orjson.dumps(fact).decode()


def joined(*parts: str) -> str:
    """The parts that have text, separated by middle dots."""
    return " · ".join(filter(None, parts))


def listing(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
