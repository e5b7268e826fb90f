"""API keys at the terminal: list, create, revoke. A secret is shown once, when it is made."""

import json
from typing import Annotated

import typer

from services.console import terminal
from services.console.calls import Api, settings

app = typer.Typer(invoke_without_command=True, help="API keys: list, create, revoke.")


@app.callback()
def list_keys(context: typer.Context) -> None:
    """Without a command: the keys there are, never their secrets."""
    if context.invoked_subcommand is not None:
        return
    with Api(settings()) as api:
        found = terminal.items(api.get("rules_engine", "/v1/keys"))
    names = ("key_id", "name", "scopes", "expires_at", "revoked")
    terminal.table("Keys", names, [[each.get(name) for name in names] for each in found])


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    scope: Annotated[list[str], typer.Option(help="events, read, act or admin; may be repeated.")],
    days: Annotated[int | None, typer.Option(min=1, help="How long it works; absent: until revoked.")] = None,
) -> None:
    """A new key, shown once."""
    wish = json.dumps({"name": name, "scopes": scope, "days": days}).encode()
    with Api(settings()) as api:
        terminal.screen.print(str(api.post("rules_engine", "/v1/keys", wish).get("key")), soft_wrap=True)


@app.command("revoke")
def revoke_key(key_id: str) -> None:
    """A key stops working everywhere."""
    with Api(settings()) as api:
        api.delete("rules_engine", f"/v1/keys/{key_id}")
    terminal.screen.print(f"{key_id}: revoked")
