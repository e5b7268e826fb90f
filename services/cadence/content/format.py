"""Dates, numbers, shares, money, plurals and lists as a language writes them (CLDR, by Babel)."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Final, assert_never

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent

from services.cadence.content.names import DEFAULT_LANGUAGE
from services.cadence.content.values import Amount, Chart, Items, Link, Markdown, Share, Value

TERRITORIES: Final[Mapping[str, str]] = {"en": "GB", "de": "DE", "pt": "BR", "es": "ES", "id": "ID"}
"""The customs a language has when no territory is told: day before month and 24 hours for `en`."""
_DATE_JOINS: Final[Mapping[str, str]] = {
    "en": "{} at {}",
    "de": "{} um {}",
    "pt": "{} às {}",
    "id": "{} pukul {}",
}
_BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)")
_MOST = 1e15
_ISOLATE, _POP = "\u2068", "\u2069"


@lru_cache(maxsize=256)
def _full_date(locale: Locale) -> str:
    """The pattern with the weekday; its day has no leading zero where the long date of the language has none."""
    pattern = str(locale.date_formats["full"].pattern)
    return pattern if "dd" in locale.date_formats["long"].pattern else pattern.replace("dd", "d")


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """The locale of a language tag, with the territory of `TERRITORIES`, else the likely one; unknown: English."""
    for tag in (language, language.partition("-")[0], DEFAULT_LANGUAGE):
        try:
            found = Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if found.territory or found.language not in TERRITORIES:
            return found
        return Locale(found.language, TERRITORIES[found.language])
    raise AssertionError("the default language is one of CLDR")


def integer_categories(language: str) -> frozenset[str]:
    """The plural categories that whole numbers up to 999 have in a language, and `other`."""
    rule = locale_of(language).plural_form
    return frozenset({"other", *map(rule, range(1000))})


def categories(language: str) -> frozenset[str]:
    """All plural categories of a language."""
    return frozenset({"other", *locale_of(language).plural_form.rules})


def clean(text: str) -> str:
    """One line without control characters, direction marks, private characters and lone surrogates."""
    text = _BIDI_CONTROLS.sub("", text)
    spaced = (" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in text)
    kept = (each for each in spaced if unicodedata.category(each) not in {"Co", "Cs", "Cn"})
    return " ".join("".join(kept).split())


def is_known(value: Value | None) -> bool:
    """Whether there is anything to show of a value."""
    match value:
        case None:
            return False
        case str() | Markdown(text=str()):
            return bool((value if isinstance(value, str) else value.text).strip())
        case Share(ratio=number) | Amount(amount=number) | (int() | float() as number):
            return is_finite(number)
        case Items(lines=lines):
            return any(map(clean, lines))
        case Chart(bars=bars):
            return any(number is not None and is_finite(number) for _, number in bars)
        case Link(url=url):
            return bool(url.strip())
        case date():
            return True
        case _:
            assert_never(value)


def is_finite(number: float) -> bool:
    """Whether a number can be written: finite, and small enough for decimal arithmetic of 28 digits."""
    return math.isfinite(number) and abs(number) < _MOST


@dataclass(frozen=True, slots=True)
class Formatter:
    """Writes values for a reader of one language in one time zone."""

    locale: Locale
    zone: tzinfo

    def text(self, value: str | float | date | Amount | Share) -> str:
        """A value inside a sentence, on one line."""
        match value:
            case str():
                return clean(value)
            case datetime():
                return self.moment(value)
            case date():
                return format_date(value, "long", locale=self.locale)
            case Amount():
                return self.money(value)
            case Share():
                return self.share(value)
            case _:
                return self.number(value)

    def day_of_year(self, day: date) -> str:
        """A day without its year: `5 Oct`."""
        return str(format_skeleton("MMMd", day, locale=self.locale))

    def weekday_of_year(self, day: date) -> str:
        """A day with its weekday and without its year: `Monday, 5 October`."""
        return f"{self.weekday(day.weekday())}, {format_skeleton('MMMMd', day, locale=self.locale)}"

    def weekday(self, number: int) -> str:
        """The name of a weekday inside a sentence; 0 is Monday."""
        return str(self.locale.days["format"]["wide"][number])

    def month(self, day: date) -> str:
        """The month of a day with its year: `October 2026`."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    def number(self, number: float) -> str:
        """Whole from 10 up, else with at most one decimal."""
        return format_decimal(shown(number), locale=self.locale)

    def share(self, share: Share) -> str:
        """Percent; with one decimal below 10 %."""
        ratio = round(share.ratio, 3 if abs(share.ratio) < 0.1 else 2)
        percent = format_percent(ratio + 0.0, locale=self.locale, decimal_quantization=False)
        return f"+{percent}" if share.signed and ratio > 0 else percent

    def money(self, amount: Amount) -> str:
        """Without the decimals of a whole amount."""
        is_whole = amount.amount == int(amount.amount)
        pattern = self.locale.currency_formats["standard"].pattern
        if is_whole:
            pattern = re.sub(r"0\.0+", "0", pattern)
        return format_currency(
            amount.amount, amount.currency, pattern, locale=self.locale, currency_digits=not is_whole
        )

    def moment(self, moment: datetime) -> str:
        """Weekday, date, time and zone, in the reader's zone."""
        local = moment.astimezone(self.zone) if moment.tzinfo else moment.replace(tzinfo=self.zone)
        day = format_date(local, _full_date(self.locale), locale=self.locale)
        join = _DATE_JOINS.get(self.locale.language, "{}, {}")
        return join.format(day, self.time(local))

    def time(self, moment: datetime) -> str:
        """Time and zone of a moment that has the reader's zone."""
        return f"{format_time(moment, 'short', locale=self.locale)} {self.zone_name(moment)}"

    def zone_name(self, moment: datetime) -> str:
        """The short name where the language has one (`CET`), else the offset from GMT (`GMT+5:30`)."""
        name = get_timezone_name(moment, "short", locale=self.locale)
        offset = _OFFSET.fullmatch(name)
        if not offset:
            return name
        minutes = "" if offset["minutes"] == "00" else f":{offset['minutes']}"
        return f"GMT{offset['sign']}{int(offset['hours'])}{minutes}"

    def enumeration(self, lines: Sequence[str]) -> str:
        """`a, b and c`."""
        return format_list([clean(line) for line in lines if clean(line)], locale=self.locale)

    def plural(self, number: float, texts: Mapping[str, str]) -> str:
        """The text of the number's plural category, else that of `other`, with the number in place of `#`.

        Of texts for numbers from `7+` on, that of the greatest of them the number reaches, else the first.
        """
        steps = sorted(int(key[:-1]) for key in texts if key.endswith("+"))
        if steps:
            chosen = max((step for step in steps if step <= number), default=steps[0])
            return texts[f"{chosen}+"].replace("#", self.number(number))
        category = self.locale.plural_form(shown(number))
        return texts.get(category, texts.get("other", "#")).replace("#", self.number(number))

    def isolates(self, text: str) -> bool:
        """Whether a text has letters that run against the direction of the language."""
        against = {"L"} if self.locale.text_direction == "rtl" else {"R", "AL"}
        return any(unicodedata.bidirectional(each) in against for each in text)

    def isolated(self, text: str) -> str:
        """In a line of text: between the marks that keep it from turning its neighbours around (UAX 9)."""
        return f"{_ISOLATE}{text}{_POP}" if self.isolates(text) else text


def shown(number: float) -> int | float:
    """A number as it is shown: whole from 10 up, else rounded to one decimal."""
    rounded = round(number, 0 if abs(number) >= 10 else 1)
    return int(rounded) if rounded == int(rounded) else rounded
