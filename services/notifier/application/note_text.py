"""Why a touchpoint moved or was cancelled, in the reader's language.

The calendar writes its notes in English, for readers of its API. Those that people get in mail are translated as a
whole; a note that is none of these, such as what a person wrote, stays as it is.
"""

import re
from calendar import isleap
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from schemas.recurrence_text import MONTH_NAMES, WEEKDAY_NAMES
from services.notifier.application.phrases import Phrases
from services.notifier.application.reason_text import translate_reason

_KIND: Final = re.compile(
    r"\A(withdrawn|expired|suppressed|cancelled|levelled|late|moved( (before|after) (?!its window)[^:;]+)?): "
)
"""The kind of a change, with which the scheduler begins its note; a period is named by what its sentence says."""
_REASONS: Final = re.compile(r", (?![^(]*\))")
"""What is between two reasons; one may have a list of its own in parentheses."""
_SEPARATOR: Final = re.compile(", | and ")
_FIELD: Final = re.compile(r"\{(\w+)\}")
_INSTANT: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})")
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_WEEKDAY: Final = f"(?:{'|'.join(WEEKDAY_NAMES)})"
_NUMBERS: Final = frozenset({"days", "most", "minutes", "available", "left", "count"})
_WEEKS: Final = frozenset({"former", "chosen"})
_FORMS: Final = {
    "period": "[^:;]+",
    "moment": _INSTANT.pattern,
    "day": _DAY,
    "first_day": _DAY,
    "last_day": _DAY,
    "closed_day": rf"{_WEEKDAY} \d{{1,2}} (?:{'|'.join(MONTH_NAMES)})",
    "weekdays": rf"{_WEEKDAY}(?:, {_WEEKDAY})*(?: and {_WEEKDAY})?",
    "dates": "(?:the [^:;]+|[^:;]*[0-9][^:;]*)",
}
"""What the values of some fields look like; others are any text."""


def translate_note(note: str, phrases: Phrases) -> str:
    """The note of a change without its kind, in the language of `phrases`."""
    text = _KIND.sub("", note.strip())
    for pattern, translation in _notes(tuple(phrases.words.get("notes", {}).items())):
        if found := pattern.fullmatch(text):
            return _fill(translation, found.groupdict(), phrases)
    return translate_reason(_INSTANT.sub(lambda instant: _moment(instant[0], phrases), text), phrases)


def translate_why(text: str, phrases: Phrases) -> str:
    """The reason of a touchpoint in the language of `phrases`, with what the calendar says of its day."""
    return translate_reason(text, phrases, translate_note)


def _fill(translation: str, values: Mapping[str, str], phrases: Phrases) -> str:
    return _FIELD.sub(lambda field: _value(field[1], values[field[1]], phrases), translation)


def _value(name: str, text: str, phrases: Phrases) -> str:
    """The value of a field as the reader reads it; that of most fields as it is."""
    known = _VALUES.get(name)
    return known(text, phrases) if known else text


def _number(text: str, phrases: Phrases) -> str:
    return phrases.formatter.number(float(text.replace(",", "")))


def _date(text: str, phrases: Phrases) -> str:
    return phrases.date(date.fromisoformat(text))


def _type(text: str, phrases: Phrases) -> str:
    return phrases.touchpoint_type(text.replace(" ", "_"))


def _reason(text: str, phrases: Phrases) -> str:
    return translate_note(text, phrases).removesuffix(".")


def _reasons(text: str, phrases: Phrases) -> str:
    return ", ".join(translate_note(one, phrases) for one in _REASONS.split(text))


def _weekdays(text: str, phrases: Phrases) -> str:
    numbers = [WEEKDAY_NAMES.index(name) for name in _SEPARATOR.split(text)]
    return phrases.formatter.enumeration([phrases.formatter.weekday(number) for number in numbers])


def _day_of_year(text: str, phrases: Phrases) -> str:
    return phrases.formatter.weekday_of_year(_closed_day(text))


def _closed_day(text: str) -> date:
    """Of a weekday, a day and a month: one that is this weekday, in whatever year."""
    weekday, day, month = text.split()
    number, month_number = WEEKDAY_NAMES.index(weekday), MONTH_NAMES.index(month) + 1
    years = range(2000, 2028)  # every day is every weekday in one of these (the calendar repeats after them)
    days = (
        date(year, month_number, int(day))
        for year in years
        if int(day) < 29 or isleap(year) or month_number != 2
    )
    return next(each for each in days if each.weekday() == number)


def _week(text: str, phrases: Phrases) -> str:
    found = _WEEK.fullmatch(text)
    return phrases.text("owner", "week", week=str(int(found[2])), year=found[1]) if found else text


def _moment(text: str, phrases: Phrases) -> str:
    try:
        return phrases.moment(datetime.fromisoformat(text))
    except ValueError:
        return text


_VALUES: Final[Mapping[str, Callable[[str, Phrases], str]]] = {
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_WEEKS, _week),
    **dict.fromkeys(("day", "first_day", "last_day"), _date),
    "moment": _moment,
    "closed_day": _day_of_year,
    "weekdays": _weekdays,
    "type": _type,
    "reason": _reason,
    "reasons": _reasons,
}


@lru_cache(maxsize=16)
def _notes(known: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns with translations; those with the most words of their own come first, the widest last."""
    in_order = sorted(known, key=lambda pair: -len(_FIELD.sub("", pair[0])))
    return tuple((_pattern(note), translation) for note, translation in in_order)


def _pattern(note: str) -> re.Pattern[str]:
    parts = _FIELD.split(note)
    inside = (
        f"(?P<{part}>{_form(part)})" if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
    return re.compile("".join(inside), re.DOTALL)


def _form(name: str) -> str:
    if name in _NUMBERS:
        return r"[\d,.]+"
    return _WEEK.pattern.replace("(", "(?:") if name in _WEEKS else _FORMS.get(name, ".+?")
