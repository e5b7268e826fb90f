"""Whole tables as events: the shapes of five real exports, and what is refused where."""

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest

from services.connectors.tables.columns import ColumnRule
from services.connectors.tables.kinds import TABLES
from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.table import Refusal, RowEvent, Table, TableOptions, read_table
from tests.unit.connectors.tables.bad_tables import BAD_TABLES

PAGE = Path(__file__).resolve().parents[4] / "docs" / "import-export.md"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def table(content: str | bytes, options: TableOptions | None = None) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    return read_table(BytesIO(raw), options or TableOptions())


def data(read: Table) -> list[dict[str, Any] | list[Refusal]]:
    """What each row says, or why it is refused."""
    return [
        cast("dict[str, Any]", row.event["data"]) if isinstance(row, RowEvent) else row
        for row in read.events(NOW)
    ]


def refused(read: Table) -> list[Refusal]:
    return [each for row in read.events(NOW) if isinstance(row, list) for each in row]


def test_german_excel_writes_semicolons_commas_and_windows_1252() -> None:
    content = (
        "Kundennummer;Vertragsnummer;Vertragsbeginn;Vertragsende;Jahresumsatz (EUR);Verlängerung autom.;;\r\n"
        "A-1;V-1;01.02.2026;31.01.2027;12.500,00;ja;;\r\n"
        "A-2;V-2;01.03.2026;28.02.2027;8.000;nein;;\r\n"
    )
    read = table(content.encode("cp1252"))
    assert data(read) == [
        {"contract_id": "V-1", "starts_on": "2026-02-01", "renews_on": "2027-01-31", "arr": 12_500, "currency": "EUR"},
        {"contract_id": "V-2", "starts_on": "2026-03-01", "renews_on": "2027-02-28", "arr": 8_000, "currency": "EUR"},
    ]  # fmt: skip
    assert "numbers: decimals follow a comma, as 1 of them show" in read.notes


def test_a_crm_writes_utf_8_with_a_byte_order_mark_and_american_dates() -> None:
    content = (
        "\ufeffRecord ID,Account ID,Contract Start Date,End Date,Amount,Auto Renewal\n"
        '801,001,1/15/2026,"12/31/2026","$60,000.00",TRUE\n801b,001,2/3/2026,2/2/2027,"$1,200",false\n'
    )
    read = table(content, TableOptions(file_name="contracts.csv"))
    assert data(read)[1] == {
        "contract_id": "801b", "starts_on": "2026-02-03", "renews_on": "2027-02-02", "arr": 1_200, "auto_renew": False,
    }  # fmt: skip
    assert "Contract Start Date: the month comes first, as 1 of its dates show" in read.notes


def test_excel_writes_unicode_text_in_utf_16_with_tabs() -> None:
    content = "id\tFirma\tLand\r\nacme\tÁcme ŁTD\tDE\r\n".encode("utf-16")
    read = table(content, TableOptions(file_name="accounts.txt"))
    assert data(read) == [{"name": "Ácme ŁTD", "country": "DE"}]


def test_a_helpdesk_writes_cells_with_line_ends_and_empty_rows() -> None:
    content = (
        "User ID,Company ID,Full Name,Notes,Email\n"
        'u1,acme,"Ann ""A.""\nExample","called\r\n\r\ntwice",ann@acme.example\n\n,,,,\n'
        "u2,acme,Bob,,not an address\n"
    )
    rules = {"User ID": ColumnRule("contact_id"), "Company ID": ColumnRule("account_id")}
    read = table(content, TableOptions("contacts", rules=rules))
    (problem,) = refused(read)
    assert data(read) == [
        {"contact_id": "u1", "name": 'Ann "A." Example', "email": "ann@acme.example"},
        [problem],
    ]
    assert (problem.line, problem.column, "'not an address'" in problem.problem) == (8, "Email", True)


def test_a_spreadsheet_loses_the_format_of_dates_and_repeats_a_header() -> None:
    content = (
        "account_id,contract_id,Start,Renewal date,Renewal date,\n1,c,46054,46418,x,\n2,d,46054,n/a,x,\n"
    )
    read = table(content)
    assert data(read) == [
        {"contract_id": "c", "starts_on": "2026-02-01", "renews_on": "2027-01-31"},
        {"contract_id": "d", "starts_on": "2026-02-01"},
    ]
    assert "Renewal date: 1 serial numbers of Excel are read as dates" in read.notes
    assert read.report.columns[4].field is None


def test_dates_that_can_be_read_in_two_ways_are_refused_until_it_is_said_how() -> None:
    content = "account_id,contract_id,starts_on,renews_on\n1,c,03/04/2026,03/04/2027\n"
    assert [each.column for each in refused(table(content))] == ["starts_on", "renews_on"]
    assert data(table(content, TableOptions(dates="dmy"))) == [
        {"contract_id": "c", "starts_on": "2026-04-03", "renews_on": "2027-04-03"}
    ]
    rules = {"starts_on": ColumnRule(dates="dmy"), "renews_on": ColumnRule(dates="mdy")}
    assert data(table(content, TableOptions(rules=rules))) == [
        {"contract_id": "c", "starts_on": "2026-04-03", "renews_on": "2027-03-04"}
    ]


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (",x,,,", "account_id", "account_id is empty"),
        ("1,c,2026-02-01,2026-01-01,", None, "must be before renews_on"),
        ("1,c,,,-5", "arr", "is less than 0"),
        ("1,c,1960-01-01,,", "starts_on", "is before 1970"),
        ("1,,2026-02-01,,5", "contract_id", "contract_id is empty"),
        ("1,c,,,", None, "no cell has a value but those of the ids"),
        ("1,c,2026-02-01,,1,2", None, "has 6 cells, and the header has 5"),
    ],
)
def test_a_row_is_refused_with_its_line_and_column(row: str, column: str | None, problem: str) -> None:
    read = table(f"account_id,contract_id,starts_on,renews_on,arr\n0,z,2026-01-01,,1\n{row}\n")
    _, refused = list(read.events(NOW))
    assert isinstance(refused, list)
    assert [(each.line, each.column) for each in refused] == [(3, column)]
    assert problem in refused[0].problem


def test_two_rows_about_one_thing_are_refused() -> None:
    rows = list(table("account_id,contract_id,arr\n1,c,1\n2,c,2\n1,c,3\n").events(NOW))
    assert isinstance(rows[1], RowEvent), "the contract of another account"
    assert rows[2] == [Refusal(4, "contract_id", "line 2 describes 'c' too; keep one of the two")]
    rows = list(table("account_id,contact_id,name\n1,c,A\n2,c,B\n").events(NOW))
    assert isinstance(rows[1], list), "the id of a contact is unique in the deployment"


def test_the_currency_comes_from_the_cell_the_header_or_its_column() -> None:
    content = "account_id,ARR (USD),currency\n1,5,\n2,€5,\n3,€5,EUR\n4,5,GBP\n5,€5,GBP\n"
    rows = data(table(content))
    assert [row["currency"] for row in rows if isinstance(row, dict)] == ["USD", "EUR", "EUR", "GBP"]
    assert "the amount is in EUR, and the currency is GBP" in str(rows[4])


def test_an_empty_cell_keeps_the_value_or_clears_it() -> None:
    content = "account_id,name,arr\n1,,5\n"
    assert data(table(content)) == [{"arr": 5}]
    assert data(table(content, TableOptions(clear_empty=True))) == [{"name": None, "arr": 5}]


def test_an_event_has_the_same_id_whenever_the_same_is_said_of_the_same_moment() -> None:
    def events(content: str) -> list[tuple[object, object]]:
        return [
            (row.event["id"], row.event["source"])
            for row in table(content).events(NOW)
            if isinstance(row, RowEvent)
        ]

    first, second = events("account_id,contract_id,arr\n1,c,1\n1,d,2\n")
    assert events("contract_id;arr;account_id\n\nd;2.00;1\nc;1;1\n") == [second, first]
    assert events("account_id,contract_id,arr\n1,c,3\n")[0] != first
    assert first[1] == "/imports/contracts"


@pytest.mark.parametrize(("name", "content", "line"), BAD_TABLES)
def test_a_bad_table_is_refused_with_its_line(name: str, content: bytes, line: int | None) -> None:
    with pytest.raises(TableRefused) as refused:
        list(table(content, TableOptions("accounts")).events(NOW))
    assert refused.value.line == line, name


def test_the_example_of_the_page_and_its_list_of_columns_are_true() -> None:
    page = PAGE.read_text()
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    read = table(example)
    assert [column.field for column in read.report.columns] == example.splitlines()[0].split(",")
    assert all(isinstance(row, RowEvent) for row in read.events(NOW))
    for kind in TABLES.values():
        (columns,) = re.findall(rf"^\| {kind.name} \| `\S+` \| (.*) \|$", page, re.MULTILINE)
        assert columns.replace("*", "").split(", ") == list(kind.fields)
        required = set(re.findall(r"\*\*(\w+)\*\*", columns))
        assert required == kind.required
