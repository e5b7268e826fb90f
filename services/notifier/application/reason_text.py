"""Why a touchpoint takes place, in the reader's language.

A policy gives its reasons in one language. The shipped ones, and the sentences that the services add to them, are
translated by the sentence itself, so that a rule with a sentence of its own is never given the words of another.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from services.cadence.content.values import Share
from services.notifier.application.phrases import Phrases

_FIELD: Final = re.compile(r"\{(\w+)\}")
_DATE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER: Final = re.compile(r"-?\d{1,3}(,\d{3})*(\.\d)?|-?\d+(\.\d)?")
_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})")
_FORMS: Final = {"weeks": r"(?:weeks? )?\d{4}-W\d{2}(?: to \d{4}-W\d{2})?", "shift": ".+"}
"""What the values of some fields look like; others are any text. A `shift` has sentences of its own and comes last."""
_PERCENT: Final = re.compile(r"(-?\d+) %")


Translate = Callable[[str, Phrases], str]


class Sentence(NamedTuple):
    """A sentence that a reason may have. `start`: what stands before its first field."""

    start: str
    text: str
    translation: str


def translate_reason(text: str, phrases: Phrases, translate_shift: Translate | None = None) -> str:
    """The text in the language of `phrases`; a text with a sentence without translation stays as it was written.

    Dates are written as the language does either way. `translate_shift`: of why something is on its day; without it such
    a reason stays as the calendar writes it.
    """
    known = phrases.words.get("reasons", {})
    sentences = _sentences(tuple((key, value) for key, value in known.items() if isinstance(value, str)))
    translated = _translate(text.strip(), sentences, phrases, translate_shift or _with_dates)
    return " ".join(translated) if translated else _with_dates(text, phrases)


def _translate(
    text: str, sentences: Sequence[Sentence], phrases: Phrases, translate_shift: Translate
) -> list[str] | None:
    """The translations of the sentences of a text one after the other; None: one of them has none."""
    if not text:
        return []
    for found, translation in _beginnings(text, sentences):
        rest = _translate(text[found.end() :], sentences, phrases, translate_shift)
        if rest is not None:
            values = found.groupdict()
            if "shift" in values:
                values["shift"] = translate_shift(values["shift"], phrases)
            return [_FIELD.sub(lambda field: _value(field[1], values, phrases), translation), *rest]  # noqa: B023
    return None


def _beginnings(text: str, sentences: Sequence[Sentence]) -> Iterator[tuple[re.Match[str], str]]:
    for start, sentence, translation in sentences:
        if text.startswith(start) and (found := _pattern(sentence).match(text)):
            yield found, translation


@lru_cache(maxsize=16)
def _sentences(known: tuple[tuple[str, str], ...]) -> tuple[Sentence, ...]:
    """The longest first, so that none is taken for the beginning of another."""
    in_order = sorted(known, key=lambda pair: -len(pair[0]))
    return tuple(Sentence(text.partition("{")[0], text, translation) for text, translation in in_order)


@lru_cache(maxsize=1024)
def _pattern(sentence: str) -> re.Pattern[str]:
    """Finds the sentence at the start of a text, with the values of its fields."""
    parts = _FIELD.split(sentence)
    inside = (
        f"(?P<{part}>{_FORMS.get(part, '.+?')})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.compile(f"{''.join(inside)}(?: |\\Z)")


def _value(name: str, values: Mapping[str, str], phrases: Phrases) -> str:
    """A value as the rules engine writes it in English, in the language."""
    text = values[name]
    match name:
        case "channel":
            return phrases.channel(text.replace(" ", "_"))
        case "types":
            types = [phrases.touchpoint_type(one.replace(" ", "_")) for one in text.split(" and ")]
            return phrases.formatter.enumeration(types)
        case "weeks":
            return _weeks(text, phrases)
        case "shift":
            return text
        case _:
            return _fact(text, phrases)


def _weeks(text: str, phrases: Phrases) -> str:
    """`weeks 2026-W14 to 2026-W16`: the first and the last."""
    weeks = [
        phrases.text("owner", "week", week=str(int(week)), year=year) for year, week in _WEEK.findall(text)
    ]
    return " \u2013 ".join(weeks)


def _fact(text: str, phrases: Phrases) -> str:
    formatter = phrases.formatter
    if named := phrases.words.get("reason_values", {}).get(text):
        return str(named)
    if percent := _PERCENT.fullmatch(text):
        return formatter.share(Share(int(percent[1]) / 100))
    if _NUMBER.fullmatch(text):
        return formatter.number(float(text.replace(",", "")))
    return _with_dates(text, phrases)


def _with_dates(text: str, phrases: Phrases) -> str:
    def written(found: re.Match[str]) -> str:
        try:
            return phrases.date(date.fromisoformat(found[0]))
        except ValueError:
            return found[0]

    return _DATE.sub(written, text)
