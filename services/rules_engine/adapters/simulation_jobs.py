"""What the worker processes of simulations do: collect the book page by page, then simulate a part of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from schemas.standing import StandingPage
from services.simulation.book import BookAccount, Colleague, Period
from services.simulation.changed_book import ChangedBook
from services.simulation.from_standing import StoredAccount, book_accounts, colleague_of_person
from services.simulation.jobs import RuleTexts, plan_jobs, simulate
from services.simulation.totals import Totals, Wanted


class Begun(NamedTuple):
    """What a simulation begins with. `in_force`: the hash of the policy in force."""

    rules: RuleTexts
    in_force: str
    now: datetime
    wanted: Wanted


class _Simulation:
    def __init__(self, begun: Begun) -> None:
        self.begun = begun
        policy = begun.rules.load().policy
        self.is_in_force = policy.hash == begun.in_force
        self.hash = policy.hash
        self.accounts: list[BookAccount] = []
        self.colleagues: list[Colleague] = []
        self.unreadable: list[str] = []
        self.left: list[str] = []


_simulations: Final[list[_Simulation]] = []


def begin_simulation(begun: Begun) -> str:
    """Returns the hash of the policy. Raises `PolicyRefused`."""
    _simulations[:] = [_Simulation(begun)]
    return _simulations[0].hash


def add_accounts(page: bytes, rows: Sequence[StoredAccount]) -> None:
    """Add the accounts of a page of `GET /v1/standing`, with the rows of the rules engine."""
    simulation = _simulations[0]
    standing = StandingPage.read_stored(page)
    if not simulation.is_in_force:
        rows = [row._replace(key=None) for row in rows]
    accounts, unreadable = book_accounts(rows, standing.items)
    simulation.accounts += accounts
    simulation.unreadable += unreadable
    simulation.left += standing.left
    simulation.colleagues += map(colleague_of_person, standing.people)


def apply_to_book(events: Sequence[bytes], most_accounts: int) -> int:
    """Apply events that were not sent to the collected book. Returns how many new accounts had no room in it."""
    simulation = _simulations[0]
    changed = ChangedBook(simulation.accounts, simulation.colleagues, most_accounts)
    for event in events:
        changed.apply(event)
    simulation.accounts, simulation.colleagues = changed.accounts, changed.colleagues
    return changed.left_out


def finish_simulation(part: int, parts: int) -> Totals:
    """Simulate one of the parts into which the whole book is split."""
    simulation = _simulations.pop()
    begun = simulation.begun
    period = period_of(begun.now, begun.wanted)
    jobs = plan_jobs(begun.rules, simulation.accounts, simulation.colleagues, period, begun.wanted, parts)
    totals = simulate(jobs[part]) if part < len(jobs) else Totals()
    if part == 0:
        totals.left += simulation.left
        totals.undecided += simulation.unreadable
        totals.accounts += len(simulation.unreadable)
    return totals


def period_of(now: datetime, wanted: Wanted) -> Period:
    """The days of a simulation of the deployment: it goes on as the scheduler would."""
    return Period(now, wanted.days, follows_live=True)
