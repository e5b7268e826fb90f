"""Who leads a touchpoint whose owner is a person.

A CSM's is led by the person whom the plan names, a pooled CSM's by that person, else by a member of the account's pool,
one of sales by the account's own person of sales, else by anybody of sales. Whom an account has once it keeps while they
are there; else the one for whom the year gets dearer least gets it (`choose_host`). Without anybody it is unowned.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeVar

from schemas.plans import OneOffItem, PlanAdjusted, RhythmItem
from schemas.vocabulary import CsmRole, Owner
from services.calendar.levelling import BLOCK_WEEKS, Host, choose_host
from services.calendar.open_hours import OpenHours
from services.calendar.person_hours import available_by_block

Item = TypeVar("Item", RhythmItem, OneOffItem)
Line = Literal["pooled_csm", "sales"]
"""Owners of whom an account has one of several."""
LINES: Final[Sequence[Line]] = ("pooled_csm", "sales")
YEAR_BLOCKS: Final = 13
BLOCK: Final = timedelta(weeks=BLOCK_WEEKS)
Blocks = tuple[int, ...]
"""Minutes in each of the `YEAR_BLOCKS` blocks of four weeks from this week on."""
NO_MINUTES: Final[Blocks] = (0,) * YEAR_BLOCKS
_LEAST_MINUTES: Final[Blocks] = (1,) * YEAR_BLOCKS
"""Of somebody whose hours are not known: they come last, but may be chosen."""


class Person(NamedTuple):
    """A person of ours as the directory describes them. Without a role they are a CSM."""

    csm_id: str
    pool: str | None = None
    role: CsmRole | None = None


class AccountOwners(NamedTuple):
    """Whom the directory names for an account, after hand-overs.

    `handovers`: by the person whom its plan names the one who leads instead, as pairs.
    """

    account_id: str
    csm_id: str | None = None
    sales_id: str | None = None
    pool: str | None = None
    handovers: tuple[tuple[str, str], ...] = ()

    def hand_over(self, handovers: Mapping[str, str]) -> "AccountOwners":
        """These, with those who took over in place of those who handed over."""
        taken = self._replace(handovers=tuple(sorted(handovers.items())))
        return taken._replace(csm_id=taken.find_taker(self.csm_id), sales_id=taken.find_taker(self.sales_id))

    def find_taker(self, csm_id: str | None) -> str | None:
        """The person who leads instead of this one; the same where nothing was handed over."""
        return next((taker for former, taker in self.handovers if former == csm_id), csm_id)

    def find_named(self, line: Line) -> str | None:
        """The person whom the directory names for it."""
        return self.sales_id if line == "sales" else self.csm_id


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of a deployment, whom accounts have, and by person the planned and available minutes of a year.

    `given` is added to while a batch is assigned, and so are the minutes of `hosts`.
    """

    people: Sequence[Person]
    assigned: Mapping[tuple[str, Line], str]
    hosts: dict[str, Host] = field(default_factory=dict[str, Host])
    given: dict[tuple[str, Line], str] = field(default_factory=dict[tuple[str, Line], str])

    def candidates(self, account: AccountOwners, line: Line) -> list[str]:
        """The people who may lead it. Of sales those of the account's pool come first."""
        if line == "pooled_csm":
            members = () if account.pool is None else self.people
            return [
                each.csm_id for each in members if each.pool == account.pool and each.role in (None, "csm")
            ]
        sales = [person for person in self.people if person.role == "sales"]
        own = [person for person in sales if account.pool is not None and person.pool == account.pool]
        return [person.csm_id for person in own or sales]

    def find_kept(self, account: AccountOwners, line: Line) -> str | None:
        """The person whom the account has, while they may lead it."""
        key = account.account_id, line
        person = self.given.get(key) or self.assigned.get(key)
        was_handed = any(person == taker for _, taker in account.handovers)
        return person if was_handed or person in self.candidates(account, line) else None

    def assign(self, account: AccountOwners, line: Line, minutes: Blocks) -> str | None:
        """The person whom the account has, else the one whose year it fits best, who gets these minutes as well.

        An account whose minutes are not known takes a little of every block.
        """
        kept = self.find_kept(account, line)
        if kept is not None:
            return kept
        asked = minutes if any(minutes) else (1,) * YEAR_BLOCKS
        hosts = {each: self._host_of(each) for each in self.candidates(account, line)}
        chosen = choose_host(asked, list(hosts.values()))
        if chosen is not None:
            host = hosts[chosen]
            self.given[account.account_id, line] = chosen
            planned = tuple(sum(pair) for pair in zip(host.minutes, minutes, strict=True))
            self.hosts[chosen] = host._replace(minutes=planned)
        return chosen

    def _host_of(self, csm_id: str) -> Host:
        return self.hosts.get(csm_id) or Host(csm_id, NO_MINUTES, _LEAST_MINUTES)


def begin_blocks(now: datetime) -> datetime:
    """The Monday, in UTC, from which blocks count."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def measure_host(
    csm_id: str, planned: Iterable[tuple[int, int]], hours: OpenHours, weekly_minutes: int, now: datetime
) -> Host:
    """What a person has planned and available. `planned`: pairs of a block and minutes; what lies beyond is left out."""
    minutes = [0] * YEAR_BLOCKS
    for block, more in planned:
        if 0 <= block < YEAR_BLOCKS:
            minutes[block] += more
    first = begin_blocks(now).date()
    available = available_by_block(hours, weekly_minutes, first, BLOCK.days, YEAR_BLOCKS)
    return Host(csm_id, tuple(minutes), available)


def planned_minutes(plan: PlanAdjusted, line: Line, now: datetime) -> Blocks:
    """The minutes that a plan asks of an owner by block."""
    start = begin_blocks(now)
    repeated = sum(each.minutes * BLOCK.days / each.every_days for each in plan.rhythms if each.owner == line)
    minutes = [round(repeated)] * YEAR_BLOCKS
    for each in plan.touchpoints:
        block = max(each.window.from_ - start, timedelta()) // BLOCK
        if each.owner == line and block < YEAR_BLOCKS:
            minutes[block] += each.minutes
    return tuple(minutes)


def name_owners(plan: PlanAdjusted, account: AccountOwners, leads: Mapping[Line, str]) -> PlanAdjusted:
    """The plan with the person of each item whose owner is one."""
    rhythms = tuple(_with_lead(each, account, leads) for each in plan.rhythms)
    one_offs = tuple(_with_lead(each, account, leads) for each in plan.touchpoints)
    if rhythms == plan.rhythms and one_offs == plan.touchpoints:
        return plan
    return plan.model_copy(update={"rhythms": rhythms, "touchpoints": one_offs})


def _with_lead(item: Item, account: AccountOwners, leads: Mapping[Line, str]) -> Item:
    person = account.find_taker(item.csm_id)
    if item.owner == "sales":
        person = account.sales_id or person or leads.get("sales")
    elif item.owner == "pooled_csm":
        person = person or leads.get("pooled_csm")
    return item if person == item.csm_id else item.model_copy(update={"csm_id": person})


class Leads(NamedTuple):
    """By owner the person who gets what is open and has nobody; `gone`: people whom the directory no longer describes."""

    by_owner: Mapping[Owner, str] = MappingProxyType({})
    gone: Collection[str] = ()


NO_LEADS: Final = Leads()


def find_leads(account: AccountOwners, leads: Mapping[Line, str]) -> dict[Owner, str]:
    """By owner the person who leads what nobody leads yet."""
    found: dict[Owner, str | None] = {
        "csm": account.csm_id,
        "pooled_csm": account.csm_id or leads.get("pooled_csm"),
        "sales": account.sales_id or leads.get("sales"),
    }
    return {owner: person for owner, person in found.items() if person is not None}
