"""Commands that read and change a deployment: accounts, touchpoints, dead letters, API keys."""
# ruff: noqa: FBT002 - flags of commands

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from services.chassis.key_files import create_key_files
from services.chassis.settings import CannotStart
from services.console.client import SERVICES, ApiClient, Service, connect
from services.console.json_fields import Json, items, nested, text
from services.console.rule_view import interval
from services.console.terminal import AsJson, print_json, print_table, print_text
from services.console.touchpoints import touchpoints

app = typer.Typer()
keys = typer.Typer(invoke_without_command=True, help="List, create, rotate and revoke API keys.")
app.add_typer(keys, name="keys")


@app.command()
def account(account_id: str, as_json: AsJson = False) -> None:
    """Show an account: its facts, its plan with reasons, its calendar."""
    with connect() as api:
        document = api.get("rules_engine", f"/v1/accounts/{quote(account_id, safe='')}")
        calendar = items(api.get("scheduler", "/v1/touchpoints", account_id=account_id, limit=20))
    if as_json:
        print_json({**document, "calendar": calendar})
        return
    print_text(", ".join(filter(None, (account_id, text(document, "segment"), text(document, "stage")))))
    facts = {name: nested(nested(document, "facts"), name) for name in nested(document, "facts")}
    rows = [(name, fact.get("value"), fact.get("time")) for name, fact in facts.items()]
    print_table("Facts", ("fact", "value", "since"), rows)
    rows = [
        (
            text(rhythm, "touchpoint_type"),
            interval(rhythm),
            *(text(rhythm, name) for name in ("channel", "owner")),
            text(nested(rhythm, "reason"), "text"),
        )
        for rhythm in items(nested(document, "plan"), "rhythms")
    ]
    print_table("Rhythms", ("touchpoint", "how often", "channel", "owner", "why"), rows)
    _print_touchpoints("Calendar", calendar)


def _print_touchpoints(title: str, documents: list[Json]) -> None:
    rows = [
        (
            item.id,
            f"{item.due_at:%Y-%m-%d %H:%M}",
            item.account_id,
            item.type,
            item.status,
            item.contact,
            item.why,
        )
        for item in touchpoints(documents)
    ]
    print_table(title, ("id", "due", "account", "touchpoint", "status", "channel and owner", "why"), rows)


@app.command()
def due(
    csm: Annotated[str | None, typer.Option(metavar="ID", help="Only touchpoints of this CSM.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show at most this many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the touchpoints that are due now."""
    with connect() as api:
        document = api.get("scheduler", "/v1/touchpoints", status="due", csm_id=csm, limit=limit)
    if as_json:
        print_json(document)
    else:
        _print_touchpoints("Due", items(document))


@app.command()
def parked(as_json: AsJson = False) -> None:
    """List parked events and dead letters with reasons. Exit code 1 when there are any."""
    with connect() as api:
        facts = list(api.list_all("rules_engine", "/v1/parked"))
        letters = [
            {"service": service, **letter}
            for service in SERVICES
            for letter in api.list_all(service, "/v1/dead-letters")
        ]
    if as_json:
        print_json({"parked": facts, "dead_letters": letters})
    else:
        for title, rows, names in (
            ("Parked events", facts, ("id", "account_id", "type", "reason")),
            ("Dead letters", letters, ("service", "id", "topic", "reason")),
        ):
            columns = [name.removesuffix("_id") if name != "reason" else "why" for name in names]
            print_table(title, columns, [[row.get(name) for name in names] for row in rows])
    if facts or letters:
        raise typer.Exit(1)


@app.command()
def replay(
    item: Annotated[str | None, typer.Argument(metavar="ID", help="An id from `drumbeat parked`.")] = None,
    dead_letter_of: Annotated[
        Service | None,
        typer.Option(help="The id is that of a dead letter of this service."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Retry all parked events and dead letters.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Retry a parked event or a dead letter."""
    if (item is None) != everything:
        raise typer.BadParameter("give one id, or --all")
    with connect() as api:
        chosen: list[tuple[Service, str, str]]
        if item is None:
            chosen = _all_parked(api)
        elif dead_letter_of is None:
            chosen = [("rules_engine", "parked", item)]
        else:
            chosen = [(dead_letter_of, "dead-letters", item)]
        results: list[Json] = [
            {
                "service": service,
                "id": identity,
                "status": api.send("POST", service, f"/v1/{kind}/{identity}/replay").get("status"),
            }
            for service, kind, identity in chosen
        ]
    if as_json:
        print_json(results)
    else:
        refused = sum(str(result["status"]).startswith("refused") for result in results)
        again = f", {refused} of them refused again" if refused else ""
        print_text(f"{len(results)} retried{again}" if everything else f"{item}: {results[0]['status']}")


def _all_parked(api: ApiClient) -> list[tuple[Service, str, str]]:
    """Every parked event and dead letter as (service, kind, id)."""
    lists: list[tuple[Service, str]] = [
        ("rules_engine", "parked"),
        *((service, "dead-letters") for service in SERVICES),
    ]
    return [
        (service, kind, str(item["id"]))
        for service, kind in lists
        for item in api.list_all(service, f"/v1/{kind}")
    ]


@keys.callback()
def list_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """List API keys; their secrets are not stored."""
    if context.invoked_subcommand is not None:
        return
    with connect() as api:
        listed = items(api.get("rules_engine", "/v1/keys"))
    if as_json:
        print_json(listed)
    else:
        names = ("key_id", "name", "scopes", "expires_at", "last_used_at", "replaced_by", "revoked")
        print_table("Keys", names, [[key.get(name) for name in names] for key in listed])


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who or what uses the key.")],
    scope: Annotated[
        list[str],
        typer.Option(help="signals, directory, consent, act, read, policy or admin; may be repeated."),
    ],
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; without it, it does not expire.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key and show its secret once."""
    with connect() as api:
        key = api.send("POST", "rules_engine", "/v1/keys", {"name": name, "scopes": scope, "days": days})
    if as_json:
        print_json(key)
    else:
        typer.echo(key.get("key"))


@keys.command("rotate")
def rotate_key(
    key_id: str,
    overlap_hours: Annotated[
        int, typer.Option(min=1, max=2160, help="Hours until the former key ends.")
    ] = 168,
    days: Annotated[
        int | None,
        typer.Option(min=1, help="Days until the new key expires; needed if the former one has an end."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key with the same name and scopes beside this one, which ends later, and show its secret once."""
    body: Json = {"overlap_hours": overlap_hours, "days": days}
    with connect() as api:
        key = api.send("POST", "rules_engine", f"/v1/keys/{quote(key_id, safe='')}/rotate", body)
    if as_json:
        print_json(key)
        return
    typer.echo(key.get("key"))
    ends_at = text(nested(key, "replaces"), "expires_at")
    typer.echo(f"{key_id} ends at {ends_at}; {text(key, 'key_id')} replaces it", err=True)


@keys.command("files")
def create_files(
    folder: Annotated[Path, typer.Argument(help="Where; those that are there already stay as they are.")],
) -> None:
    """Create the key files of a new deployment, which all replicas share: api-key, secrets-key, address-key."""
    try:
        new = create_key_files(folder)
    except CannotStart as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from problem
    for path in new:
        print_text(f"{path}: created; keep a copy")
    if not new:
        print_text(f"{folder}: all key files are there")


@keys.command("revoke")
def revoke_key(key_id: str, as_json: AsJson = False) -> None:
    """Revoke an API key in every service."""
    with connect() as api:
        answer = api.send("DELETE", "rules_engine", f"/v1/keys/{key_id}")
    if as_json:
        print_json(answer)
    else:
        print_text(f"{key_id}: revoked")
