"""Why a touchpoint moved or was cancelled, in the reader's language.

The calendar writes its notes in English, for readers of its API. Those that people get in mail are translated as a
whole; a note that is none of these, such as what a person wrote, stays as it is.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from services.notifier.application.phrases import Phrases
from services.notifier.application.reason_text import translate_reason

_KIND: Final = re.compile(
    r"\A(withdrawn|expired|suppressed|cancelled|levelled|late|moved( (before|after) (?!its window)[^:;]+)?): "
)
"""The kind of a change, with which the scheduler begins its note; a period is named by what its sentence says."""
_FIELD: Final = re.compile(r"\{(\w+)\}")
_INSTANT: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})")
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_NUMBERS: Final = frozenset({"days", "most", "minutes", "available", "left"})
_WEEKS: Final = frozenset({"former", "chosen"})
_FORMS: Final = {
    "period": "[^:;]+",
    "moment": _INSTANT.pattern,
    "day": _DAY,
    "first_day": _DAY,
    "last_day": _DAY,
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
    if name in _NUMBERS:
        return phrases.formatter.number(float(text.replace(",", "")))
    if name in _WEEKS:
        return _week(text, phrases)
    match name:
        case "moment":
            return _moment(text, phrases)
        case "day" | "first_day" | "last_day":
            return phrases.date(date.fromisoformat(text))
        case "type":
            return phrases.touchpoint_type(text.replace(" ", "_"))
        case "reason":
            return translate_note(text, phrases).removesuffix(".")
        case "reasons":
            return ", ".join(translate_note(one, phrases) for one in text.split(", "))
        case _:
            return text


def _week(text: str, phrases: Phrases) -> str:
    found = _WEEK.fullmatch(text)
    return phrases.text("owner", "week", week=str(int(found[2])), year=found[1]) if found else text


def _moment(text: str, phrases: Phrases) -> str:
    try:
        return phrases.moment(datetime.fromisoformat(text))
    except ValueError:
        return text


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
