"""Who leads what a plan leaves open: a member of the account's pool or somebody of sales, as live."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from schemas.plans import PlanAdjusted
from services.calendar.assignment import (
    LINES,
    NO_LEADS,
    NO_MINUTES,
    AccountOwners,
    Blocks,
    Leads,
    Line,
    Staff,
    find_leads,
    name_owners,
    planned_minutes,
)
from services.calendar.levelling import Host
from services.calendar.reconciliation.unowned import is_unowned
from services.simulation.account import SimulatedAccount
from services.simulation.book import BookAccount, Colleague

MeasureHost = Callable[[str, datetime], Host]
"""What a person has planned and available at a moment."""


class GroupStaff:
    """The people of a group, of pools and of sales, and whom its accounts have. `measure`: the year of a person."""

    def __init__(
        self, accounts: Sequence[BookAccount], colleagues: Sequence[Colleague], measure: MeasureHost
    ) -> None:
        assigned: dict[tuple[str, Line], str] = {
            (each.account_id, line): csm_id
            for each in accounts
            for line, csm_id in each.calendar.assigned.items()
        }
        described = [each for each in colleagues if each.is_described]
        self._described = {each.csm_id for each in described}
        self._measure = measure
        self._staff = Staff(
            [each.person for each in described if each.pool is not None or each.role == "sales"], assigned
        )

    def forget_minutes(self) -> None:
        """What people have planned is read again."""
        self._staff.hosts.clear()

    def name_owners(self, account: AccountOwners, plan: PlanAdjusted, now: datetime) -> PlanAdjusted:
        """The plan with the person of each item."""
        unnamed = {item.owner for item in (*plan.rhythms, *plan.touchpoints) if item.csm_id is None}
        lines: list[Line] = [
            line for line in LINES if line in unnamed and not (line == "sales" and account.sales_id)
        ]
        minutes: dict[Line, Blocks] = {line: planned_minutes(plan, line, now) for line in lines}
        return name_owners(plan, account, self._assign(account, minutes, now))

    def find_leads(self, account: SimulatedAccount, people: Iterable[str], now: datetime) -> Leads:
        """Who gets what is open and has nobody. `people`: everybody who has led anything."""
        gone = frozenset(people) - self._described
        unowned = {each.owner for each in account.calendar.values() if is_unowned(each, gone)}
        if not unowned:
            return NO_LEADS
        owners = account.owners
        lines: dict[Line, Blocks] = {
            line: NO_MINUTES for line in LINES if line in unowned and owners.find_named(line) is None
        }
        return Leads(find_leads(owners, self._assign(owners, lines, now)), gone)

    def _assign(self, account: AccountOwners, lines: Mapping[Line, Blocks], now: datetime) -> dict[Line, str]:
        """The person of each line. The minutes of candidates are read before the first choice between them."""
        found: dict[Line, str] = {}
        for line, minutes in lines.items():
            if self._staff.find_kept(account, line) is None:
                self._read_hosts(self._staff.candidates(account, line), now)
            person = self._staff.assign(account, line, minutes)
            if person is not None:
                found[line] = person
        return found

    def _read_hosts(self, candidates: Iterable[str], now: datetime) -> None:
        for csm_id in candidates:
            if csm_id not in self._staff.hosts:
                self._staff.hosts[csm_id] = self._measure(csm_id, now)
