"""`drumbeat feeds`: addresses to which calendars subscribe."""
# ruff: noqa: FBT002 - flags of commands

from typing import Annotated
from urllib.parse import quote

import typer

from services.console import busy_calendar_commands
from services.console.client import connect
from services.console.json_fields import Json, items, text
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer(no_args_is_help=True, help="Calendar feeds: addresses to which calendars subscribe.")
app.add_typer(busy_calendar_commands.app, name="busy")
Csm = Annotated[str | None, typer.Option(metavar="ID", help="All work of this CSM.")]
Account = Annotated[
    str | None, typer.Option(metavar="ID", help="What the customer of this account takes part in.")
]


@app.command("make")
def make_feed(csm: Csm = None, account: Account = None, as_json: AsJson = False) -> None:
    """Make an address. Whoever has it reads the calendar; it is not shown again."""
    body: Json = {name: value for name, value in _owner(csm, account).items() if value is not None}
    with connect() as api:
        made = api.send("POST", "scheduler", "/v1/calendars", body)
    if as_json:
        print_json(made)
    else:
        print_text(text(made, "url"))
        print_text(f"`drumbeat feeds revoke {text(made, 'id')}` ends it")


@app.command("list")
def list_feeds(csm: Csm = None, account: Account = None, as_json: AsJson = False) -> None:
    """List the addresses of a CSM or an account, without what is secret of them."""
    owner = _owner(csm, account)
    with connect() as api:
        found = api.get("scheduler", "/v1/calendars", account_id=owner["account_id"], csm_id=owner["csm_id"])
    if as_json:
        print_json(found)
    else:
        print_table(
            "Calendar feeds", ("id", "made"), [(each.get("id"), each.get("made_at")) for each in items(found)]
        )


@app.command("revoke")
def revoke_feed(
    feed: Annotated[str, typer.Argument(metavar="ID", help="An id from `drumbeat feeds list`, or a token.")],
    as_json: AsJson = False,
) -> None:
    """End an address."""
    with connect() as api:
        api.send("DELETE", "scheduler", f"/v1/calendars/{quote(feed, safe='')}")
    if as_json:
        print_json({"revoked": feed})
    else:
        print_text("The address is revoked.")


def _owner(csm: str | None, account: str | None) -> dict[str, str | None]:
    """Raises `typer.BadParameter` unless exactly one is given."""
    if (csm is None) == (account is None):
        raise typer.BadParameter("give either --csm or --account")
    return {"account_id": account, "csm_id": csm}
