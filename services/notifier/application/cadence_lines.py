"""A cadence in the words of a customer: a line for each type, through the phases of the coming year."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from schemas.notices import NoticePhase, NoticeRhythm
from schemas.touchpoints import TouchpointData
from services.cadence.content.values import Items, Value
from services.notifier.application.phrases import Phrases
from services.notifier.domain.event import Notice

MOST_WEEKS: Final = 26
"""Up to which a period from today is told in weeks; a longer one by its last day."""
DAY: Final = timedelta(days=1)


class _Span(NamedTuple):
    """A type has this interval on these days, the end excluded. `every_days` None: it does not take place."""

    every_days: int | None
    begins_on: date
    ends_on: date | None


def cadence_values(content: TouchpointData | Notice, phrases: Phrases) -> dict[str, Value | None]:
    """What a notice says of the cadence, and why; the messages of touchpoints say nothing of it."""
    if not isinstance(content, Notice):
        return {"cadence.list": None, "cadence.why": None}
    notice, lines = content, tuple(cadence_lines(content, phrases))
    return {
        "cadence.list": Items(lines) if lines else None,
        "cadence.why": phrases.text("cadence_why", notice.cause),
    }


def cadence_lines(notice: Notice, phrases: Phrases) -> Iterator[str]:
    """One line for each type of touchpoint: "Check-in: every week for the first 8 weeks, then every month"."""
    if not notice.phases:
        yield from (
            _line(each.touchpoint_type, phrases.interval(each.every_days), phrases) for each in notice.rhythms
        )
        return
    names = dict.fromkeys(each.touchpoint_type for phase in notice.phases for each in phase.rhythms)
    weeks = "first_weeks" if notice.touchpoint_type == "cadence_told" else "next_weeks"
    for name in names:
        spans = _spans(name, notice.phases)
        yield _line(name, ", ".join(_parts(spans, weeks, phrases)), phrases)


def _line(touchpoint_type: str, interval: str, phrases: Phrases) -> str:
    return phrases.text("lines", "rhythm", name=phrases.touchpoint_type(touchpoint_type), interval=interval)


def _spans(name: str, phases: Sequence[NoticePhase]) -> list[_Span]:
    """The intervals of a type through the phases; equal ones that follow each other are one."""
    spans: list[_Span] = []
    for index, phase in enumerate(phases):
        every_days = _interval(name, phase.rhythms)
        end = phases[index + 1].begins_on if index + 1 < len(phases) else None
        if spans and spans[-1].every_days == every_days:
            spans[-1] = spans[-1]._replace(ends_on=end)
        else:
            spans.append(_Span(every_days, phase.begins_on, end))
    return spans


def _interval(name: str, rhythms: Sequence[NoticeRhythm]) -> int | None:
    return next((each.every_days for each in rhythms if each.touchpoint_type == name), None)


def _parts(spans: Sequence[_Span], weeks: str, phrases: Phrases) -> Iterator[str]:
    """`weeks`: the phrase for a number of weeks from today on."""
    for index, span in enumerate(spans):
        if span.every_days is None:
            continue
        interval = phrases.interval(span.every_days)
        follows = index > 0 and spans[index - 1].every_days is not None
        if follows:
            interval = phrases.text("lines", "then", interval=interval)
        elif index > 0:
            interval = phrases.text("lines", "from", interval=interval, date=phrases.date(span.begins_on))
        if span.ends_on is not None:
            interval = _until(interval, span.begins_on, span.ends_on, None if index else weeks, phrases)
        yield interval


def _until(interval: str, begins_on: date, ends_on: date, weeks: str | None, phrases: Phrases) -> str:
    number = round((ends_on - begins_on).days / 7)
    if weeks is not None and 1 <= number <= MOST_WEEKS:
        return phrases.plural("lines", weeks, number, interval=interval)
    return phrases.text("lines", "until", interval=interval, date=phrases.date(ends_on - DAY))
