"""Commands for whoever operates a deployment: the mode in force, and erasure."""
# ruff: noqa: FBT002 - flags of commands

from typing import Annotated
from urllib.parse import quote

import typer

from schemas.vocabulary import Mode
from services.console.client import connect
from services.console.json_fields import text
from services.console.terminal import AsJson, print_json, print_text

app = typer.Typer()


@app.command()
def mode(
    wanted: Annotated[
        Mode | None, typer.Argument(metavar="[live|hold|observe]", help="Switch to this mode.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the mode in force, or switch it without a restart.

    Under hold and observe nothing reaches customers; what comes due meanwhile expires and is not sent later.
    """
    with connect() as api:
        if wanted is None:
            answer = api.get("rules_engine", "/v1/mode")
        else:
            answer = api.send("PUT", "rules_engine", "/v1/mode", {"mode": wanted})
    if as_json:
        print_json(answer)
    else:
        since = text(answer, "since")
        print_text(text(answer, "mode") + (f" since {since}" if since else ""))


@app.command()
def erase(
    account_id: Annotated[str | None, typer.Argument(metavar="ACCOUNT")] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="ID", help="Erase only this contact of the account.")
    ] = None,
    csm: Annotated[str | None, typer.Option(metavar="ID", help="Erase a CSM instead of an account.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase an account, one of its contacts, or a CSM, from every service. It cannot be undone."""
    path, what = _erased(account_id, contact, csm)
    if not yes:
        typer.confirm(f"Erase the {what} for good?", abort=True, err=True)
    with connect() as api:
        receipt = api.send("DELETE", "rules_engine", path)
    if as_json:
        print_json(receipt)
    else:
        clear_by = text(receipt, "topics_clear_by")
        print_text(f"{what}: erased; the topics of Kafka have nothing of it from {clear_by}")


def _erased(account_id: str | None, contact: str | None, csm: str | None) -> tuple[str, str]:
    """The path and a name of what is to be erased."""
    if csm is not None:
        if account_id is not None or contact is not None:
            raise typer.BadParameter("erase a CSM by itself: leave out the account and the contact")
        return f"/v1/csms/{quote(csm, safe='')}", f"CSM {csm}"
    if account_id is None:
        raise typer.BadParameter("name the account, or a CSM with --csm")
    path, what = f"/v1/accounts/{quote(account_id, safe='')}", f"account {account_id}"
    if contact is None:
        return path, what
    return f"{path}/contacts/{quote(contact, safe='')}", f"contact {contact} of {what}"
