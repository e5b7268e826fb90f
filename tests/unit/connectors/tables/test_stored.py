"""What is known as a table: an export that is imported again says nothing new."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import from_structured
from schemas.patterns import BLANKS
from services.cadence.account import StampedFields
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import decode, encode
from services.cadence.account.events import read_event
from services.cadence.csms import merge_description
from services.connectors.tables.kinds import TABLES, KindName
from services.connectors.tables.stored import StoredRow, is_known, stored_rows, write_header, write_rows
from services.connectors.tables.table import RowEvent, TableOptions, read_table

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
Data = dict[str, object]


def state_of(kind: KindName, subject: str, events: list[Data], at: datetime = NOW) -> bytes:
    """The stored state after these events."""
    state, csm = decode(subject, None), StampedFields()
    for number, data in enumerate(events):
        event = read_event(
            from_structured(
                {
                    "specversion": "1.0", "id": f"e{number}", "source": "/test", "type": TABLES[kind].event_type,
                    "subject": subject, "time": at.isoformat(), "data": data,
                }
            )
        )  # fmt: skip
        if kind == "csms":
            merge_description(csm, event)
        else:
            apply_event(state, event)
    return orjson.dumps(csm) if kind == "csms" else encode(*state)


def exported(kind: KindName, rows: list[StoredRow]) -> str:
    return write_header(TABLES[kind]) + write_rows(TABLES[kind], rows)


def read_again(kind: KindName, text: str) -> list[RowEvent]:
    table = read_table(BytesIO(text.encode()), TableOptions(kind))
    rows = list(table.events(NOW + timedelta(days=1)))
    assert all(isinstance(row, RowEvent) for row in rows), rows
    return [row for row in rows if isinstance(row, RowEvent)]


HARD = [
    "=1+2",
    "'=1",
    "+49 30",
    "-",
    "n/a",
    "1.5E+10",
    '="x"',
    "a;b,c|",
    "007",
    '"',
    "sep=;",
    "'t",
    "a\u2028b",
]
TEXT = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).map(
        lambda text: text.strip(BLANKS)
    ),
    st.sampled_from(HARD),
).filter(bool)
DAY = st.dates(date(1970, 1, 1), date(2300, 1, 1)).map(date.isoformat)
MONEY = st.floats(0, 1e15)
VALUES: Mapping[KindName, Mapping[str, st.SearchStrategy[object]]] = {
    "accounts": {
        "name": TEXT, "arr": MONEY, "currency": st.sampled_from(["EUR", "USD"]), "industry": TEXT,
        "country": st.just("DE"), "timezone": st.just("Europe/Berlin"), "language": st.just("pt-BR"),
        "complexity": st.just("complex"), "csm_id": TEXT, "paid_success": st.booleans(),
        "segment": st.just("enterprise"), "external_ids": st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
    },
    "contacts": {"name": TEXT, "email": st.just("ann@acme.example"), "role": st.just("champion"), "phone": TEXT},
    "contracts": {
        "status": st.sampled_from(["active", "signed"]), "starts_on": DAY, "arr": MONEY,
        "signed_at": st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            datetime.isoformat
        ),
        "auto_renew": st.booleans(), "term_months": st.integers(1, 1200), "notice_days": st.integers(0, 3660),
    },
    "csms": {
        "name": TEXT, "weekly_minutes": st.integers(0, 10_080), "role": st.just("manager"),
        "working_days": st.lists(st.sampled_from(["mon", "tue", "sun"]), unique=True),
        "working_hours": st.just("09:00-17:30"),
        "time_off": st.lists(DAY.map(lambda day: {"from": day, "to": day}), max_size=2),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", list(VALUES))
@given(draw=st.data())
def test_an_export_that_is_imported_says_nothing_new(kind: KindName, draw: st.DataObject) -> None:
    """U10: the round trip of every kind, whatever the texts are."""
    subjects = draw.draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    optional = dict(VALUES[kind])
    rows: list[StoredRow] = []
    for number, subject in enumerate(subjects):
        own = {"contacts": "contact_id", "contracts": "contract_id"}.get(kind)
        ids: Data = {own: f"{draw.draw(TEXT)}{number}"} if own else {}
        data = draw.draw(st.fixed_dictionaries({}, optional=optional).filter(bool))
        rows += stored_rows(TABLES[kind], subject, state_of(kind, subject, [{**ids, **data}]))
    again = read_again(kind, exported(kind, rows))
    stored = {(row.subject, row.key): row for row in rows}
    assert len(again) == len(rows)
    for row in again:
        assert is_known(row, stored.get((row.subject, row.key)), NOW + timedelta(days=1)), (row, stored)


def test_a_row_is_new_when_a_value_is_another_or_was_stated_later() -> None:
    (stored,) = stored_rows(
        TABLES["accounts"], "acme", state_of("accounts", "acme", [{"name": "Acme", "arr": 5}])
    )
    (row,) = read_again("accounts", "account_id,name\nacme,Acme\n")
    assert is_known(row, stored, NOW)
    assert not is_known(row, stored, NOW - timedelta(days=1)), "history may change what is known"
    assert not is_known(row, None, NOW)
    (other,) = read_again("accounts", "account_id,arr\nacme,6\n")
    assert not is_known(other, stored, NOW)


def test_a_contact_who_has_left_is_not_exported() -> None:
    state = decode("acme", state_of("contacts", "acme", [{"contact_id": "ann", "name": "Ann"}]))
    left = {
        "specversion": "1.0", "id": "left", "source": "/test", "type": "drumbeat.contact.left.v1", "subject": "acme",
        "time": (NOW + timedelta(hours=1)).isoformat(), "data": {"contact_id": "ann"},
    }  # fmt: skip
    apply_event(state, read_event(from_structured(left)))
    rows = stored_rows(TABLES["contacts"], "acme", encode(*state))
    assert [row.has_left for row in rows] == [True]
    assert exported("contacts", rows) == write_header(TABLES["contacts"])


def test_a_cell_with_a_separator_is_in_quotation_marks_and_ids_come_first() -> None:
    rows = stored_rows(
        TABLES["accounts"], "a,b", state_of("accounts", "a,b", [{"name": "=cmd|' /C calc'!A0"}])
    )
    header, row, *_ = exported("accounts", rows).split("\r\n")
    assert header.startswith("account_id,name,arr,currency,")
    assert row.startswith("\"a,b\",'=cmd|' /C calc'!A0,")
