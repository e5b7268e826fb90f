"""`drumbeat audit`: who changed what, and whether the log is as it was written."""

from typing import Annotated, Final

import typer

from services.console.client import connect
from services.console.json_fields import Json, items, number, text
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer(no_args_is_help=True, help="The audit log: who changed what.")
_MOST: Final = 500
_COLUMNS: Final = ("seq", "at", "actor", "action", "object", "detail")


@app.command("list")
def list_entries(  # noqa: PLR0913, PLR0917 - options of a command
    actor: Annotated[
        str | None, typer.Option(help="A key's id, `link`, `drumbeat`, or how it begins.")
    ] = None,
    action: Annotated[str | None, typer.Option(help="For instance `policy.published`, or `policy`.")] = None,
    object_: Annotated[
        str | None, typer.Option("--object", help="`kind/id`, for instance `contact/ann`.")
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", help="At or after this moment (RFC 3339).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Before this moment (RFC 3339).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="The newest so many.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List entries, newest first."""
    query = {"actor": actor, "action": action, "object": object_, "from": begin, "to": end, "limit": limit}
    with connect() as api:
        found = items(api.get("rules_engine", "/v1/audit", **query))
    if as_json:
        print_json(found)
    else:
        print_table("Audit log", _COLUMNS, [[entry.get(name) for name in _COLUMNS] for entry in found])


@app.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="A head that an earlier run printed as `number:hash`: it must be in the chain."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Follow the chain of hashes. Exit code 1 when an entry was changed, removed or moved."""
    with connect() as api:
        found = api.get("rules_engine", "/v1/audit/verify", head=head)
    if as_json:
        print_json(found)
    else:
        _print_verdict(found)
    if text(found, "problem"):
        raise typer.Exit(1)


def _print_verdict(found: Json) -> None:
    problem, last = text(found, "problem"), number(found, "last")
    entries = f"{number(found, 'entries'):,} entries, {number(found, 'first')} to {last}"
    if problem:
        print_text(f"The audit log is not as it was written: {problem}. {entries} were followed before.")
    else:
        print_text(f"The audit log is as it was written: {entries}.")
        print_text(
            f"Its head is {last}:{text(found, 'head')}. Keep it elsewhere, and give it with --head later."
        )
