"""What an operator asks and does at the terminal: facts in, accounts, what is due, what is parked."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.console import terminal
from services.console.calls import APIS, Api, Service, settings
from services.console.event_batches import requests

app = typer.Typer()
events = typer.Typer(no_args_is_help=True, help="Facts in.")
app.add_typer(events, name="events")

AsJson = Annotated[bool, typer.Option("--json", help="The document itself, for programs.")]


@events.command("post")
def post(
    file: Annotated[Path, typer.Argument(help="One event, an array, or one per line; - reads stdin.")],
) -> None:
    """Send a file of CloudEvents; refusals are listed with their reasons."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as trouble:
        raise typer.BadParameter(f"{file} cannot be read ({trouble.strerror})") from trouble
    accepted, refused = 0, list[terminal.Json]()
    with Api(settings()) as api:
        for request in requests(content):
            answer = api.post("rules_engine", "/v1/events", request.content, request.media_type)
            for result in terminal.items(answer, "results"):
                if result.get("status") == "accepted":
                    accepted += 1
                else:
                    refused.append({**result, "index": int(str(result.get("index", 0))) + request.first})
    terminal.screen.print(f"{accepted} accepted, {len(refused)} not")
    if refused:
        rows = [(each["index"], each.get("id"), each.get("status"), _problem(each)) for each in refused]
        terminal.table("Not accepted", ("place", "id", "status", "why"), rows)
        raise typer.Exit(1)


@app.command()
def account(account_id: str, as_json: AsJson = False) -> None:  # noqa: FBT002
    """One account: its facts, its plan and why, what is on the calendar."""
    with Api(settings()) as api:
        found = api.get("rules_engine", f"/v1/accounts/{account_id}")
        planned = api.get("scheduler", "/v1/touchpoints", account_id=account_id, limit=20)
    if as_json:
        terminal.document({**found, "calendar": planned.get("items")})
        return
    terminal.screen.print(f"{account_id}: {found.get('segment')}, {found.get('stage')}", style="bold")
    facts, plan = terminal.part(found, "facts"), terminal.part(found, "plan")
    rows = [
        (name, terminal.part(facts, name).get("value"), terminal.part(facts, name).get("time"))
        for name in facts
    ]
    terminal.table("Facts", ("fact", "value", "since"), rows)
    columns = ("touchpoint", "every days", "channel", "owner", "why")
    rhythms = terminal.items(plan, "rhythms")
    names = ("touchpoint_type", "every_days", "channel", "owner")
    terminal.table(
        "Rhythms",
        columns,
        [[*(each.get(name) for name in names), terminal.reason_text(each)] for each in rhythms],
    )
    terminal.touchpoints("Calendar", terminal.items(planned))


@app.command()
def due(
    csm: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """What is due now."""
    with Api(settings()) as api:
        found = api.get("scheduler", "/v1/touchpoints", status="due", csm_id=csm, limit=limit)
    if as_json:
        terminal.document(found)
    else:
        terminal.touchpoints("Due", terminal.items(found))


@app.command()
def parked(as_json: AsJson = False) -> None:  # noqa: FBT002
    """What could not be folded or read, with reasons. Exit code 1 when there is any."""
    with Api(settings()) as api:
        facts = list(api.every("rules_engine", "/v1/parked"))
        letters = [{"service": name, **each} for name in APIS for each in api.every(name, "/v1/dead-letters")]
    if as_json:
        terminal.document({"parked": facts, "dead_letters": letters})
    else:
        rows = [
            (each.get("id"), each.get("account_id"), each.get("type"), each.get("reason")) for each in facts
        ]
        terminal.table("Parked", ("id", "account", "type", "why"), rows)
        dead = [(each["service"], each.get("id"), each.get("topic"), each.get("reason")) for each in letters]
        terminal.table("Dead letters", ("service", "id", "topic", "why"), dead)
    if facts or letters:
        raise typer.Exit(1)


@app.command()
def replay(
    item: Annotated[str | None, typer.Argument(help="An id that `drumbeat parked` shows.")] = None,
    dead_letter_of: Annotated[
        Literal["rules_engine", "scheduler", "notifier"] | None,
        typer.Option(help="A dead letter of this service."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is parked or dead.")] = False,  # noqa: FBT002
) -> None:
    """Drive a parked fact, or a dead letter, again."""
    if (item is None) != everything:
        raise typer.BadParameter("give one id, or --all")
    with Api(settings()) as api:
        if everything:
            driven = [_replay(api, *each) for each in waiting(api)]
        else:
            service = dead_letter_of or "rules_engine"
            driven = [
                _replay(api, service, "parked" if dead_letter_of is None else "dead-letters", str(item))
            ]
    terminal.screen.print(f"{len(driven)} driven again" if everything else f"{item}: {driven[0]}")


def waiting(api: Api) -> list[tuple[Service, str, str]]:
    """Everything parked or dead, as (service, kind, id)."""
    places: list[tuple[Service, str]] = [
        ("rules_engine", "parked"),
        *((name, "dead-letters") for name in APIS),
    ]
    return [(name, kind, str(each["id"])) for name, kind in places for each in api.every(name, f"/v1/{kind}")]


def _replay(api: Api, service: Service, kind: str, item: str) -> object:
    return api.post(service, f"/v1/{kind}/{item}/replay").get("status")


def _problem(result: terminal.Json) -> object:
    return terminal.part(result, "problem").get("detail") or result.get("problem")
