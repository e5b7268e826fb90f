"""`drumbeat clock`: the service clock, and advancing one that stands (rate 0)."""
# ruff: noqa: FBT002 - flags of commands

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from schemas.times import parse_span
from services.chassis.clock import GATHERING, monotonic
from services.console.client import SERVICES, ApiClient, CallFailed, Service, connect
from services.console.json_fields import Json
from services.console.terminal import AsJson, print_json, print_text

app = typer.Typer(
    invoke_without_command=True, help="Show the service clock; advance one that stands (rate 0)."
)

STEP: Final = timedelta(hours=1)
LOOK_SECONDS: Final = (0.02, 0.1)
"""Real time between two looks whether everything is at rest, at first and at last: looking takes time from the work."""
LONGEST_STEP_SECONDS: Final = 120.0


class NotAtRest(Exception):
    """The work that a step brought did not end; the message says what goes on."""


def read_span(text: str) -> timedelta:
    """`1d`, `12h`, `30m` or `45s`."""
    try:
        return parse_span(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from wrong


def advance(
    api: ApiClient, span: timedelta, step: timedelta = STEP, longest_seconds: float = LONGEST_STEP_SECONDS
) -> datetime:
    """Advance a standing clock by `span`, in steps; before each step all work of the one before is done.

    `longest_seconds`: real time that the work of one step may take. Returns where it stands. Raises `CallFailed`, also
    for a clock that runs, and `NotAtRest`.
    """
    wait_until_at_rest(api, None, longest_seconds)
    now = _now(api)
    end = now + span
    while now < end:
        now = min(now + step, end)
        api.send("POST", "rules_engine", "/v1/clock/advance", {"to": now.isoformat()})
        wait_until_at_rest(api, now, longest_seconds)
    return now


def wait_until_at_rest(
    api: ApiClient, moment: datetime | None, longest_seconds: float = LONGEST_STEP_SECONDS
) -> None:
    """Wait until every service has reached `moment`, and all its work is done. Raises `NotAtRest`, `CallFailed`.

    What only waits for more of its kind begins once nothing else goes on.
    """
    deadline = monotonic() + longest_seconds
    before: list[object] | None = None
    pause, longest = LOOK_SECONDS
    while True:
        states = _read_states(api, moment)
        progress = [state["progress"] for state in states.values()]
        is_at_rest = all(name in states and _is_done(states[name], moment) for name in SERVICES)
        is_settled = is_at_rest and progress == before
        if is_settled and not _release(api, states):
            return
        if monotonic() > deadline:
            busy = [f"{name}: {api.get(name, '/v1/clock/rest')['busy']}" for name in SERVICES]
            raise NotAtRest(
                f"After {longest_seconds:.0f} s the work is not done yet ({'; '.join(busy)})."
                " Look at the logs, then advance again."
            )
        if is_at_rest and not is_settled:
            before = progress  # the second look follows at once: what counts is that there are two
            continue
        before = None
        time.sleep(pause)
        pause = min(longest, pause * 1.5)


def _read_states(api: ApiClient, moment: datetime | None) -> dict[Service, Json]:
    """The states of the services up to the first that is not done: looking takes time from the work.

    Work goes from the first service to the last one, so the last one is asked first.
    """
    states: dict[Service, Json] = {}
    for service in reversed(SERVICES):
        states[service] = api.get(service, "/v1/clock/rest")
        if not _is_done(states[service], moment):
            break
    return states


def _is_done(state: Json, moment: datetime | None) -> bool:
    """Whether a service has reached that moment and is at rest, but for what waits for more of its kind."""
    has_come = moment is None or _moment(state["now"]) >= moment
    return has_come and state["busy"] in ([], [GATHERING])


def _release(api: ApiClient, states: Mapping[Service, Json]) -> bool:
    """Have what is gathering begin. Whether there was any."""
    gathering: list[Service] = [name for name, state in states.items() if state["busy"]]
    for service in gathering:
        api.send("POST", service, "/v1/clock/rest")
    return bool(gathering)


def _now(api: ApiClient) -> datetime:
    return _moment(api.get("rules_engine", "/v1/clock/rest")["now"])


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


@app.callback()
def show_clock(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the service clock."""
    if context.invoked_subcommand is not None:
        return
    with connect() as api:
        clock = api.get("rules_engine", "/v1/clock")
    if as_json:
        print_json(clock)
    else:
        rate = clock["rate"]
        print_text(f"It is {clock['now']}; " + ("the clock stands" if rate == 0 else f"the rate is {rate}"))


@app.command("advance")
def advance_command(
    span: Annotated[timedelta, typer.Argument(parser=read_span, metavar="SPAN", help="1d, 12h, 30m or 45s")],
    step: Annotated[
        timedelta,
        typer.Option(
            parser=read_span, metavar="SPAN", help="What is due within one step comes due together."
        ),
    ] = "1h",  # pyright: ignore[reportArgumentType] - read by the parser
    as_json: AsJson = False,
) -> None:
    """Advance a clock that stands (DRUMBEAT_CLOCK__RATE=0), step by step, waiting for all work in between."""
    with connect() as api:
        try:
            now = advance(api, span, step)
        except NotAtRest as problem:
            raise CallFailed(str(problem)) from problem
    if as_json:
        print_json({"now": now})
    else:
        print_text(f"It is {now:%Y-%m-%d %H:%M:%S} UTC, and everything is at rest.")
