"""Which column holds which field."""

import pytest

from services.connectors.tables.columns import ColumnRule, assign_columns, guess_kind
from services.connectors.tables.kinds import KINDS, TABLES, KindName
from services.connectors.tables.refusal import TableRefused


def fields(kind: KindName, header: str, rules: dict[str, ColumnRule] | None = None) -> dict[str, str | None]:
    report = assign_columns(header.split(","), TABLES[kind], rules or {})
    return {column.name: column.field for column in report.columns}


@pytest.mark.parametrize(
    ("kind", "header", "expected"),
    [
        (
            "accounts",
            "Record ID,Company name,ARR (EUR),Billing Country,Account Owner",
            "account_id,name,arr,country,csm_id",
        ),
        (
            "contacts",
            "Record ID,Associated Company ID,E-Mail,Telefonnummer",
            "contact_id,account_id,email,phone",
        ),
        (
            "contracts",
            "Vertragsnummer,Kundennummer,Vertragsende,KÜNDIGUNGSFRIST",
            "contract_id,account_id,renews_on,notice_days",
        ),
        (
            "contracts",
            "ContractNumber,AccountId,EndDate,StartDate",
            "contract_id,account_id,renews_on,starts_on",
        ),
        (
            "contracts",
            "Número de contrato,ID do cliente,Data de renovação",
            "contract_id,account_id,renews_on",
        ),
        ("contracts", "id_kontrak,id_pelanggan,tanggal_mulai", "contract_id,account_id,starts_on"),
        ("csms", "User ID,Nombre,Correo electrónico,Días laborables", "csm_id,name,email,working_days"),
    ],
)
def test_columns_are_known_by_what_tools_call_them(kind: KindName, header: str, expected: str) -> None:
    assert list(fields(kind, header).values()) == expected.split(",")


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_fields_are_columns(kind: KindName) -> None:
    names = list(TABLES[kind].fields)
    assert fields(kind, ",".join(names)) == dict(zip(names, names, strict=True))
    assert set(TABLES[kind].words) <= set(names), "words of fields that there are"


def test_a_field_is_read_from_one_column_and_the_report_says_why_not_from_others() -> None:
    report = assign_columns(
        ["Company", "account_id", "Name", "Name", "Acount nme", "", "arr"], TABLES["accounts"], {}
    )
    notes = {column.name: (column.field, column.note) for column in report.columns}
    assert notes["Company"] == ("name", "") or notes["Company"][0] is None
    assert [name for name, (field, _) in notes.items() if field == "name"] == ["Company"]
    assert "name is read from the column 'Company'" in notes["Name (2)"][1]
    assert "did you mean name?" in notes["Acount nme"][1]
    assert report.unnamed == [5]


def test_what_a_caller_says_comes_first() -> None:
    rules = {"Code": ColumnRule("account_id"), "Name": ColumnRule(""), "Title": ColumnRule("name")}
    assert fields("accounts", "id,Code,Name,Title", rules) == {
        "id": None, "Code": "account_id", "Name": None, "Title": "name",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "rules", "problem"),
    [
        (
            "id,name",
            {"Nane": ColumnRule("name")},
            "names the column 'Nane', which the table does not have; its columns",
        ),
        ("id,Name", {"Nam": ColumnRule("name")}, "did you mean 'Name'?"),
        ("id,name", {"name": ColumnRule("nme")}, "'nme' is no field of accounts; did you mean 'name'?"),
        ("Firma,arr", {}, "no column holds account_id, which every row of accounts needs"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_to_do(
    header: str, rules: dict[str, ColumnRule], problem: str
) -> None:
    with pytest.raises(TableRefused) as refused:
        fields("accounts", header, rules)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("header", "file_name", "kind"),
    [
        ("account_id,contract_id,renews_on", "", "contracts"),
        ("account_id,contact_id,email", "", "contacts"),
        ("csm_id,weekly_minutes", "", "csms"),
        ("account_id,name,arr", "", "accounts"),
        ("id,name", "Kunden 2026.csv", "accounts"),
        ("id,name,account", "contacts.csv", "contacts"),
        ("id,account", "Verträge.csv", "contracts"),
    ],
)
def test_the_kind_is_guessed(header: str, file_name: str, kind: str) -> None:
    assert guess_kind(header.split(","), file_name, {}) == kind


@pytest.mark.parametrize("header", ["id,name", "colour,size"])
def test_a_kind_that_cannot_be_guessed_is_asked_for(header: str) -> None:
    with pytest.raises(TableRefused, match="name the `kind`"):
        guess_kind(header.split(","), "export.csv", {})
