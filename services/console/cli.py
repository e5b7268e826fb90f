"""`drumbeat`: the command line. Exit code 0 when all is well, 1 on findings, 2 on wrong use.

Acting on a deployment goes through the HTTP APIs; services and offline policy tools are started as
`python -m services.<name>`, in place of this process.
"""

import os
import sys
from typing import Annotated, Literal, NoReturn

import typer

from services.console import asking, keys, policies, policy_commands
from services.console.calls import CallFailed

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(asking.app)
app.add_typer(keys.app, name="keys")


def become(module: str, *words: str) -> NoReturn:
    """Go on as another module of this installation."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606


@app.command()
def run() -> None:
    """Everything on this machine: embedded parts and the four services, until Ctrl-C."""
    become("services.devstack.supervisor")


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
    become("services.chassis.migrate")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def policy(words: typer.Context) -> None:
    """On a deployment: publish PATH, rollback VERSION, list. On files alone: check, test, explain, diff and more."""
    if words.args and words.args[0] in policies.COMMANDS:
        policies.app(words.args, prog_name="drumbeat policy")
    raise typer.Exit(policy_commands.policy(words.args))


@app.command()
def doctor() -> None:
    """Look at everything a run needs. Exit code 1 when something is wrong."""
    become("services.devstack.doctor")


def main() -> None:
    try:
        app()
    except CallFailed as trouble:
        sys.stderr.write(f"drumbeat: {trouble}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
