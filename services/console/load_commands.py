"""Commands about people's load: how full their weeks are, and handing a book over."""
# ruff: noqa: FBT002 - flags of commands

from typing import Annotated

import typer

from services.console.client import connect
from services.console.json_fields import Json, items, number, text, texts
from services.console.load_view import (
    LoadRow,
    book_lines,
    describe_gap,
    find_findings,
    load_rows,
    unowned_lines,
    week_names,
)
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer()
HANDOVER_SECONDS = 120.0
"""A book of hundreds of accounts is handed over in one call."""


@app.command()
def load(
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Left out: this week.")] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="Left out: 13 weeks on.")] = None,
    csm: Annotated[str | None, typer.Option(metavar="ID", help="Only this person.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how full people's weeks are, what does not fit, who is missing, and what nobody has.

    Exit code 1 when something does not fit, a week or a book is overfull, or nobody has some work.
    """
    with connect() as api:
        capacity = api.get("scheduler", "/v1/capacity", **{"from": from_, "to": to, "csm_id": csm})
    if as_json:
        print_json(capacity)
    else:
        _print_load(capacity)
    if find_findings(capacity) or items(capacity, "unowned"):
        raise typer.Exit(1)


@app.command()
def handover(
    csm_id: Annotated[str, typer.Argument(metavar="FROM", help="The id of the person whose book it is.")],
    to: Annotated[
        str | None, typer.Option(metavar="CSM", help="Who takes it; left out: shared out over the pool.")
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this account; may be given several times.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Hand it over; without it, only a preview.")] = False,
    as_json: AsJson = False,
) -> None:
    """Preview or do the hand-over of a person's accounts to one person or to a pool."""
    body: Json = {"from": csm_id, "preview": not apply}
    body |= {"to": to} if to else {}
    body |= {"account_ids": account} if account else {}
    with connect() as api:
        answer = api.send("POST", "scheduler", "/v1/handovers", body, seconds=HANDOVER_SECONDS)
    if as_json:
        print_json(answer)
        return
    _print_handover(answer, csm_id, is_done=apply)


def _print_handover(answer: Json, csm_id: str, *, is_done: bool) -> None:
    columns = ("account", "to", "touchpoints", "minutes", "moved")
    rows = [
        (
            text(each, "account_id"),
            text(each, "to") or "nobody",
            number(each, "touches"),
            number(each, "minutes"),
            number(each, "moved_touches"),
        )
        for each in items(answer, "accounts")
    ]
    print_table("Handed over" if is_done else "Would be handed over", columns, rows, numeric=True)
    people = [
        (text(each, "csm_id"), *(number(each, name) for name in ("accounts_before", "accounts_after")),
         *(number(each, name) for name in ("percent_before", "percent_after")))
        for each in items(answer, "load")
    ]  # fmt: skip
    headings = ("person", "accounts before", "after", "% of the year before", "after")
    print_table("Load", headings, people, numeric=True)
    if named := texts(answer, "still_named"):
        print_text(
            f"The directory still names {csm_id} for {len(named)} of them: {', '.join(named[:10])}. "
            "Change it where the accounts are described."
        )


def _print_load(capacity: Json) -> None:
    rows = load_rows(capacity)
    weeks = week_names(rows)
    print_table(
        "Load, % of the available minutes (! does not fit)",
        ("person", *(week[5:] for week in weeks)),
        [(row.csm_id, *_percentages(row, weeks)) for row in rows],
        numeric=True,
    )
    books = book_lines(capacity)
    if books:
        columns = ("person", "accounts", "pooled accounts", "hours per account and month", "usual: 5 to 10")
        print_table("Books, planned for the next 13 weeks", columns, books, numeric=True)
    for finding in find_findings(capacity):
        print_text(f"- {finding}")
    if gap := describe_gap(capacity):
        print_text(gap)
    unowned = unowned_lines(capacity)
    if unowned:
        print_table("Work that nobody has", ("pool", "week", "minutes", "touchpoints"), unowned, numeric=True)


def _percentages(row: LoadRow, weeks: list[str]) -> list[str]:
    by_week = {week.week: week for week in row.weeks}
    return [
        f"{by_week[name].figure.removesuffix(' %')}{'!' if by_week[name].has_conflict else ''}"
        if name in by_week
        else "-"
        for name in weeks
    ]
