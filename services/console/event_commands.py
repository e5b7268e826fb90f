"""`drumbeat events post`: send a file of events, with a progress bar, and go on after an interruption."""
# ruff: noqa: FBT002 - flags of commands

import time
from typing import Annotated, Final

import typer

from services.console.client import ApiClient, Unreachable, connect
from services.console.event_batches import EventBatch, NotEvents, event_batches
from services.console.json_fields import Json, number
from services.console.posting_progress import Posted, ProgressFile
from services.console.sending_progress import begin_or_resume, say_how_to_resume, show_bar
from services.console.terminal import (
    AsJson,
    InputFile,
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
        posted = begin_or_resume(progress, "events") if resume else Posted()
        total = sum(batch.count for batch in batches)
        with (
            say_how_to_resume(progress, posted, "events"),
            show_bar(total, posted.sent, "events", is_shown=not as_json and len(batches) > 1) as bar,
        ):
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


def _report(posted: Posted, rejected: list[Json], *, as_json: bool) -> None:
    if as_json:
        refusals = posted.refusals.documents()
        print_json({"accepted": posted.accepted, "not_accepted": rejected, "refusals": refusals})
        return
    print_text(f"{posted.accepted} accepted, {posted.refusals.count} not accepted")
    if posted.refusals.count:
        columns = ("events", "first", "id", "status", "why")
        print_table("Not accepted", columns, posted.refusals.rows())
