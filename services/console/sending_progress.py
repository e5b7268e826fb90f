"""What a terminal shows while a file is sent: a bar, and after an interruption how to go on."""

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.console.client import CallFailed
from services.console.posting_progress import Posted, ProgressFile
from services.console.terminal import error_screen


def begin_or_resume(progress: ProgressFile, noun: str) -> Posted:
    """What an interrupted run of this file has sent. `noun`: what is sent, such as `events`."""
    posted = progress.read()
    if posted is None:
        typer.echo(f"There is no interrupted run of this file and this server: sending all {noun}.", err=True)
        return Posted()
    typer.echo(f"Going on after {posted.sent} {noun}.", err=True)
    return posted


@contextmanager
def say_how_to_resume(progress: ProgressFile, posted: Posted, noun: str) -> Generator[None]:
    """Say how to go on when sending stops before the end."""
    try:
        yield
    except (CallFailed, KeyboardInterrupt) as stopped:
        if posted.sent:
            progress.write(posted)  # it may have stopped between two items of one request
        advice = "; `--resume` goes on from there" if progress.path is not None and posted.sent else ""
        reason = "Interrupted" if isinstance(stopped, KeyboardInterrupt) else str(stopped)
        message = f"{reason}\n{posted.sent} {noun} were sent, {posted.accepted} of them accepted{advice}"
        if isinstance(stopped, KeyboardInterrupt):
            typer.echo(message, err=True)
            raise typer.Exit(1) from stopped
        raise type(stopped)(message) from stopped


class Bar:
    """A progress bar, or nothing where there is no terminal."""

    def __init__(self, progress: Progress | None, total: int, done: int) -> None:
        self._progress = progress
        self._task = progress.add_task("sending", total=total, completed=done) if progress else None

    def advance(self, count: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def show(self, done: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        if self._progress is not None:
            self._progress.console.print(sentence, soft_wrap=True)
        else:
            typer.echo(sentence, err=True)


@contextmanager
def show_bar(total: int, done: int, noun: str, *, is_shown: bool) -> Generator[Bar]:
    """A bar at a terminal, where `is_shown`."""
    if not is_shown or not error_screen.is_terminal:
        yield Bar(None, total, done)
        return
    columns = (
        TextColumn(f"{{task.completed:,.0f}} of {{task.total:,.0f}} {noun}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=error_screen, transient=True) as progress:
        yield Bar(progress, total, done)
