"""`drumbeat`: the command line. Exit code 0 when all is well, 1 on findings, 2 on wrong use.

Acting on a deployment goes through the HTTP APIs; services and offline policy tools are started as
`python -m services.<name>`, in place of this process.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from services.chassis.settings import Settings, SettingsRejected, load_settings
from services.console import tables
from services.console.calls import Api, CallFailed, Service
from services.console.doctor import examine
from services.console.posting import requests

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
events = typer.Typer(no_args_is_help=True, help="Facts in.")
keys = typer.Typer(invoke_without_command=True, help="API keys: list, create, revoke.")
app.add_typer(events, name="events")
app.add_typer(keys, name="keys")

AsJson = Annotated[bool, typer.Option("--json", help="The document itself, for programs.")]
_APIS: tuple[Service, ...] = ("rules_engine", "scheduler", "notifier")


def become(module: str, *words: str) -> NoReturn:
    """Go on as another module of this installation."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606


@app.command()
def run() -> None:
    """Everything on this machine: embedded parts and the four services, until Ctrl-C."""
    become("services.chassis.supervisor")


@app.command()
def serve(
    service: Literal["rules_engine", "scheduler", "notifier", "console"],
    port: Annotated[int | None, typer.Option(help="Listen here instead (a further replica).")] = None,
) -> None:
    """One service, on the addresses of the settings or of a running `drumbeat run`."""
    if port is not None:
        os.putenv(f"DRUMBEAT_{service.upper()}__PORT", str(port))
    become(f"services.{service}", "serve")


@app.command()
def migrate() -> None:
    """Bring the three databases to the schema of this version."""
    become("services.chassis.supervisor.migrate")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def policy(words: typer.Context) -> None:
    """Offline policy tools: check, test, explain, diff, backtest, simulate PATH."""
    become("services.rules_engine", "policy", *words.args)


@events.command("post")
def post(
    file: Annotated[Path, typer.Argument(help="One event, an array, or one per line; - reads stdin.")],
) -> None:
    """Send a file of CloudEvents; refusals are listed with their reasons."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as trouble:
        fail(f"{file} cannot be read ({trouble.strerror})", code=2)
    accepted, refused = 0, list[tables.Json]()
    with Api(settings()) as api:
        for request in requests(content):
            answer = api.post("rules_engine", "/v1/events", request.content, request.media_type)
            for result in tables.items(answer, "results"):
                if result.get("status") == "accepted":
                    accepted += 1
                else:
                    refused.append({**result, "index": int(str(result.get("index", 0))) + request.first})
    tables.screen.print(f"{accepted} accepted, {len(refused)} not")
    if refused:
        rows = [(each["index"], each.get("id"), each.get("status"), _problem(each)) for each in refused]
        tables.table("Not accepted", ("place", "id", "status", "why"), rows)
        raise typer.Exit(1)


@app.command()
def account(account_id: str, as_json: AsJson = False) -> None:  # noqa: FBT002
    """One account: its facts, its plan and why, what is on the calendar."""
    with Api(settings()) as api:
        found = api.get("rules_engine", f"/v1/accounts/{account_id}")
        planned = api.get("scheduler", "/v1/touchpoints", account_id=account_id, limit=20)
    if as_json:
        tables.document({**found, "calendar": planned.get("items")})
        return
    tables.screen.print(f"[bold]{account_id}[/]  {found.get('segment')}, {found.get('stage')}")
    facts, plan = tables.part(found, "facts"), tables.part(found, "plan")
    rows = [
        (name, tables.part(facts, name).get("value"), tables.part(facts, name).get("time")) for name in facts
    ]
    tables.table("Facts", ("fact", "value", "since"), rows)
    columns = ("touchpoint", "every days", "channel", "owner", "why")
    rhythms = tables.items(plan, "rhythms")
    names = ("touchpoint_type", "every_days", "channel", "owner")
    tables.table(
        "Rhythms",
        columns,
        [[*(each.get(name) for name in names), tables.reason_text(each)] for each in rhythms],
    )
    tables.touchpoints("Calendar", tables.items(planned))


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
        tables.document(found)
    else:
        tables.touchpoints("Due", tables.items(found))


@app.command()
def parked(as_json: AsJson = False) -> None:  # noqa: FBT002
    """What could not be folded or read, with reasons. Exit code 1 when there is any."""
    with Api(settings()) as api:
        waiting = tables.items(api.get("rules_engine", "/v1/parked"))
        letters = [
            {"service": name, **each}
            for name in _APIS
            for each in tables.items(api.get(name, "/v1/dead-letters"))
        ]
    if as_json:
        tables.document({"parked": waiting, "dead_letters": letters})
    else:
        rows = [
            (each.get("id"), each.get("account_id"), each.get("type"), each.get("reason")) for each in waiting
        ]
        tables.table("Parked", ("id", "account", "type", "why"), rows)
        dead = [(each["service"], each.get("id"), each.get("topic"), each.get("reason")) for each in letters]
        tables.table("Dead letters", ("service", "id", "topic", "why"), dead)
    if waiting or letters:
        raise typer.Exit(1)


@app.command()
def replay(
    item: Annotated[str, typer.Argument(help="The id that `drumbeat parked` shows.")],
    dead_letter_of: Annotated[
        Literal["rules_engine", "scheduler", "notifier"] | None,
        typer.Option(help="A dead letter of this service."),
    ] = None,
) -> None:
    """Drive a parked fact, or a dead letter, again."""
    with Api(settings()) as api:
        if dead_letter_of is None:
            answer = api.post("rules_engine", f"/v1/parked/{item}/replay")
        else:
            answer = api.post(dead_letter_of, f"/v1/dead-letters/{item}/replay")
    tables.screen.print(f"{item}: {answer.get('status', 'driven again')}")


@keys.callback()
def list_keys(context: typer.Context) -> None:
    """Without a command: the keys there are, never their secrets."""
    if context.invoked_subcommand is not None:
        return
    with Api(settings()) as api:
        found = tables.items(api.get("rules_engine", "/v1/keys"))
    names = ("id", "scopes", "expires_at", "revoked")
    tables.table("Keys", names, [[each.get(name) for name in names] for each in found])


@keys.command("create")
def create_key(
    scope: Annotated[list[str], typer.Option(help="events, read, act or admin; may be repeated.")],
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339; absent: never.")] = None,
) -> None:
    """A new key, shown once."""
    wish = tables.json.dumps({"scopes": scope, "expires_at": expires_at}).encode()
    with Api(settings()) as api:
        tables.screen.print(str(api.post("rules_engine", "/v1/keys", wish).get("key")), soft_wrap=True)


@keys.command("revoke")
def revoke_key(key_id: str) -> None:
    """A key stops working everywhere."""
    with Api(settings()) as api:
        api.post("rules_engine", f"/v1/keys/{key_id}/revoke")
    tables.screen.print(f"{key_id}: revoked")


@app.command()
def doctor() -> None:
    """Look at everything a run needs. Exit code 1 when something is wrong."""
    findings = list(examine(settings()))
    for each in findings:
        tables.screen.print(f"{'✗' if each.remedy else '✓'} {each.what}: {each.found}", soft_wrap=True)
        if each.remedy:
            tables.screen.print(f"    {each.remedy}", soft_wrap=True)
    if any(each.remedy for each in findings):
        raise typer.Exit(1)


def settings() -> Settings:
    """The settings of this command; wrong ones are wrong use."""
    try:
        return load_settings()
    except SettingsRejected as wrong:
        fail(str(wrong), code=2)


def fail(sentence: str, *, code: int = 1) -> NoReturn:
    """One sentence on the error stream, and the end."""
    sys.stderr.write(f"drumbeat: {sentence}\n")
    raise typer.Exit(code)


def _problem(result: tables.Json) -> object:
    return tables.part(result, "problem").get("detail") or result.get("problem")


def main() -> None:
    try:
        app()
    except CallFailed as trouble:
        sys.stderr.write(f"drumbeat: {trouble}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
