"""Which column of a table holds which field: by its name, as tools call it in five languages, or as a caller says."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Final

from services.connectors.tables.dates import DayOrder
from services.connectors.tables.kinds import KINDS, TABLES, KindName, TableKind
from services.connectors.tables.numbers import DecimalMark
from services.connectors.tables.refusal import TableRefused

IGNORED: Final = ""
_BESIDE: Final = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_CODE: Final = re.compile(r"\b[A-Z]{3}\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What a caller says of a column. `field`: None: as its name says; empty: it is ignored."""

    field: str | None = None
    dates: DayOrder | None = None
    numbers: DecimalMark | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """`place`: from 0. `field`: None: it is not read, and `note` says why."""

    place: int
    name: str
    field: str | None
    currency: str | None = None
    note: str = ""


@dataclass(slots=True)
class ColumnReport:
    """The columns of a table. `unnamed`: places without a name in the header."""

    kind: TableKind
    columns: list[Column] = field(default_factory=list[Column])
    unnamed: list[int] = field(default_factory=list[int])

    @property
    def read(self) -> list[Column]:
        return [column for column in self.columns if column.field is not None]


def assign_columns(header: Sequence[str], kind: TableKind, rules: Mapping[str, ColumnRule]) -> ColumnReport:
    """The field of each column. Raises TableRefused for a rule of no column or field, and for a missing id."""
    names = name_columns(header)
    _check_rules(names, kind, rules)
    report = ColumnReport(kind, unnamed=[place for place, name in enumerate(names) if not name])
    taken: dict[str, str] = {}
    order = sorted(
        (place for place, name in enumerate(names) if name),
        key=lambda place: (_strength(names[place], kind, rules), place),
    )
    columns = {place: _assign(place, names[place], kind, rules, taken) for place in order}
    report.columns = [columns[place] for place in sorted(columns)]
    missing = [name for name in (kind.subject, kind.key) if name not in taken]
    if missing:
        raise TableRefused(_missing(dict.fromkeys(missing), kind, report.columns))
    return report


def guess_kind(header: Sequence[str], file_name: str, rules: Mapping[str, ColumnRule]) -> KindName:
    """The kind of a table by its columns and, where several fit, by the name of its file. Raises TableRefused."""
    matches: dict[KindName, int] = {}
    columns = name_columns(header)
    for name, kind in TABLES.items():
        fields = {_field_of(column, kind, rules) for column in columns} - {None, IGNORED}
        if kind.required <= fields:
            matches[name] = len(fields)
    words = set(_plain(file_name.rpartition(".")[0] or file_name).split())
    by_name: list[KindName] = [name for name in KINDS if words & set(_plain(TABLES[name].file_names).split())]
    if len(by_name) == 1:
        return by_name[0]
    best: list[KindName] = [name for name, count in matches.items() if count == max(matches.values())]
    if len(best) == 1:
        return best[0]
    raise TableRefused(
        "the columns do not tell whether these are accounts, contacts, contracts or csms; name the `kind`, and see"
        " that there is a column for each id, such as account_id and contract_id"
    )


def _assign(
    place: int, name: str, kind: TableKind, rules: Mapping[str, ColumnRule], taken: dict[str, str]
) -> Column:
    found = _field_of(name, kind, rules)
    if found == IGNORED:
        return Column(place, name, None, note="ignored as asked for")
    if found is None:
        return Column(place, name, None, note=_hint(name, kind))
    if found in taken:
        note = (
            f"{found} is read from the column {taken[found]!r}; to read it from this one, map this one to it"
        )
        return Column(place, name, None, note=note)
    taken[found] = name
    codes = [code for beside in _BESIDE.findall(name) for code in _CODE.findall(beside)]
    return Column(place, name, found, codes[0] if codes and found == "arr" else None)


def _field_of(name: str, kind: TableKind, rules: Mapping[str, ColumnRule]) -> str | None:
    """None: no field of the kind."""
    rule = rules.get(name)
    if rule is not None and rule.field is not None:
        return rule.field
    words = _names(kind.name)
    return words.get(_plain(name)) or words.get(_plain(_BESIDE.sub(" ", name)))


def _strength(name: str, kind: TableKind, rules: Mapping[str, ColumnRule]) -> int:
    """What is said by a caller comes first, then the names of fields themselves."""
    rule = rules.get(name)
    if rule is not None and rule.field is not None:
        return 0
    return 1 if name.strip() in kind.fields else 2


def _check_rules(names: Sequence[str], kind: TableKind, rules: Mapping[str, ColumnRule]) -> None:
    for name, rule in rules.items():
        if name not in names:
            near = get_close_matches(name, [each for each in names if each], n=1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"its columns are {', '.join(filter(None, names))[:500]}"
            )
            raise TableRefused(
                f"the mapping names the column {name!r}, which the table does not have; {hint}"
            )
        known = {*kind.fields, IGNORED}
        if rule.field is not None and rule.field not in known:
            near = get_close_matches(rule.field, kind.fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"its fields are {', '.join(kind.fields)}"
            raise TableRefused(f"{rule.field!r} is no field of {kind.name}; {hint}", column=name)


def _missing(missing: Mapping[str, None], kind: TableKind, columns: Sequence[Column]) -> str:
    ignored = ", ".join(repr(column.name) for column in columns if column.field is None)
    free = f" (not read so far: {ignored[:500]})" if ignored else ""
    return (
        f"no column holds {' and '.join(missing)}, which every row of {kind.name} needs; name a column so, or map one to"
        f" it{free}"
    )


def _hint(name: str, kind: TableKind) -> str:
    words = _names(kind.name)
    near = get_close_matches(_plain(name), words, n=1, cutoff=0.75)
    hint = f"; did you mean {words[near[0]]}?" if near else ""
    return f"no field of {kind.name}{hint}"


def name_columns(header: Sequence[str]) -> list[str]:
    """The names without blanks around them; the second of one name is `Name (2)`. Empty: it has no name."""
    names: list[str] = []
    taken, repeated = set[str](), Counter[str]()
    for cell in header:
        name = unique = " ".join(cell.split())[:200]
        while unique and unique in taken:
            repeated[name] += 1
            unique = f"{name} ({repeated[name] + 1})"
        taken.add(unique)
        names.append(unique)
    return names


@cache
def _names(kind_name: KindName) -> Mapping[str, str]:
    """What a header may say, in plain words -> field."""
    kind = TABLES[kind_name]
    names = {_plain(word): name for name, words in kind.words.items() for word in words.split("|")}
    return names | {_plain(name): name for name in kind.fields}


def _plain(text: str) -> str:
    """Lower case, without accents and signs: `Renewal-Date*` is `renewal date`; `RenewalDate` too."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("ß", "ss")
    letters = unicodedata.normalize("NFKD", spaced.casefold())
    return " ".join(
        re.findall(r"[a-z0-9]+", "".join(each for each in letters if not unicodedata.combining(each)))
    )
