"""`drumbeat accounts`: the accounts of a deployment."""
# ruff: noqa: FBT002 - flags of commands

from typing import Annotated

import typer

from schemas.vocabulary import Color, Segment, Stage
from services.console.client import connect
from services.console.json_fields import items
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer()
_COLUMNS = ("id", "name", "segment", "stage", "color", "csm_id")


@app.command()
def accounts(  # noqa: PLR0913, PLR0917 - options of a command
    csm: Annotated[str | None, typer.Option(metavar="ID", help="Only accounts of this CSM.")] = None,
    segment: Annotated[Segment | None, typer.Option(help="Only accounts of this segment.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Only accounts at this stage.")] = None,
    health: Annotated[Color | None, typer.Option(help="Only accounts of this health.")] = None,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only accounts with this in their id or name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show at most this many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List accounts by id: name, segment, stage, health and CSM."""
    wanted = {"csm_id": csm, "segment": segment, "stage": stage, "color": health, "q": search}
    with connect() as api:
        document = api.get("rules_engine", "/v1/accounts", **wanted, limit=limit)
    if as_json:
        print_json(document)
        return
    rows = [[each.get(name) for name in _COLUMNS] for each in items(document)]
    print_table("Accounts", ("id", "name", "segment", "stage", "health", "csm"), rows)
    if document.get("next_cursor"):
        print_text(f"There are more: these are the first {limit}. Narrow the list, or raise --limit.")
