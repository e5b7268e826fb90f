"""Cells as values of fields, and back."""

import pytest

from services.connectors.mapping.values import Kind
from services.connectors.tables.values import CellForm, plain_cell, read_cell, write_cell


@pytest.mark.parametrize(
    ("cell", "field", "kind", "value"),
    [
        (" Acme\u00a0", "name", Kind.TEXT, "Acme"),
        ("Acme\r\nGmbH", "name", Kind.TEXT, "Acme GmbH"),
        ('="00123"', "account_id", Kind.TEXT, "00123"),
        ("'=1+2", "name", Kind.TEXT, "=1+2"),
        ("''=1+2", "name", Kind.TEXT, "'=1+2"),
        ("'t Hart", "name", Kind.TEXT, "'t Hart"),
        ("-", "name", Kind.TEXT, "-"),
        ("n/a", "arr", Kind.NUMBER, None),
        ("", "arr", Kind.NUMBER, None),
        ("1,200", "term_months", Kind.WHOLE, 1200),
        ("Ja", "auto_renew", Kind.TRUTH, True),
        ("não", "auto_renew", Kind.TRUTH, False),
        ("46387", "renews_on", Kind.DAY, "2026-12-31"),
        ("2026-03-31T09:30:00+02:00", "signed_at", Kind.INSTANT, "2026-03-31T07:30:00Z"),
        ("2026-03-31", "signed_at", Kind.INSTANT, "2026-03-30T22:00:00Z"),
        ("hubspot=1; stripe=cus_2", "external_ids", Kind.OTHER, {"hubspot": "1", "stripe": "cus_2"}),
        ('{"a=b": "1;2"}', "external_ids", Kind.OTHER, {"a=b": "1;2"}),
        ("Mo-Fr", "working_days", Kind.OTHER, ["Mo-Fr"]),
        ("Mon-Fri", "working_days", Kind.OTHER, ["mon", "tue", "wed", "thu", "fri"]),
        ("sat - tue", "working_days", Kind.OTHER, ["sat", "sun", "mon", "tue"]),
        ("mon, 3", "working_days", Kind.OTHER, ["mon", 3]),
        ("²; 999", "working_days", Kind.OTHER, ["²", "999"]),
        ("none", "working_days", Kind.OTHER, []),
        ("9:00-17:00", "working_hours", Kind.OTHER, "09:00-17:00"),
        ("2026-12-24", "time_off", Kind.OTHER, [{"from": "2026-12-24", "to": "2026-12-24"}]),
    ],
)
def test_a_cell_is_read(cell: str, field: str, kind: Kind, value: object) -> None:
    form = CellForm(numbers="point", zone="Europe/Berlin")
    text = plain_cell(cell, kind)
    assert (None if text is None else read_cell(text, field, kind, form).value) == value


@pytest.mark.parametrize(
    ("cell", "field", "kind", "problem"),
    [
        ("1,5E+10", "account_id", Kind.TEXT, "has shortened; format the column as text"),
        ("perhaps", "auto_renew", Kind.TRUTH, "neither yes nor no"),
        ("1.5", "term_months", Kind.WHOLE, "not a whole number"),
        ("1.5E+99", "arr", Kind.NUMBER, None),
        ("hubspot", "external_ids", Kind.OTHER, "write hubspot=123"),
        ("{", "external_ids", Kind.OTHER, "is not JSON"),
        ("August", "time_off", Kind.OTHER, "is not time off"),
    ],
)
def test_a_wrong_cell_is_refused_with_what_to_do(
    cell: str, field: str, kind: Kind, problem: str | None
) -> None:
    def read() -> object:
        return read_cell(plain_cell(cell, kind) or "", field, kind, CellForm(numbers="point"))

    if problem is None:
        assert read()
        return
    with pytest.raises(ValueError, match=problem):
        read()


@pytest.mark.parametrize("text", ["=1+2", "+49 30 1", "-x", "@me", "\tx", "'=1", "1.5E+10", "1.5E+3"])
def test_no_written_cell_is_a_formula_or_a_rounded_number(text: str) -> None:
    written = write_cell(text, "name", Kind.TEXT)
    assert written == f"'{text}"
    if text != "\tx":
        assert plain_cell(written, Kind.TEXT) == text
