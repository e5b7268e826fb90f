"""`drumbeat policy simulate`: the whole book over a year, for the accounts of a deployment or of a file of events."""
# ruff: noqa: FBT002 - flags of commands

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from services.cadence.account.event_file import read_event_file
from services.cadence.policy.load import PolicyRefused, file_name, load_policy, policy_texts
from services.cadence.rates import NO_RATES, load_rates
from services.console import labels
from services.console.client import connect
from services.console.json_fields import Json, items, nested, number, text, texts
from services.console.policy_explain import At, PolicyPath, RatesPath
from services.console.terminal import AsJson, InputFile, print_json, print_table, print_text, read_input

if TYPE_CHECKING:
    from services.simulation.jobs import Job
    from services.simulation.totals import Totals, Wanted

LIVE: Final = "live"
_LIVE_SECONDS: Final = 300.0  # it waits for its turn; the rules engine limits a simulation
_PROCESSES: Final = 2
_FILE_SECONDS: Final = 3_600.0
_MEGABYTES: Final = 8_192
_PEOPLE_SHOWN: Final = 40
Accounts = Annotated[
    str,
    typer.Option(
        metavar="live|FILE",
        help="The accounts of the deployment with their calendars, or a file of events, as for `drumbeat events post`;"
        " - reads standard input.",
    ),
]
app = typer.Typer()


@app.command("simulate")
def simulate_policy(  # noqa: PLR0913, PLR0917 - options of a command
    path: PolicyPath,
    accounts: Accounts = LIVE,
    days: Annotated[int, typer.Option(min=1, max=731, help="Simulate so many days.")] = 365,
    hire: Annotated[
        int, typer.Option(min=0, max=1000, help="What if so many more people worked in the fullest pool.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**62, help="Which accounts they take; the same seed, the same result.")
    ] = 0,
    at: At = None,
    rates: RatesPath = None,
    schedule: Annotated[
        bool, typer.Option("--schedule", help="Add every touchpoint of every account (with --json).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate the whole book: touches by month, CSM minutes by week, messages by day, and what does not fit.

    From the same evaluation, calendar and levelling as live, as if no further event came.
    """
    # The simulation needs NumPy: half of the time in which any other command starts would go into it.
    from services.simulation.totals import Wanted  # noqa: PLC0415

    wanted = Wanted(days, hire, seed, schedule)
    if accounts != LIVE:
        document = _simulate_file(path, read_input(accounts), wanted, (at, rates))
    elif at is not None or rates is not None:
        raise typer.BadParameter(
            "--at and --rates need --accounts FILE; the deployment is simulated as it is"
        )
    else:
        document = _simulate_deployment(path, wanted)
    if as_json:
        print_json(document)
    else:
        _print_document(document)


def _simulate_deployment(path: Path, wanted: "Wanted") -> Json:
    try:
        files = {file_name(file): source for file, source in policy_texts(path).items()}
    except PolicyRefused as unreadable:
        raise typer.BadParameter(str(unreadable)) from unreadable
    body: Json = {
        "files": files, "days": wanted.days, "hire": wanted.hire, "seed": wanted.seed, "schedule": wanted.keep_schedule,
    }  # fmt: skip
    with connect() as api:
        return api.send("POST", "rules_engine", "/v1/policies/simulate", body, seconds=_LIVE_SECONDS)


def _simulate_file(
    path: Path, facts: InputFile, wanted: "Wanted", options: tuple[datetime | None, Path | None]
) -> Json:
    from services.simulation.book import Period  # noqa: PLC0415
    from services.simulation.from_events import book_of_events  # noqa: PLC0415
    from services.simulation.jobs import add_up, plan_jobs  # noqa: PLC0415

    at, rates = options
    policy = load_policy(path)
    known_rates = NO_RATES if rates is None else load_rates(rates)
    book = book_of_events(read_event_file(facts.content, facts.name), policy_texts(path), at, known_rates)
    period = Period(book.now, wanted.days)
    jobs = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, _PROCESSES)
    return add_up(asyncio.run(_run(jobs)), policy.hash, period, wanted)


async def _run(jobs: Sequence["Job"]) -> list["Totals"]:
    from services.chassis.worker_pool import WorkerPool  # noqa: PLC0415
    from services.simulation.jobs import simulate  # noqa: PLC0415

    pool = WorkerPool(
        _PROCESSES,
        seconds=_FILE_SECONDS,
        megabytes=_MEGABYTES,
        most_waiting=0,
        module="services.simulation.jobs",
    )
    try:
        return await pool.run_all(simulate, jobs)
    finally:
        await pool.close()


def _print_document(document: Json) -> None:
    months = texts(document, "months")
    touches = cast("Mapping[str, Sequence[int]]", nested(document, "touches"))
    rows = [(kind, *counts, sum(counts)) for kind, counts in touches.items()]
    print_table("Touchpoints", ("type", *months, "all"), rows, numeric=True)
    people = [person_row(person) for person in items(document, "people")]
    people.sort(key=lambda row: (-float(str(row[3])), str(row[0])))
    columns = ("person", "minutes a week", "planned a week", "per cent", "fullest week", "weeks over")
    print_table("\nPeople, the fullest first", columns, people[:_PEOPLE_SHOWN], numeric=True)
    if len(people) > _PEOPLE_SHOWN:
        print_text(f"and {len(people) - _PEOPLE_SHOWN} more; --json has them")
    print_table(
        "\nWhat does not fit",
        ("person", "from", "to", "missing minutes"),
        map(_conflict_row, items(document, "conflicts")),
    )
    print_text(_summary(document))


def person_row(person: Json) -> tuple[object, ...]:
    weeks = items(person, "weeks")
    planned = [number(week, "planned_minutes") for week in weeks]
    available = [number(week, "available_minutes") for week in weeks]
    over = sum(one > other for one, other in zip(planned, available, strict=True))
    share = 100 * sum(planned) / (sum(available) or 1)
    mean = round(sum(planned) / (len(weeks) or 1))
    return (
        person.get("csm_id"),
        person.get("weekly_minutes"),
        mean,
        f"{share:.0f}",
        max(planned, default=0),
        over,
    )


def _conflict_row(conflict: Json) -> tuple[object, ...]:
    first, last = texts(conflict, "weeks")
    return conflict.get("csm_id"), first, last, conflict.get("missing_minutes")


def _summary(document: Json) -> str:
    messages = Counter(cast("Mapping[str, int]", nested(document, "messages")))
    day, most = max(messages.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    undecided = len(texts(document, "undecided"))
    unowned = sum(number(each, "planned_minutes") for each in items(document, "unowned"))
    accounts, days = number(document, "accounts"), number(document, "days")
    sentences = [
        f"\n{labels.count(accounts, 'account')} over {labels.count(days, 'day')} from {text(document, 'at')[:16]} UTC",
        f"{labels.count(sum(messages.values()), 'message')}, at most {most} on a day ({day})"
        if messages
        else "",
        f"{labels.count(unowned, 'minute')} of work that nobody leads" if unowned else "",
        f"people missing where it does not fit: {text(document, 'headcount_gap')}",
        f"{labels.count(undecided, 'account')} could not be evaluated" if undecided else "",
        f"only the first {labels.count(accounts, 'account')} were simulated"
        if document.get("sample")
        else "",
        *texts(document, "notes"),
    ]
    return "\n".join(filter(None, sentences))
