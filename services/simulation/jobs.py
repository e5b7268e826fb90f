"""A simulation as values that another process can be given, and what it does with them."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from services.cadence.announcements import portfolio_of_rows
from services.cadence.policy.load import load_policy_texts
from services.cadence.rates import NO_RATES, Rates
from services.simulation.book import BookAccount, Colleague, Period, Rules
from services.simulation.document import make_document
from services.simulation.group import GroupSimulation
from services.simulation.groups import BookPart, split_book
from services.simulation.hire import hire
from services.simulation.totals import Totals, Wanted

COLLECTED_AFTER: Final = (200_000, 20, 20)
"""Thresholds of the garbage collector: little of a simulation is in cycles, and to look for them takes a sixth of it."""
GROUP_ACCOUNTS: Final = 64
"""About so many accounts are simulated at a time, or as many as share people."""


class RuleTexts(NamedTuple):
    """The files of a policy by name, and what the portfolio is made of: ranks, programs (id, state) and rates.

    `hash`: of a stored policy, whose files may be older than the rules for files.
    """

    files: Mapping[str, str]
    ranks: tuple[float, ...] = ()
    programs: Sequence[tuple[str, bytes]] = ()
    rates: Rates = NO_RATES
    hash: str | None = None

    def load(self) -> Rules:
        """Raises `PolicyRefused`."""
        policy = load_policy_texts(self.files, is_stored=self.hash is not None)
        if self.hash is not None:
            policy = replace(policy, hash=self.hash)
        return Rules(policy, portfolio_of_rows(self.ranks, self.programs, self.rates))


class Job(NamedTuple):
    """A part of a book to simulate."""

    rules: RuleTexts
    part: BookPart
    period: Period
    keep_schedule: bool = False


def plan_jobs(
    rules: RuleTexts,
    accounts: Sequence[BookAccount],
    colleagues: Sequence[Colleague],
    period: Period,
    wanted: Wanted,
    processes: int,
) -> list[Job]:
    """The jobs of a simulation, for so many processes at most. Raises `PolicyRefused`."""
    if wanted.hire:
        accounts, colleagues = hire(accounts, colleagues, rules.load(), period, (wanted.hire, wanted.seed))
    parts = split_book(accounts, colleagues, processes)
    return [Job(rules, part, period, wanted.keep_schedule) for part in parts]


def simulate(job: Job) -> Totals:
    """Simulate a part, group by group: few accounts at a time take less time and memory. Raises `PolicyRefused`."""
    rules, totals = job.rules.load(), Totals()
    accounts, colleagues = job.part
    thresholds = gc.get_threshold()
    gc.set_threshold(*COLLECTED_AFTER)
    try:
        for part in split_book(accounts, colleagues, 1 + len(accounts) // GROUP_ACCOUNTS):
            group = GroupSimulation(
                part.accounts, part.colleagues, rules, job.period, keep_schedule=job.keep_schedule
            )
            totals.add(group.run())
    finally:
        gc.set_threshold(*thresholds)
    return totals


def add_up(results: Sequence[Totals], policy_hash: str, period: Period, wanted: Wanted) -> dict[str, object]:
    """The document of all parts together."""
    whole = Totals()
    for each in results:
        whole.add(each)
    return make_document(whole, policy_hash, period, wanted)
