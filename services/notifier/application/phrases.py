"""The words around messages and on the customer's page, in the reader's language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Final, cast

from services.cadence.content.format import Formatter, locale_of
from services.cadence.content.names import fallback_languages
from services.notifier.domain.event import readable_name
from services.notifier.domain.message import sentence_case

Words = Mapping[str, Mapping[str, str | Mapping[str, str]]]
"""Section -> key -> text, or the texts of plural categories."""

_MOST_HEADER: Final = 1_000
_MONTHS: Final = {61: 2, 91: 3, 92: 3, 182: 6, 183: 6}
"""Intervals that are not whole multiples of 30 days and yet months."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language. `language` is the tag that has them; `zone`: the reader's time zone."""

    language: str
    words: Words
    zone: tzinfo = UTC

    @property
    def formatter(self) -> Formatter:
        return Formatter(locale_of(self.language), self.zone)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the attribute `dir` of HTML."""
        return str(locale_of(self.language).text_direction)

    def text(self, section: str, key: str, **values: str) -> str:
        """A text with its words in braces filled in."""
        return _fill(cast("str", self.words[section][key]), values)

    def plural(self, section: str, key: str, number: float, **values: str) -> str:
        """The text of the number's plural category, filled in, with the number in place of `#`."""
        texts = cast("Mapping[str, str]", self.words[section][key])
        if number == 1 and "single" in texts:
            return _fill(texts["single"], values)
        return _fill(self.formatter.plural(number, texts), values)

    def topic(self, topic: str) -> str:
        return self._name("topics", topic)

    def channel(self, channel: str) -> str:
        return self._name("channels", channel)

    def touchpoint_type(self, touchpoint_type: str) -> str:
        """The name of a type; one that only the policy knows is named as there."""
        return sentence_case(self._name("types", touchpoint_type))

    def date(self, value: date) -> str:
        return self.formatter.text(value)

    def moment(self, value: datetime) -> str:
        return self.formatter.moment(value)

    def interval(self, days: int) -> str:
        """An interval in days in words: `every 2 weeks`. 30, 91 and 365 days are a month, a quarter and a year."""
        if days in _MONTHS:
            return self.plural("every", "month", _MONTHS[days])
        for unit, length in (("year", 365), ("month", 30), ("week", 7)):
            if days % length == 0:
                return self.plural("every", unit, days // length)
        return self.plural("every", "day", days)

    def _name(self, section: str, key: str) -> str:
        text = self.words[section].get(key)
        return text if isinstance(text, str) else readable_name(key)


def preferred_language(header: str | None, known: Collection[str]) -> str | None:
    """The language of `Accept-Language` (RFC 9110 section 12.5.4) that the reader likes best and that is known."""
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate((header or "")[:_MOST_HEADER].split(",")):
        tag, _, weight = (text.strip() for text in part.partition(";"))
        if (quality := _quality(weight)) > 0 and any(one in known for one in _own_tags(tag)):
            liked.append((-quality, place, tag))
    return min(liked, default=(0.0, 0, None))[2]


def _own_tags(tag: str) -> Sequence[str]:
    """The tag and its prefixes: `pt-BR`, `pt`."""
    parts = tag.lower().split("-")
    return ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _quality(weight: str) -> float:
    """Of `q=0.8`; 1 without one, 0 for what is none."""
    try:
        return float(weight.removeprefix("q=")) if weight else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class PhraseBook:
    """The words of every language there is, by its tag; English is among them."""

    languages: Mapping[str, Words]

    def phrases(self, language: str | None, zone: tzinfo = UTC) -> Phrases:
        """The words of the closest language."""
        tag = next(tag for tag in fallback_languages(language) if tag in self.languages)
        return Phrases(tag, self.languages[tag], zone)


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
