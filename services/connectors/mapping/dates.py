"""How other systems write dates: milliseconds, seconds, ISO 8601, or a text by a pattern such as `DD.MM.YYYY HH:mm`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from schemas.problems import excerpt
from schemas.zones import find_zone

MILLISECONDS, SECONDS, ISO = "milliseconds", "seconds", "iso"
FORMS: Final = (ISO, MILLISECONDS, SECONDS)
_BORDER: Final = 100_000_000_000
"""Numbers from here on are milliseconds (1973), those below it seconds (before the year 5138)."""
_NUMBER: Final = re.compile(r"-?\d{1,16}", re.ASCII)
_ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[Tt ](?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,12}))?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TOKENS: Final[Mapping[str, str]] = {
    "YYYY": r"(?P<Y>\d{4})", "MMM": r"(?P<B>[A-Za-z]{3,9})", "MM": r"(?P<M>\d\d)", "DD": r"(?P<D>\d\d)",
    "HH": r"(?P<H>\d\d)", "mm": r"(?P<m>\d\d)", "ss": r"(?P<s>\d\d)", "M": r"(?P<M>\d\d?)", "D": r"(?P<D>\d\d?)",
}  # fmt: skip
_TOKEN: Final = re.compile("|".join(_TOKENS))


class PatternRefused(ValueError):
    """A form that is neither a name nor a pattern; the message says what is missing."""


def check_form(form: str) -> None:
    """Raises PatternRefused."""
    if form not in FORMS:
        _pattern(form)


@lru_cache(maxsize=256)
def _pattern(form: str) -> re.Pattern[str]:
    found = _TOKEN.findall(form)
    if not {"YYYY"} <= set(found) or not {"MM", "M", "MMM"} & set(found) or not {"DD", "D"} & set(found):
        raise PatternRefused(
            f"{form!r} is neither {', '.join(FORMS)} nor a pattern with YYYY, MM (M, MMM) and DD (D), like DD.MM.YYYY"
        )
    parts, last = list[str](), 0
    for token in _TOKEN.finditer(form):
        parts += [re.escape(form[last : token.start()]), _TOKENS[token[0]]]
        last = token.end()
    try:
        return re.compile("".join(parts) + re.escape(form[last:]), re.ASCII)
    except re.error:
        raise PatternRefused(f"{form!r} names a part of the date twice") from None


def read_instant(value: object, forms: Sequence[str], zone: str | None) -> datetime:
    """An aware UTC datetime. `zone`: of texts without one. Raises ValueError with what is wrong."""
    for moment, is_aware in _candidates(value, forms):
        if is_aware:
            return moment.replace(tzinfo=UTC)
        if zone is None:
            raise ValueError(
                f"{excerpt(value)} names no time zone; give the field a `zone`, like Europe/Berlin"
            )
        return moment.replace(tzinfo=find_zone(zone)).astimezone(UTC)
    raise ValueError(_unreadable(value, forms))


def read_day(value: object, forms: Sequence[str], zone: str | None) -> date:
    """A date. An instant is the day that it has in `zone`, by default UTC. Raises ValueError with what is wrong."""
    for moment, is_aware in _candidates(value, forms):
        if not is_aware or zone is None:
            return moment.date()
        return moment.replace(tzinfo=UTC).astimezone(find_zone(zone)).date()
    raise ValueError(_unreadable(value, forms))


def _unreadable(value: object, forms: Sequence[str]) -> str:
    return f"{excerpt(value)} is no date of the form {' or '.join(forms)}; give the field the `form` it is written in"


def _candidates(value: object, forms: Sequence[str]) -> Iterator[tuple[datetime, bool]]:
    """(The moment without a zone, whether it is UTC) by each form that fits, in their order."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        text = str(int(value))
    for form in forms:
        if form in (MILLISECONDS, SECONDS):
            if _NUMBER.fullmatch(text):
                yield _from_number(int(text), form), True
        elif form == ISO:
            yield from _from_iso(text)
        elif found := _pattern(form).fullmatch(text):
            yield _from_parts(found.groupdict(), text), False


def _from_number(number: int, form: str) -> datetime:
    if (abs(number) >= _BORDER) is not (form == MILLISECONDS) and number != 0:
        other = SECONDS if form == MILLISECONDS else MILLISECONDS
        raise ValueError(f"{number} looks like {other}, not like {form}; correct the `form` of the field")
    span = timedelta(milliseconds=number) if form == MILLISECONDS else timedelta(seconds=number)
    try:
        return datetime(1970, 1, 1) + span  # noqa: DTZ001 - the zone is said beside it
    except OverflowError:
        raise ValueError(f"{number} {form} is no moment before the year 10000") from None


def _from_iso(text: str) -> Iterator[tuple[datetime, bool]]:
    found = _ISO.fullmatch(text)
    if found is None:
        return
    zone = (found["zone"] or "").upper()
    fraction = f".{found['fraction'][:6]}" if found["fraction"] else ""
    clock = found["time"] or "00:00"
    clock = f"{clock}:00" if len(clock) == 5 else clock
    try:
        moment = datetime.fromisoformat(f"{found['day']}T{clock}{fraction}{zone}")
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as wrong:
        raise ValueError(f"{excerpt(text)} is not an existing time ({wrong})") from None
    yield moment, bool(zone)


def _from_parts(parts: Mapping[str, str | None], text: str) -> datetime:
    month = parts.get("M")
    if (name := parts.get("B")) is not None:
        if name[:3].lower() not in _MONTHS:
            raise ValueError(f"{excerpt(text)} has no English month; {name!r} is none")
        month = str(_MONTHS.index(name[:3].lower()) + 1)
    day = (int(parts["Y"] or 0), int(month or 0), int(parts["D"] or 0))
    hour, minute, second = (int(parts.get(name) or 0) for name in "Hms")
    try:
        return datetime(*day, hour, minute, second)  # noqa: DTZ001 - the zone is said beside it
    except ValueError as wrong:
        raise ValueError(f"{excerpt(text)} is not an existing date ({wrong})") from None
