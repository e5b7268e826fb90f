"""The command that shows a message as it would be written now, and sends it as a test."""

from typing import Annotated

import typer

from schemas.vocabulary import Reader
from services.console.client import connect
from services.console.json_fields import Json, text
from services.console.terminal import AsJson, print_json, print_text

app = typer.Typer(no_args_is_help=True, help="The content of messages.")


@app.callback()
def content() -> None:
    """The content of messages."""


@app.command()
def preview(  # noqa: PLR0913, PLR0917 - options of a command
    touchpoint_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as value_report.")],
    account: Annotated[str, typer.Option(metavar="ID", help="The account it is about.")],
    contact: Annotated[
        str | None, typer.Option(metavar="ID", help="Who reads it; else the account's first contact.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="Such as de or pt-BR; else the contact's.")
    ] = None,
    reader: Annotated[Reader, typer.Option(help="For the customer, or for the owner.")] = "customer",
    send_to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Send it there as a test.")] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show a message as it would be written now, with the figures of the account.

    Blocks with a value that is not known are left out; the values are named below the text.
    """
    wanted: dict[str, str | None] = {
        "touchpoint_type": touchpoint_type,
        "account_id": account,
        "contact_id": contact,
        "language": language,
        "reader": reader,
    }
    with connect() as api:
        if send_to is None:
            answer = api.get("notifier", "/v1/preview", **wanted)
        else:
            body: Json = {name: value for name, value in wanted.items() if value is not None}
            answer = api.send("POST", "notifier", "/v1/preview/send", {**body, "to": send_to})
    if as_json:
        print_json(answer)
    elif send_to is None:
        print_text(_shown(answer))
    else:
        print_text(f"{text(answer, 'state')} to {send_to}: {text(answer, 'detail')}")
    if answer.get("not_sent") or answer.get("state") == "failed":
        raise typer.Exit(1)


def _shown(answer: Json) -> str:
    """Subject, text, and what is missing."""
    missing = answer.get("missing")
    names = ", ".join(map(str, missing)) if isinstance(missing, list) else ""  # pyright: ignore[reportUnknownArgumentType]
    note = f"\n\nNot known, and left out: {names}" if names else ""
    if answer.get("not_sent"):
        return f"Nothing would be sent: {answer['not_sent']}{note}"
    return f"Subject: {text(answer, 'subject')} ({text(answer, 'language')})\n\n{text(answer, 'text')}{note}"
