"""`drumbeat events post`: send a file of events, with a progress bar, and go on after an interruption."""
# ruff: noqa: FBT002 - flags of commands

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.console.client import ApiClient, CallFailed, Unreachable, connect
from services.console.event_batches import EventBatch, NotEvents, event_batches
from services.console.json_fields import Json, number
from services.console.posting_progress import Posted, ProgressFile
from services.console.terminal import (
    AsJson,
    InputFile,
    error_screen,
    print_json,
    print_table,
    print_text,
    read_input,
)

_RETRY_SECONDS: Final = (1.0, 2.0, 4.0)
app = typer.Typer(no_args_is_help=True, help="Send events.")


@app.command("post")
def post_events(
    file: Annotated[
        InputFile,
        typer.Argument(
            parser=read_input,
            metavar="FILE",
            help="One event, an array, or one event per line; - reads standard input.",
        ),
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run of this file stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a file of CloudEvents. Exit code 1 when any is not accepted.

    While it runs, FILE.progress says how far it is. Sending events again is harmless: each counts once.
    """
    batches = _batches_of(file)
    rejected: list[Json] = []
    with connect() as api:
        progress = ProgressFile(file, api.address_of("rules_engine"))
        posted = _begin(progress) if resume else Posted()
        with _resumable(progress, posted), _bar(batches, posted, as_json=as_json) as bar:
            for batch in batches:
                if batch.first + batch.count > posted.sent:
                    rejected += _post(api, batch, posted)
                    progress.write(posted)
                    bar.advance(batch.count)
        progress.remove()
    _report(posted, rejected, as_json=as_json)
    if posted.refusals.count:
        raise typer.Exit(1)


def _batches_of(file: InputFile) -> list[EventBatch]:
    try:
        return list(event_batches(file.content))
    except NotEvents as refused:
        raise typer.BadParameter(f"{file.name} {refused}") from refused


def _begin(progress: ProgressFile) -> Posted:
    posted = progress.read()
    if posted is None:
        typer.echo("There is no interrupted run of this file and this server: sending all events.", err=True)
        return Posted()
    typer.echo(f"Going on after {posted.sent} events.", err=True)
    return posted


def _post(api: ApiClient, batch: EventBatch, posted: Posted) -> list[Json]:
    """Send a request until the broker acknowledged each event. Returns the results of those not accepted."""
    results = api.post_events(batch.content, batch.media_type)
    for seconds in _RETRY_SECONDS:
        if all(result.get("status") != "unknown" for result in results):
            break
        time.sleep(seconds)
        results = api.post_events(batch.content, batch.media_type)
    unknown = sum(result.get("status") == "unknown" for result in results)
    if unknown:
        raise Unreachable(f"The broker did not acknowledge {unknown} events in time.")
    rejected: list[Json] = []
    for result in results:
        if result.get("status") == "accepted":
            posted.accepted += 1
            continue
        index = number(result, "index") + batch.first
        posted.refusals.add(result, index + 1)
        rejected.append({**result, "index": index, "position": index + 1})
    posted.sent = batch.first + batch.count
    return rejected


@contextmanager
def _resumable(progress: ProgressFile, posted: Posted) -> Generator[None]:
    """Say how to go on when sending stops before the end."""
    try:
        yield
    except (CallFailed, KeyboardInterrupt) as stopped:
        advice = "; `--resume` goes on from there" if progress.path is not None and posted.sent else ""
        reason = "Interrupted" if isinstance(stopped, KeyboardInterrupt) else str(stopped)
        message = f"{reason}\n{posted.sent} events were sent, {posted.accepted} of them accepted{advice}"
        if isinstance(stopped, KeyboardInterrupt):
            typer.echo(message, err=True)
            raise typer.Exit(1) from stopped
        raise type(stopped)(message) from stopped


class Bar:
    """A progress bar, or nothing where there is no terminal."""

    def __init__(self, progress: Progress | None, total: int, done: int) -> None:
        self._progress = progress
        self._task = progress.add_task("events", total=total, completed=done) if progress else None

    def advance(self, count: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)


@contextmanager
def _bar(batches: list[EventBatch], posted: Posted, *, as_json: bool) -> Generator[Bar]:
    total = sum(batch.count for batch in batches)
    if as_json or len(batches) < 2 or not error_screen.is_terminal:
        yield Bar(None, total, posted.sent)
        return
    columns = (
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=error_screen, transient=True) as progress:
        yield Bar(progress, total, posted.sent)


def _report(posted: Posted, rejected: list[Json], *, as_json: bool) -> None:
    if as_json:
        refusals = posted.refusals.documents()
        print_json({"accepted": posted.accepted, "not_accepted": rejected, "refusals": refusals})
        return
    print_text(f"{posted.accepted} accepted, {posted.refusals.count} not accepted")
    if posted.refusals.count:
        columns = ("events", "such as the", "id", "status", "why")
        print_table("Not accepted", columns, posted.refusals.rows())
