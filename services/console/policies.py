"""Policies at the terminal: publish, roll back, list the versions of a deployment."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.console import terminal
from services.console.calls import Api, settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The policy of a deployment and its versions."
)
COMMANDS = ("publish", "rollback", "list")
Author = Annotated[str | None, typer.Option(help="Who; absent: whom the API key belongs to.")]
Note = Annotated[str, typer.Option(help="Why; people read it in the list of versions.")]


@app.command("publish")
def publish(
    path: Annotated[Path, typer.Argument(help="A policy file, or a flat folder of them.")],
    note: Note = "",
    author: Author = None,
    based_on: Annotated[
        str | None,
        typer.Option(help="Hash of the version you changed; refused when another one is in force."),
    ] = None,
) -> None:
    """Put a policy in force, now and on every replica. A policy with mistakes is refused with the place of each."""
    wish = {"files": read(path), "name": path.name, "note": note, "author": author, "based_on": based_on}
    with Api(settings()) as api:
        answer = api.put("rules_engine", "/v1/policies/current", json.dumps(wish).encode())
    _tell(answer)


@app.command("rollback")
def rollback(
    version: Annotated[int, typer.Argument(min=1, help="A number that `drumbeat policy list` shows.")],
    note: Note = "",
    author: Author = None,
) -> None:
    """Put an earlier version in force again, as a version of its own."""
    wish = {"version": version, "note": note, "author": author}
    with Api(settings()) as api:
        answer = api.post("rules_engine", "/v1/policies/rollback", json.dumps(wish).encode())
    _tell(answer)


@app.command("list")
def versions(
    as_json: Annotated[bool, typer.Option("--json", help="The documents, for programs.")] = False,  # noqa: FBT002
) -> None:
    """The versions there were, newest first, and how far accounts have followed."""
    with Api(settings()) as api:
        found = list(api.every("rules_engine", "/v1/policies"))
        progress = api.get("rules_engine", "/v1/policies/progress")
    if as_json:
        terminal.document({"items": found, "progress": progress})
        return
    columns = ("version", "in force", "published", "by", "from", "name", "hash", "why")
    terminal.table("Policies", columns, [_row(each) for each in found])
    about = "about " if progress.get("estimated") else ""
    terminal.screen.print(
        f"{about}{progress.get('behind')} of {progress.get('accounts')} accounts to be decided anew"
    )


def read(path: Path) -> dict[str, str]:
    """The policy's files by name, the same that `policy check` reads; what cannot be read is wrong use."""
    texts: dict[str, str] = {}
    for file in _files(path) if path.is_dir() else [path]:
        try:
            texts[file.name] = file.read_text(encoding="utf-8-sig")
        except OSError as trouble:
            raise typer.BadParameter(f"{file} cannot be read ({trouble.strerror})") from trouble
        except UnicodeDecodeError as trouble:
            raise typer.BadParameter(f"{file} is no text in UTF-8 ({trouble.reason})") from trouble
    if not texts:
        raise typer.BadParameter(f"{path} holds no *.yaml file of a policy")
    return texts


def _files(folder: Path) -> list[Path]:
    seen = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    overlooked = [file for file in seen if file.suffix == ".yml"]
    if overlooked:
        raise typer.BadParameter(f"{overlooked[0]}: policy files end in .yaml; rename it")
    return [file for file in seen if file.suffix == ".yaml" and not file.name.endswith("_test.yaml")]


def _tell(answer: terminal.Json) -> None:
    state = "is in force" if answer.get("changed") else "was in force already; nothing changed"
    terminal.screen.print(f"version {answer.get('version')} {state} ({answer.get('hash')})", soft_wrap=True)


def _row(each: terminal.Json) -> tuple[object, ...]:
    return (
        each.get("version"),
        "yes" if each.get("in_force") else "",
        each.get("published_at"),
        each.get("author"),
        each.get("origin"),
        each.get("name"),
        str(each.get("hash"))[:16],
        each.get("note"),
    )
