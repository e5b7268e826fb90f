"""`drumbeat feeds busy`: the own calendars of CSMs, whose busy time is kept free."""
# ruff: noqa: FBT002 - flags of commands

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from services.console.busy_calendar_view import describe_calendar
from services.console.client import connect
from services.console.json_fields import items, text
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer(no_args_is_help=True, help="CSMs' own calendars, whose busy time is kept free.")
Csm = Annotated[str, typer.Argument(metavar="CSM", help="The id of a CSM.")]


@app.command("set")
def set_calendar(
    csm: Csm,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="The secret address of the calendar (https:// or webcal://); - reads it from stdin.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Keep the busy time of a CSM's own calendar free. The address is not shown again."""
    address = sys.stdin.readline().strip() if url == "-" else url
    if not address:
        raise typer.BadParameter("no address was given: name it, or write it to stdin", param_hint="URL")
    with connect() as api:
        calendar = api.send("PUT", "scheduler", _path(csm), {"url": address})
    if as_json:
        print_json(calendar)
    else:
        print_text(describe_calendar(calendar))


@app.command("show")
def show_calendars(
    csm: Annotated[str | None, typer.Argument(metavar="[CSM]", help="Only that of this CSM.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how reading the calendar of a CSM goes, or of all. Exit code 1 when one cannot be read."""
    with connect() as api:
        found = api.get("scheduler", "/v1/busy-calendars" if csm is None else _path(csm))
    calendars = items(found) if csm is None else [found]
    if as_json:
        print_json(found)
    else:
        rows = [(text(each, "csm_id"), describe_calendar(each)) for each in calendars]
        print_table("Busy calendars", ("CSM", "how it goes"), rows)
    if any(each.get("problem") for each in calendars):
        raise typer.Exit(1)


@app.command("remove")
def remove_calendar(csm: Csm, as_json: AsJson = False) -> None:
    """Forget the address of a CSM's own calendar, and what was read of it."""
    with connect() as api:
        api.send("DELETE", "scheduler", _path(csm))
    if as_json:
        print_json({"removed": csm})
    else:
        print_text("The calendar is forgotten: its busy time does not count any more.")


def _path(csm: str) -> str:
    return f"/v1/csms/{quote(csm, safe='')}/busy-calendar"
