"""`drumbeat users`: who may sign in to the console, and with which role. Passwords are never arguments."""
# ruff: noqa: FBT002 - flags of commands

import sys
from typing import Annotated, Literal
from urllib.parse import quote

import typer

from services.chassis.access_settings import Role
from services.console.client import connect
from services.console.json_fields import Json, text
from services.console.terminal import AsJson, print_json, print_table, print_text

User = Annotated[str, typer.Argument(metavar="USER", help="The login or the id of the user.")]
PasswordFrom = Annotated[
    Literal["terminal", "stdin"],
    typer.Option("--password-from", help="Where the password is typed or read; it is never an argument."),
]
_COLUMNS = ("login", "name", "email", "role", "state", "has_password", "issuer", "last_used_at")

app = typer.Typer(invoke_without_command=True, help="List, add and change users of the console.")


@app.callback()
def list_when_alone(context: typer.Context, as_json: AsJson = False) -> None:
    """List users."""
    if context.invoked_subcommand is None:
        list_users(as_json)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List users, by login."""
    with connect() as api:
        found = list(api.list_all("rules_engine", "/v1/users"))
    if as_json:
        print_json(found)
    else:
        print_table("Users", _COLUMNS, [[user.get(name) for name in _COLUMNS] for user in found])


@app.command("add")
def add_user(
    login: Annotated[str, typer.Argument(help="The name with which they sign in, or a mail address.")],
    role: Annotated[Role, typer.Option(help="What they may do; docs/people.md has the table.")],
    name: Annotated[str | None, typer.Option(help="As others read it; without it, the login.")] = None,
    email: Annotated[
        str | None,
        typer.Option(help="Links them to the CSM with this address, and to the identity provider."),
    ] = None,
    source: Annotated[
        Literal["terminal", "stdin", "none"],
        typer.Option(
            "--password-from",
            help="Where the password is typed or read; none: they sign in at the identity provider.",
        ),
    ] = "terminal",
    as_json: AsJson = False,
) -> None:
    """Add a user; the password is asked for."""
    given: Json = {"login": login, "role": role, "name": name, "email": email}
    body = {field: value for field, value in given.items() if value is not None}
    with connect() as api:
        if source != "none":
            body["password"] = _read_password(source)
        user = api.send("POST", "rules_engine", "/v1/users", body)
    _report(user, f"{text(user, 'login')}: added as {text(user, 'role')}", as_json=as_json)


@app.command("role")
def set_role(user: User, role: Annotated[Role, typer.Argument()], as_json: AsJson = False) -> None:
    """Give a user another role. Their sessions end."""
    with connect() as api:
        answer = api.send("PUT", "rules_engine", f"{_path(user)}/role", {"role": role})
    _report(answer, f"{text(answer, 'login')}: {role} from now on", as_json=as_json)


@app.command("password")
def set_password(user: User, source: PasswordFrom = "terminal", as_json: AsJson = False) -> None:
    """Give a user another password. Their sessions end."""
    with connect() as api:
        body: Json = {"password": _read_password(source)}
        answer = api.send("PUT", "rules_engine", f"{_path(user)}/password", body)
    _report(answer, f"{text(answer, 'login')}: has another password", as_json=as_json)


@app.command("disable")
def disable_user(user: User, as_json: AsJson = False) -> None:
    """Disable a user: they cannot sign in, and their sessions end."""
    with connect() as api:
        answer = api.send("POST", "rules_engine", f"{_path(user)}/disable")
    _report(answer, f"{text(answer, 'login')}: disabled", as_json=as_json)


@app.command("enable")
def enable_user(user: User, as_json: AsJson = False) -> None:
    """Enable a user again."""
    with connect() as api:
        answer = api.send("POST", "rules_engine", f"{_path(user)}/enable")
    _report(answer, f"{text(answer, 'login')}: enabled", as_json=as_json)


@app.command("erase")
def erase_user(
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a user for good: their sessions end. The audit log keeps the id."""
    if not yes:
        typer.confirm(f"Erase the user {user} for good?", abort=True, err=True)
    with connect() as api:
        answer = api.send("DELETE", "rules_engine", _path(user))
    _report(answer, f"{user}: erased", as_json=as_json)


def _path(user: str) -> str:
    return f"/v1/users/{quote(user, safe='')}"


def _read_password(source: Literal["terminal", "stdin"]) -> str:
    if source == "stdin":
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask for the password: use --password-from stdin")
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True)


def _report(answer: Json, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_text(sentence)
