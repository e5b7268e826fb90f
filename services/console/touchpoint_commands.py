"""Commands that act on one touchpoint: what its owner does from a mail or a page, from the terminal."""
# ruff: noqa: FBT002 - flags of commands

import re
from typing import Annotated, Final
from urllib.parse import quote

import typer

from schemas.times import parse_instant
from schemas.vocabulary import Outcome
from services.console.client import ApiClient, connect
from services.console.json_fields import Json, nested, text, texts
from services.console.terminal import AsJson, cell, print_json, print_text

app = typer.Typer()

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TouchpointId = Annotated[str, typer.Argument(metavar="ID", help="An id from `drumbeat due`.")]
Person = Annotated[str, typer.Argument(metavar="CSM", help="The id of a person.")]
Version = Annotated[
    int | None,
    typer.Option(min=0, help="The `sequence` you last read; without it, the current one is read first."),
]

Actor = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="CSM", help="The person who acts: you are not told of what you did yourself."
    ),
]
Only = Annotated[bool, typer.Option("--only", help="Only this one, not those that belong together with it.")]


@app.command()
def claim(
    touchpoint_id: TouchpointId, csm_id: Person, version: Version = None, as_json: AsJson = False
) -> None:
    """Give a touchpoint that nobody has to a person."""
    _act(touchpoint_id, "claim", {"csm_id": csm_id}, version, as_json=as_json)


@app.command()
def assign(
    touchpoint_id: TouchpointId,
    csm_id: Person,
    only: Only = False,
    actor: Actor = None,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Give a touchpoint to another person."""
    body: Json = {"csm_id": csm_id, "only": only, "actor_id": actor}
    _act(touchpoint_id, "reassign", body, version, as_json=as_json)


@app.command()
def done(
    touchpoint_id: TouchpointId,
    outcome: Annotated[Outcome, typer.Option(help="How it ended.")] = "completed",
    notes: Annotated[str | None, typer.Option(help="What was said, for the next conversation.")] = None,
    only: Only = False,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Enter the outcome of a touchpoint."""
    _act(
        touchpoint_id, "settle", {"outcome": outcome, "notes": notes, "only": only}, version, as_json=as_json
    )


@app.command()
def move(  # noqa: PLR0913, PLR0917 - options of a command
    touchpoint_id: TouchpointId,
    to: Annotated[
        str,
        typer.Argument(
            metavar="TO", help="RFC 3339 with a zone, or a date: at the time of day it is due now, in UTC."
        ),
    ],
    reason: Annotated[str | None, typer.Option(help="Why; shown with the touchpoint.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also into the past or after the deadline; needs --reason.")
    ] = False,
    actor: Actor = None,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Move a touchpoint and those that belong together with it. What has come due is settled, and others replace it."""
    check_moment(to)
    if force and not (reason or "").strip():
        raise typer.BadParameter("--force needs --reason: say why")
    with connect() as api:
        item = _read(api, touchpoint_id)
        if DATE.fullmatch(to):
            to += text(item, "due_at")[10:]
        body: Json = {"to": to, "force": force, "reason": reason, "actor_id": actor}
        answer = _post(api, touchpoint_id, "reschedule", body, item if version is None else version)
    _show(answer, as_json=as_json)


@app.command()
def skip(
    touchpoint_id: TouchpointId,
    reason: Annotated[str, typer.Option(help="Why; shown with the touchpoint.")] = "skipped",
    only: Only = False,
    actor: Actor = None,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a touchpoint, with a reason."""
    body: Json = {"reason": reason, "only": only, "actor_id": actor}
    _act(touchpoint_id, "cancel", body, version, as_json=as_json)


@app.command()
def undo(
    touchpoint_id: TouchpointId, actor: Actor = None, version: Version = None, as_json: AsJson = False
) -> None:
    """Undo the last act on a touchpoint, within ten minutes and if nothing happened since."""
    _act(touchpoint_id, "undo", {"actor_id": actor}, version, as_json=as_json)


def check_moment(to: str) -> None:
    """Raises `typer.BadParameter` for what is neither a date nor an instant."""
    try:
        parse_instant(f"{to}T00:00:00Z" if DATE.fullmatch(to) else to)
    except ValueError as wrong:
        raise typer.BadParameter(
            f"{to!r} is neither a date nor an instant ({wrong}); write 2026-03-06 or 2026-03-06T09:00:00+01:00"
        ) from wrong


def _act(touchpoint_id: str, deed: str, body: Json, version: int | None, *, as_json: bool) -> None:
    with connect() as api:
        known = _read(api, touchpoint_id) if version is None else version
        answer = _post(api, touchpoint_id, deed, body, known)
    _show(answer, as_json=as_json)


def _path(touchpoint_id: str) -> str:
    return f"/v1/touchpoints/{quote(touchpoint_id, safe='')}"


def _read(api: ApiClient, touchpoint_id: str) -> Json:
    return api.get("scheduler", _path(touchpoint_id))


def _post(api: ApiClient, touchpoint_id: str, deed: str, body: Json, known: Json | int) -> Json:
    version = known if isinstance(known, int) else known["sequence"]
    return api.send("POST", "scheduler", f"{_path(touchpoint_id)}/{deed}", {**body, "version": version})


def _show(item: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    owner = nested(item, "owner")
    person = text(owner, "name") or text(owner, "csm_id") or "nobody"
    words = f"{text(item, 'type')} of {text(item, 'account_id')}: {text(item, 'status')}"
    others = len(texts(item, "together_with")) if text(item, "undo_until") else 0
    if others:
        print_text(f"Done to {others} more that belong together with it (--only: to this one alone)")
    print_text(f"{words}, due {cell(item.get('due_at'))}, {person} has it")
    until = text(item, "undo_until")
    if until:
        print_text(f"`drumbeat undo {text(item, 'id')}` takes it back, until {cell(until)}")
