"""`drumbeat events post`: send a file of events, with a progress bar, and go on after an interruption."""
# ruff: noqa: FBT002 - flags of commands

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from services.console.client import connect
from services.console.event_batches import EventBatch, event_batches
from services.console.event_file import EventFile, Survey, open_event_file
from services.console.event_sender import EventSender
from services.console.json_fields import Json
from services.console.not_events import NotEvents
from services.console.posting_progress import Posted, ProgressFile
from services.console.sending_progress import begin_or_resume, say_how_to_resume, show_bar
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer(no_args_is_help=True, help="Send events.")


@app.command("post")
def post_events(
    file: Annotated[
        EventFile,
        typer.Argument(
            parser=open_event_file,
            metavar="FILE",
            help="One event, an array, or one event per line, also as gzip or zstd; - reads standard input.",
        ),
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run of this file stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a file of CloudEvents. Exit code 1 when any is not accepted.

    The file is read twice: first to check that it is whole, then to send it part by part, so its size does not matter.
    While it runs, FILE.progress says how far it is. Sending events again is harmless: each counts once. While the server
    is busy or this key has used its rate, it waits as long as the answer says.
    """
    with _refusing(file):
        survey = None if file.can_be_read_once_only() else Survey(file)
    with connect() as api:
        digest = survey.digest if survey else None
        progress = ProgressFile(file.name, digest, api.address_of("rules_engine"))
        posted = begin_or_resume(progress, "events") if resume else Posted()
        total, is_shown = (survey.events, survey.requests > 1) if survey else (0, False)
        with (
            say_how_to_resume(progress, posted, "events"),
            show_bar(total, posted.sent, "events", is_shown=is_shown and not as_json) as bar,
        ):
            sender = EventSender(api, posted, bar.say)
            for batch in _batches_after(posted, file):
                sender.send(batch)
                progress.write(posted)
                bar.show(posted.sent)
        progress.remove()
    _report(posted, sender.rejected, as_json=as_json)
    if posted.refusals.count:
        raise typer.Exit(1)


def _batches_after(posted: Posted, file: EventFile) -> Iterator[EventBatch]:
    """The batches with events that have no result yet."""
    with _refusing(file, posted):
        for batch in event_batches(file.blocks()):
            if batch.first + batch.count > posted.sent:
                yield batch


@contextmanager
def _refusing(file: EventFile, posted: Posted | None = None) -> Generator[None]:
    """Say what is wrong with the file, and what of it was sent before that was found."""
    try:
        yield
    except NotEvents as refused:
        sent = f". {posted.sent} events before that were sent" if posted and posted.sent else ""
        raise typer.BadParameter(f"{file.name} {refused}{sent}") from refused
    except OSError as error:
        raise typer.BadParameter(f"{file.name} cannot be read ({error.strerror})") from error


def _report(posted: Posted, rejected: list[Json], *, as_json: bool) -> None:
    if as_json:
        refusals = posted.refusals.documents()
        print_json({"accepted": posted.accepted, "not_accepted": rejected, "refusals": refusals})
        return
    print_text(f"{posted.accepted} accepted, {posted.refusals.count} not accepted")
    if posted.refusals.count:
        columns = ("events", "first", "id", "status", "why")
        print_table("Not accepted", columns, posted.refusals.rows())
