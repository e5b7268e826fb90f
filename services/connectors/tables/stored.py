"""What is known of accounts, contacts, contracts and CSMs as rows of a table: to write them, and to compare with them."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple, cast

import orjson

from schemas.times import format_instant
from services.cadence.account import Facts, Plain, StampedFields, StampedValue, micros, when
from services.cadence.account.codec import decode
from services.cadence.account.stamps import read_mapping, readable
from services.connectors.tables.kinds import TableKind
from services.connectors.tables.table import RowEvent
from services.connectors.tables.values import write_cell

_STORED_AS: Final[Mapping[str, str]] = {"segment": "segment_override"}
"""Field of an account -> the name under which it is stored, where that is another."""


class KnownValue(NamedTuple):
    """A value in JSON, and the time of the event that stated it, in microseconds."""

    value: object
    at: int


class StoredRow(NamedTuple):
    """One thing as it is known. `has_left`: a contact who is not with the customer any more."""

    subject: str
    key: str
    values: Mapping[str, KnownValue]
    has_left: bool = False


def stored_rows(kind: TableKind, subject: str, state: bytes) -> list[StoredRow]:
    """The rows of an account, or of a CSM, from the stored state. Raises UnreadableState."""
    match kind.name:
        case "csms":
            return [_csm(subject, orjson.loads(state))]
        case "accounts":
            return [_account(subject, decode(subject, state).facts)]
        case "contacts":
            known = decode(subject, state).facts.contact_values()
        case "contracts":
            known = decode(subject, state).facts.contract_values()
    return [_row(subject, key, values) for key, values in known.items()]


def is_known(event: RowEvent, stored: StoredRow | None, as_of: datetime) -> bool:
    """Whether a row says nothing new: all its values are known, as of its moment or before."""
    if stored is None:
        return False
    at, data = micros(as_of), cast("Mapping[str, object]", event.event["data"])
    for name, value in data.items():
        known = stored.values.get(name, KnownValue(None, 0))
        if name not in _IDS and (known.value != value or known.at > at):
            return False
    return True


_IDS: Final = frozenset({"contact_id", "contract_id"})


def write_header(kind: TableKind) -> str:
    """The first line of a table: the names of the fields."""
    return _write([list(kind.fields)])


def write_rows(kind: TableKind, rows: Iterable[StoredRow]) -> str:
    """Lines of CSV (RFC 4180). Contacts who have left are not in it."""
    return _write(_cells(kind, row) for row in rows if not row.has_left)


def _cells(kind: TableKind, row: StoredRow) -> list[str]:
    values = {name: known.value for name, known in row.values.items()}
    values |= {kind.subject: row.subject, kind.key: row.key}
    return [write_cell(values.get(name), name, field_kind) for name, field_kind in kind.fields.items()]


class _Lines(list[str]):
    """What `csv` writes to."""

    write = list[str].append


def _write(rows: Iterable[list[str]]) -> str:
    lines = _Lines()
    csv.writer(lines).writerows(rows)
    return "".join(lines)


def _account(subject: str, facts: Facts) -> StoredRow:
    names = {stored: name for name, stored in _STORED_AS.items()}
    values = {names.get(name, name): known for name, known in _flat(facts.account)}
    return StoredRow(subject, subject, values)


def _flat(fields: StampedFields) -> Iterator[tuple[str, KnownValue]]:
    for stamp, values in fields.items():
        for name, value in values.items():
            yield name, KnownValue(_json(name, value), when(stamp))


def _json(name: str, value: Plain) -> object:
    if name == "external_ids" and isinstance(value, list):
        return read_mapping(value)
    return _text(readable(name, value))


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    return value.isoformat() if isinstance(value, date) else value


def _row(subject: str, key: str, values: Mapping[str, StampedValue]) -> StoredRow:
    known = {
        name: KnownValue(_text(stamped.value), micros(stamped.provenance.time))
        for name, stamped in values.items()
    }
    left = known.pop("left", None)
    return StoredRow(subject, key, known, left is not None and left.value is True)


def _csm(csm_id: str, stored: StampedFields) -> StoredRow:
    values = {
        name: KnownValue(orjson.loads(str(value)), when(stamp))
        for stamp, fields in stored.items()
        for name, value in fields.items()
    }
    return StoredRow(csm_id, csm_id, values)
