"""Values of a policy file: one form read key by key, as the grammar says, each value checked for what it is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import yaml

from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy import Cap, Location
from services.cadence.policy.forms import FORMS
from services.cadence.policy.grammar import LONGEST, PATTERNS, RUNGS, Form
from services.cadence.policy.yaml_source import Sheet, shown

_DAY = timedelta(days=1)
_UNITS = {"h": timedelta(hours=1), "d": _DAY, "w": 7 * _DAY, "m": 30 * _DAY, "y": 365 * _DAY}
_SPAN, _RANGE, _CAP, _DATE = (re.compile(PATTERNS[shape]) for shape in ("offset", "range", "cap", "date"))
_LOOSE = re.compile(r"([0-9]{1,4}) ?(h|d|w|m|y)[a-z]*", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_WORDS = {
    "daily": 1,
    "weekly": 7,
    "biweekly": 14,
    "fortnightly": 14,
    "monthly": 30,
    "quarterly": 90,
    "yearly": 365,
}
_LEAP = 2024


@dataclass(frozen=True, slots=True)
class Record:
    """One form as it stands in a file. What is wrong is noted and read as None, "" or () ."""

    sheet: Sheet
    form: Form
    name: str
    node: yaml.Node
    found: Mapping[str, yaml.Node]

    @property
    def place(self) -> Location:
        return Location(self.sheet.file, self.node.start_mark.line + 1)

    def has(self, key: str) -> bool:
        return key in self.found

    def where(self, key: str) -> str:
        return f"{self.name}.{key}"

    def fault(self, key: str, message: str) -> None:
        """`key` may be missing: then the mistake is the form's."""
        self.sheet.fault(self.found.get(key, self.node), self.where(key), message)

    def text(self, key: str) -> str:
        return self.sheet.text(self.found[key], self.where(key)) if key in self.found else ""

    def several(self, key: str) -> list[yaml.Node]:
        """The nodes of one, or of a list."""
        node = self.found.get(key)
        if node is None:
            return []
        return self.sheet.items(node, self.where(key)) if isinstance(node, yaml.SequenceNode) else [node]

    def lines(self, key: str) -> tuple[str, ...]:
        return tuple(self.sheet.text(each, self.where(key)) for each in self.several(key))

    def choice(self, key: str) -> str:
        """The default of the grammar when it is left out."""
        if key not in self.found:
            return self.form.key(key).default
        return self.sheet.choice(self.found[key], self.where(key), self.form.key(key).values)

    def choices(self, key: str, known: Iterable[str] | None = None) -> tuple[str, ...]:
        """One or several, each once; `known`: other options than the grammar's."""
        options = self.form.key(key).values if known is None else tuple(known)
        said: list[str] = []
        for each in self.several(key):
            value = self.sheet.choice(each, self.where(key), options)
            if value in said:
                self.sheet.fault(each, self.where(key), f"{shown(value)} is said twice")
            said += [value] if value and value not in said else []
        return tuple(said)

    def truth(self, key: str) -> bool:
        said = key in self.found and self.sheet.choice(self.found[key], self.where(key), ("true", "false"))
        return said == "true"

    def number(self, key: str) -> float | None:
        """Between the bounds of the grammar."""
        grammar, said = self.form.key(key), self.text(key)
        least, most, whole = grammar.least, grammar.most, grammar.shape == "whole"
        value = float(said) if _NUMBER.fullmatch(said) else None
        if value is not None and least <= value <= most and (not whole or value % 1 == 0):
            return value
        if said:
            kind = (
                f"{'a whole' if whole else 'a'} number from {least} to {most}" if least < most else f"{least}"
            )
            self.fault(key, f"{kind} is expected here, not {shown(said)}")
        return None

    def span(self, key: str) -> timedelta | None:
        """Hours or days, not negative."""
        return span(self.sheet, self.found[key], self.where(key)) if key in self.found else None

    def offset(self, key: str) -> int | None:
        """Whole days, negative before an anchor."""
        said = self.text(key)
        if not said:
            return None
        value = _span(said)
        if value is not None and not value % _DAY and abs(value.days) <= LONGEST:
            return value.days
        self.fault(
            key, f"whole days from the anchor are expected here, such as -90d or 30d, not {shown(said)}"
        )
        return None

    def range(self, key: str) -> tuple[int, int] | None:
        said = self.text(key)
        match = _RANGE.fullmatch(said)
        if not said:
            return None
        if match is None:
            self.fault(key, f"a range in days is expected here, such as 7d..90d, not {shown(said)}")
            return None
        low, high = (int(each[:-1]) for each in said.split(".."))
        if not 1 <= low <= high <= LONGEST:
            upside_down = f"; did you mean '{high}d..{low}d'?" if 1 <= high < low <= LONGEST else ""
            self.fault(key, f"a range goes from the shorter to the longer, 1d to {LONGEST}d{upside_down}")
            return None
        return low, high

    def cap(self, key: str) -> Cap | None:
        said = self.text(key)
        match = _CAP.fullmatch(said)
        count, per = said.split(" per ") if match else ("0", "0h")
        time = _span(per) or timedelta(0)
        if int(count) and timedelta(0) < time <= LONGEST * _DAY:
            return Cap(int(count), time)
        if said:
            self.fault(key, f"so many per time are expected here, such as 2 per 90d, not {shown(said)}")
        return None

    def date(self, key: str) -> tuple[int, int] | None:
        """Month and day of a date that is in every year."""
        said = self.text(key)
        match = _DATE.fullmatch(said)
        if match is None:
            if said:
                self.fault(
                    key, f"a day of the year is expected here as month-day, such as 11-01, not {shown(said)}"
                )
            return None
        month, day = (int(each) for each in said.split("-"))
        try:
            date(_LEAP, month, day)
        except ValueError:
            turned = (
                f"; month comes first: did you mean '{day:02}-{month:02}'?" if 1 <= day <= 12 < month else ""
            )
            self.fault(key, f"there is no {said} in the year{turned}")
            return None
        if (month, day) == (2, 29):
            self.fault(key, "02-29 is not in every year; write 02-28 or 03-01")
            return None
        return month, day

    def ladder(self, key: str) -> tuple[int, ...]:
        """Days, ascending."""
        node = self.found[key]
        nodes = self.sheet.items(node, self.where(key))
        rungs = [days(self.sheet, each, self.where(key)) for each in nodes]
        known = [each for each in rungs if each is not None]
        if nodes and not 2 <= len(nodes) <= RUNGS:
            self.fault(key, f"a ladder has 2 to {RUNGS} rungs, this has {len(nodes)}")
        elif len(known) == len(rungs) and sorted(set(known)) != known:
            said = ", ".join(f"{each}d" for each in sorted(set(known)))
            self.fault(key, f"a ladder goes up rung by rung; did you mean [{said}]?")
        return tuple(known)


def record(sheet: Sheet, node: yaml.Node, form: str, name: str = "") -> Record:
    """A node read as this form; unknown, doubled and missing keys are noted."""
    made = FORMS[form]
    name = name or _name(node, made)
    pairs = sheet.pairs(node, name)
    known = {key.name: key for key in made.keys}
    found: dict[str, yaml.Node] = {}
    for said, (key, value) in pairs.items():
        if said in known:
            found[said] = value
        else:
            sheet.fault(key, name, f"unknown key {shown(said)}{did_you_mean(said, known)}")
    read = Record(sheet, made, name, node, found)
    for key in made.keys if isinstance(node, yaml.MappingNode) else ():
        if key.required and key.name not in found:
            sheet.fault(node, name, f"{key.name!r} is missing: {key.text[0].lower()}{key.text[1:]}")
    if made.either and sum(key in found for key in made.either) != 1:
        sheet.fault(node, name, f"say one of {' and '.join(map(repr, made.either))}, and only one")
    return read


def _name(node: yaml.Node, form: Form) -> str:
    """What the form calls itself: the value of its first key, if that is a name."""
    first = form.keys[0]
    for key, value in node.value if first.shape == "rule" and isinstance(node, yaml.MappingNode) else ():
        said = value.value if key.value == first.name else None
        if isinstance(said, str) and 0 < len(said) <= 64 and said.isprintable():
            return said
    return form.name.removesuffix("_rule")


def days(sheet: Sheet, node: yaml.Node, where: str) -> int | None:
    """Whole days, at least one."""
    value = span(sheet, node, where)
    if value is None:
        return None
    if value < _DAY or value % _DAY:
        sheet.fault(node, where, "whole days are expected here, at least 1d")
        return None
    return value.days


def span(sheet: Sheet, node: yaml.Node, where: str) -> timedelta | None:
    """Hours or days, not negative."""
    said = sheet.text(node, where)
    if not said:
        return None
    value = _span(said)
    if value is None:
        sheet.fault(
            node,
            where,
            f"a span of time is expected here, such as 48h or 7d, not {shown(said)}{_meant(said)}",
        )
    elif not timedelta(0) <= value <= LONGEST * _DAY:
        sheet.fault(node, where, f"a span of time lies between 0h and {LONGEST}d here")
    else:
        return value
    return None


def _span(said: str) -> timedelta | None:
    match = _SPAN.fullmatch(said)
    if match is None:
        return None
    return int(said[:-1]) * _UNITS[said[-1]]


def _meant(said: str) -> str:
    """How to write what was meant, where that can be guessed."""
    loose = _LOOSE.fullmatch(said)
    if said.lower() in _WORDS:
        return f"; did you mean '{_WORDS[said.lower()]}d'?"
    if loose is None:
        return ""
    value = int(loose[1]) * _UNITS[loose[2].lower()]
    return f"; did you mean '{loose[1]}h'?" if loose[2].lower() == "h" else f"; did you mean '{value.days}d'?"
