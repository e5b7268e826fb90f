"""A checked table as a page shows it: what each column became, what was refused, and what an import would lead to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.console import labels
from services.console.json_fields import Json, items, nested, number, text, texts

MOST_REFUSED: Final = 20


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """`field`: what the column became, "" for one that is ignored; `reason`: why."""

    column: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedCell:
    line: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """How many of a type there are in the next days without the table and with it."""

    kind: str
    before: int
    after: int

    @property
    def difference(self) -> str:
        return f"{self.after - self.before:+d}"


@dataclass(frozen=True, slots=True)
class TableReport:
    """`new`: rows that say something new; `more_refused`: refused cells beyond those listed."""

    kind: str
    summary: str
    new: int
    columns: Sequence[ColumnRow]
    notes: Sequence[str]
    refused: Sequence[RefusedCell]
    more_refused: int
    days: int
    is_sample: bool
    touchpoints: Sequence[ForecastRow]
    messages: Sequence[ForecastRow]


def table_report(checked: Json) -> TableReport:
    """The report of a `validate_only` import."""
    accepted, unchanged = number(checked, "accepted"), number(checked, "unchanged")
    refused = items(checked, "refused")
    ignored, forecast = nested(checked, "ignored"), nested(checked, "dry_run")
    summary = (
        f"{labels.count(number(checked, 'rows'), 'row')}: {accepted} accepted, of which {unchanged} say nothing new,"
        f" and {number(checked, 'refused_rows')} refused."
    )
    return TableReport(
        text(checked, "kind"),
        summary,
        accepted - unchanged,
        [
            ColumnRow(name, str(field or ""), text(ignored, name))
            for name, field in nested(checked, "columns").items()
        ],
        [*texts(checked, "notes"), *_warnings(checked)],
        [
            RefusedCell(number(each, "line"), text(each, "column"), text(each, "problem"))
            for each in refused[:MOST_REFUSED]
        ],
        max(0, len(refused) - MOST_REFUSED),
        number(forecast, "days"),
        forecast.get("sample") is True,
        _forecast(forecast, "touchpoints"),
        _forecast(forecast, "messages"),
    )


def _warnings(checked: Json) -> list[str]:
    return [
        f"Line {number(each, 'line')}: {text(each, 'warning')}"
        for each in items(checked, "warnings")[:MOST_REFUSED]
    ]


def _forecast(forecast: Json, name: str) -> list[ForecastRow]:
    kinds = nested(forecast, name)
    return [
        ForecastRow(
            labels.title(kind), number(nested(kinds, kind), "before"), number(nested(kinds, kind), "after")
        )
        for kind in sorted(kinds)
    ]
