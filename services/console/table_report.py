"""What the check of a table found, for people: its columns, its refused rows, and what would come of it."""

from collections.abc import Iterable
from typing import Final

from services.console import labels
from services.console.json_fields import Json, items, nested, number, text, texts
from services.console.refusal_groups import RefusalGroups
from services.console.terminal import print_table, print_text

MOST_WARNINGS: Final = 20


def print_check(file_name: str, checked: Json) -> None:
    """The report of a dry run."""
    kind = text(checked, "kind")
    print_text(
        f"{file_name}: {kind}, {text(checked, 'encoding')}, {labels.count(number(checked, 'rows'), 'row')}"
    )
    ignored = nested(checked, "ignored")
    rows = [(name, field or "-", text(ignored, name)) for name, field in nested(checked, "columns").items()]
    print_table("Columns", ("column", "field", "why not"), rows)
    for note in texts(checked, "notes"):
        print_text(f"  {note}")
    print_refused(items(checked, "refused"), number(checked, "refused_rows"))
    print_warnings(checked)
    changed = number(checked, "accepted") - number(checked, "unchanged")
    print_text(
        f"{labels.count(number(checked, 'accepted'), 'row')} accepted, {number(checked, 'refused_rows')} refused;"
        f" {number(checked, 'unchanged')} of the accepted say nothing new, {changed} do"
    )
    forecast = nested(checked, "dry_run")
    if forecast:
        _print_forecast(forecast)


def print_refused(refused: Iterable[Json], count: int) -> None:
    """Problems of one kind as one line, with the first line of the file that has it."""
    groups = RefusalGroups()
    for each in refused:
        column = text(each, "column")
        result: Json = {**each, "id": column or "-", "status": "refused"}
        groups.add(result, number(each, "line"))
    if groups.count:
        rows = [(times, line, column, problem) for times, line, column, _, problem in groups.rows()]
        print_table(f"Refused ({labels.count(count, 'row')})", ("cells", "first line", "column", "why"), rows)


def print_warnings(document: Json) -> None:
    warnings = items(document, "warnings")
    for each in warnings[:MOST_WARNINGS]:
        print_text(f"  line {number(each, 'line')}: {text(each, 'warning')}")
    more = number(document, "warning_count") - min(len(warnings), MOST_WARNINGS)
    if more > 0:
        print_text(f"  and {labels.count(more, 'further warning')}")


def _print_forecast(forecast: Json) -> None:
    days = number(forecast, "days")
    for name, title in (("touchpoints", "Touchpoints of people"), ("messages", "Messages to customers")):
        pairs = nested(forecast, name)
        counts = [
            (kind, number(nested(pairs, kind), "before"), number(nested(pairs, kind), "after"))
            for kind in pairs
        ]
        rows = [(kind, before, after, f"{after - before:+d}") for kind, before, after in counts]
        total = (sum(row[1] for row in counts), sum(row[2] for row in counts))
        if rows:
            rows.append(("all", *total, f"{total[1] - total[0]:+d}"))
        columns = ("type", "without the file", "with it", "difference")
        print_table(f"{title} in the next {days} days", columns, rows, numeric=True)
    if forecast.get("sample"):
        print_text("Not every account could be simulated: the numbers are of a part of them.")
