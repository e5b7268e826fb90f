"""Find the people who lead touchpoints, a whole batch of accounts at a time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from schemas.plans import PlanAdjusted
from schemas.vocabulary import Owner
from services.calendar.assignment import (
    LINES,
    NO_MINUTES,
    AccountOwners,
    Blocks,
    Leads,
    Line,
    find_leads,
    name_owners,
    planned_minutes,
)
from services.calendar.plan import PlanCommand
from services.calendar.reconciliation.context import StoredCalendar
from services.calendar.reconciliation.unowned import is_unowned
from services.calendar.touchpoint import Status
from services.scheduler.application.ports import AssignmentRepository

Planned = tuple[PlanCommand, PlanAdjusted]
Wanted = Mapping[AccountOwners, Mapping[Line, Blocks]]
"""Accounts that need somebody of a pool or of sales, with the minutes that each takes on over a year."""


async def assign_owners(
    wanted: Wanted, assignments: AssignmentRepository, now: datetime
) -> dict[str, dict[Line, str]]:
    """By account the person of each line, where there is anybody. Who is new to an account is stored."""
    if not any(wanted.values()):
        return {}
    staff = await assignments.load_staff({account.account_id for account in wanted})
    in_question = {
        person
        for account, lines in wanted.items()
        for line in lines
        if staff.find_kept(account, line) is None
        for person in staff.candidates(account, line)
    }
    if in_question:
        staff.hosts.update(await assignments.load_hosts(in_question, now))
    found: dict[str, dict[Line, str]] = {}
    for account in sorted(wanted, key=lambda account: account.account_id):
        for line, minutes in wanted[account].items():
            person = staff.assign(account, line, minutes)
            if person is not None:
                found.setdefault(account.account_id, {})[line] = person
    await assignments.save(staff.given)
    return found


async def name_plan_owners(
    planned: Sequence[Planned],
    accounts: Mapping[str, AccountOwners],
    assignments: AssignmentRepository,
    now: datetime,
) -> list[Planned]:
    """The plans with the person of each item, as far as there is one."""
    wanted: dict[AccountOwners, dict[Line, Blocks]] = {}
    for _, plan in planned:
        account = accounts[plan.account_id]
        unnamed = {item.owner for item in (*plan.rhythms, *plan.touchpoints) if item.csm_id is None}
        lines: list[Line] = [
            line for line in LINES if line in unnamed and not (line == "sales" and account.sales_id)
        ]
        if lines:
            wanted[account] = {line: planned_minutes(plan, line, now) for line in lines}
    leads = await assign_owners(wanted, assignments, now)
    return [
        (command, name_owners(plan, accounts[plan.account_id], leads.get(plan.account_id, {})))
        for command, plan in planned
    ]


async def find_account_leads(
    accounts: Sequence[AccountOwners],
    stored: Mapping[str, StoredCalendar],
    assignments: AssignmentRepository,
    now: datetime,
) -> dict[str, Leads]:
    """By account who leads what is open and has nobody, of the accounts with any such touchpoint."""
    gone = await _find_gone([stored[account.account_id] for account in accounts], assignments)
    wanted: dict[AccountOwners, dict[Line, Blocks]] = {}
    for account in accounts:
        unowned = {each.owner for each in stored[account.account_id].touchpoints if is_unowned(each, gone)}
        if unowned:
            wanted[account] = {
                line: NO_MINUTES for line in LINES if line in unowned and account.find_named(line) is None
            }
    leads = await assign_owners(wanted, assignments, now)
    return {
        account.account_id: Leads(find_leads(account, leads.get(account.account_id, {})), gone)
        for account in wanted
    }


async def _find_gone(
    calendars: Sequence[StoredCalendar], assignments: AssignmentRepository
) -> Collection[str]:
    """Of those who were chosen for what has come due, the people whom the directory no longer describes."""
    chosen = {
        each.csm_id
        for calendar in calendars
        for each in calendar.touchpoints
        if each.csm_id and each.owner in LINES and each.status in (Status.DUE, Status.OVERDUE)
    }
    return chosen.difference(await assignments.find_known(chosen)) if chosen else ()


async def find_lead(
    account: AccountOwners, owner: Owner, minutes: int, assignments: AssignmentRepository, now: datetime
) -> str | None:
    """Who leads one touchpoint of an account that names nobody."""
    asked = (minutes, *NO_MINUTES[1:])
    lines: dict[Line, Blocks] = {
        line: asked for line in LINES if line == owner and account.find_named(line) is None
    }
    leads = await assign_owners({account: lines}, assignments, now)
    return find_leads(account, leads.get(account.account_id, {})).get(owner)
