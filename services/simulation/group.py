"""Simulates a group of accounts and people that shares nothing with any other, look by look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from schemas.plans import PlanAdjusted
from services.calendar.deputies import DeputyWork
from services.calendar.person_book import PersonBook
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.person_levelling import level_person
from services.calendar.reconciliation.context import AccountHours, CalendarChange, find_account_hours
from services.calendar.sharing import leave_out
from services.calendar.touchpoint import Status, Touchpoint
from services.simulation.absences import Covered, cover_absences, find_colleagues, find_deputies, list_work
from services.simulation.account import SimulatedAccount
from services.simulation.book import BookAccount, Colleague, Period, Rules
from services.simulation.calendar import LAST
from services.simulation.conflicts import add_conflicts, describe_conflicts, find_relief
from services.simulation.people import PersonWork, apply_moves, give_up, is_visible, list_yielded
from services.simulation.plan_change import PlanChange, change_rhythms
from services.simulation.staffing import GroupStaff
from services.simulation.totals import Totals

MOST_ROUNDS: Final = 8
"""How often an account is evaluated again within one look because of what just came due or was cancelled."""


class GroupSimulation:
    """`keep_schedule`: the totals also have every touchpoint that came due."""

    def __init__(
        self,
        accounts: Sequence[BookAccount],
        colleagues: Sequence[Colleague],
        rules: Rules,
        period: Period,
        *,
        keep_schedule: bool = False,
    ) -> None:
        self.totals = Totals(accounts=len(accounts))
        self._period, self._keep_schedule = period, keep_schedule
        self._holidays = rules.policy.content.holidays
        colleagues = [each.close(self._holidays) for each in colleagues]
        self._colleagues = {each.csm_id: each for each in colleagues}
        self._by_csm = {each.csm_id: each.hours for each in colleagues if each.is_described}
        self._hours: dict[str, AccountHours] = {}
        self._staff = GroupStaff(accounts, colleagues, lambda csm_id, now: self._work_of(csm_id).measure(now))
        self._work: dict[str, PersonWork] = {}
        self._marked: set[str] = set()
        self._review_at: dict[str, datetime | None] = {}
        self._agenda: defaultdict[int, set[str]] = defaultdict(set)
        self._accounts = {each.account_id: SimulatedAccount(each, rules, period) for each in accounts}

    def run(self) -> Totals:
        """Simulate the whole period. Returns its totals."""
        for account in self._accounts.values():
            self._begin(account)
        for number in range(self._period.last + 1):
            moment = self._period.moment(number)
            for account_id in sorted(self._agenda.pop(number, ())):
                self._look_at(self._accounts[account_id], moment)
            self._staff.forget_minutes()
            if self._period.is_levelled_at(number):
                self._level_marked(moment)
            if self._period.is_measured_at(number):
                self._find_conflicts(moment)
        for account in self._accounts.values():
            self._take_due(account, self._period.end)
        self._finish()
        return self.totals

    def _begin(self, account: SimulatedAccount) -> None:
        for touchpoint in (*account.calendar.planned, *list_yielded(account, self._period.now)):
            if touchpoint.csm_id is not None and touchpoint.is_led_by_person:
                self._work_of(touchpoint.csm_id).accounts[account.account_id] = account
        self._schedule(account)

    def _work_of(self, csm_id: str) -> PersonWork:
        if csm_id not in self._work:
            self._work[csm_id] = PersonWork(self._colleagues.get(csm_id) or Colleague(csm_id))
        return self._work[csm_id]

    def _schedule(self, account: SimulatedAccount, after: int = -1) -> None:
        """Look at the account again when anything may change it."""
        moments = [at for at in account.next_moments(self._hours_of(account)) if at <= self._period.end]
        if moments:
            self._agenda[max(self._period.number_of(min(moments)), after + 1)].add(account.account_id)

    def _look_at(self, account: SimulatedAccount, moment: datetime) -> None:
        """Let come due what is due, evaluate, and reconcile, until nothing more follows from it."""
        number = self._period.number_of(moment)
        for _ in range(MOST_ROUNDS):
            self._take_due(account, moment)
            is_time = account.decisions.is_to_be_evaluated(account.calendar, moment)
            change = self._evaluate(account, moment) if is_time else None
            if change is not None:
                self._follow(account, change, moment)
            elif not self._extend_around_periods(account, moment):
                break
        self._schedule(account, number)

    def _evaluate(self, account: SimulatedAccount, moment: datetime) -> PlanChange | None:
        self.totals.work["evaluations"] += 1
        return account.evaluate(moment)

    def _take_due(self, account: SimulatedAccount, moment: datetime) -> None:
        self._mark_new(account, account.extend(moment, self._hours_of(account)))
        for touchpoint, content in account.take_due(moment):
            colleague = None
            if touchpoint.csm_id is not None:
                colleague = self._work_of(touchpoint.csm_id).colleague
            self.totals.count_due(touchpoint, colleague, account.owners.pool)
            if self._keep_schedule:
                self.totals.keep(touchpoint, content)

    def _mark_new(self, account: SimulatedAccount, made: Iterable[Touchpoint]) -> None:
        for touchpoint in made:
            if touchpoint.csm_id is not None and touchpoint.is_led_by_person:
                self._work_of(touchpoint.csm_id).note(account, touchpoint.id)
                self._marked.add(touchpoint.csm_id)

    def _extend_around_periods(self, account: SimulatedAccount, moment: datetime) -> bool:
        """Reconcile an account with a rhythm that needs its next occurrence around times to avoid; whether it did."""
        if account.plan is None:
            return False
        hours = self._hours_of(account)
        types = {kind for _, kind in account.next_extensions(hours, moment)}
        if not types:
            return False
        self._reconcile_rhythms(account, types, moment)
        return any(at > moment for at, _ in account.next_extensions(hours))

    def _hours_of(self, account: SimulatedAccount) -> AccountHours:
        hours = self._hours.get(account.account_id)
        if hours is None:
            hours = find_account_hours(account.place, self._holidays, DEFAULT_HOURS, self._by_csm)
            self._hours[account.account_id] = hours
        return hours

    def _follow(self, account: SimulatedAccount, change: PlanChange, now: datetime) -> None:
        """Bring the calendar of an account to a change of its plan."""
        named, before = self._staff.name_owners(account.owners, change.plan, now), dict(account.calendar)
        hours = self._hours_of(account)
        changes = account.follow(
            change._replace(plan=named), hours, lambda: self._staff.find_leads(account, self._work, now), now
        )
        self._note_all(account, changes, before)

    def _reconcile(self, account: SimulatedAccount, plan: PlanAdjusted, now: datetime) -> None:
        named, before = self._staff.name_owners(account.owners, plan, now), dict(account.calendar)
        leads = self._staff.find_leads(account, self._work, now)
        self._note_all(account, account.reconcile(named, self._hours_of(account), leads, now), before)

    def _note_all(
        self, account: SimulatedAccount, changes: Iterable[CalendarChange], before: Mapping[str, Touchpoint]
    ) -> None:
        self.totals.work["reconciliations"] += 1
        for change in changes:
            self._note(account, change, before.get(change.touchpoint.id))
        for series in account.list_unbegun():
            if series.csm_id is not None and series.until is None:
                self._work_of(series.csm_id).note(account)
                self._marked.add(series.csm_id)

    def _note(self, account: SimulatedAccount, change: CalendarChange, before: Touchpoint | None) -> None:
        """Mark the people whose work a change concerns: who has it, and who had it."""
        touchpoint = change.touchpoint
        if touchpoint.csm_id is not None:
            self._work_of(touchpoint.csm_id).note(account, touchpoint.id)
        if is_visible(change):
            had = before if before is not None and _is_planned_work(before) else None
            holders = {touchpoint.csm_id, None if had is None else had.csm_id}
            self._marked |= {csm_id for csm_id in holders if csm_id is not None}

    def _level_marked(self, moment: datetime) -> None:
        """Level the books of those whose work has changed, or whose weeks that do not fit are near; phases come first."""
        self._marked |= {csm_id for csm_id, at in self._review_at.items() if at is not None and at <= moment}
        is_whole = moment == self._period.now or self._period.is_exact(moment)
        while self._marked:
            csm_id = min(self._marked)
            self._marked.discard(csm_id)
            work = self._work_of(csm_id)
            if is_whole or not self._level_new(work, moment):
                self._level(work, work.make_book(moment), moment)

    def _level_new(self, work: PersonWork, moment: datetime) -> bool:
        """Level what is new while all else stays; False: there is too little room, the whole book is to be levelled."""
        book = work.make_book_of_new(moment)
        return (book is None or self._level(work, book, moment, only_new=True)) and not work.is_overfull(
            moment
        )

    def _level(self, work: PersonWork, book: PersonBook, moment: datetime, *, only_new: bool = False) -> bool:
        """Level a book. `only_new`: unless something has no room; whether it was levelled."""
        if not book.touches and not book.rhythms and not book.yielded:
            return True
        self.totals.work["levellings"] += 1
        levelled, csm_id = level_person(book, moment, with_conflicts=False), work.colleague.csm_id
        if only_new and levelled.relief.without_room:
            return False
        work.settle(moment)
        if levelled.anchors:
            self._start_rhythms(levelled.anchors, moment)
            self._marked.add(csm_id)
        people = [each for each in self._colleagues.values() if each.is_described]
        deputies = partial(find_deputies, work, people, self._list_planned)
        shares = find_colleagues(book, levelled, deputies, moment)
        levelled = leave_out(levelled, shares)
        changed = give_up(work, levelled.relief.given_up, moment)
        changed += apply_moves(work, book, levelled.moves)
        for account in changed:
            self._schedule(account, self._period.number_of(moment))
        if not levelled.anchors:
            self._review_at[csm_id] = levelled.relief.review_at
            covered = cover_absences(work, (book, levelled), shares, deputies, moment)
            self._follow_covers(covered, moment)
            if shares:
                self._marked.add(csm_id)
        return True

    def _follow_covers(self, covered: Covered, moment: datetime) -> None:
        for account, touchpoint in covered.handed_over:
            if touchpoint.csm_id is not None:
                self._work_of(touchpoint.csm_id).note(account, touchpoint.id)
                self._marked.add(touchpoint.csm_id)
        for account in covered.owed:
            if account.plan is not None:
                self._reconcile(account, account.plan, moment)
        for account in covered.accounts:
            self._schedule(account, self._period.number_of(moment))

    def _list_planned(self, csm_id: str, first: datetime, last: datetime) -> list[DeputyWork]:
        return list_work(self._work_of(csm_id), self._period.now, (first, last))

    def _start_rhythms(self, anchors: Mapping[tuple[str, str], datetime], moment: datetime) -> None:
        begun: defaultdict[str, set[str]] = defaultdict(set)
        for (account_id, kind), anchor in anchors.items():
            self._accounts[account_id].choose_anchor(kind, anchor)
            begun[account_id].add(kind)
        for account_id in sorted(begun):
            account = self._accounts[account_id]
            self._reconcile_rhythms(account, begun[account_id], moment)
            self._schedule(account, self._period.number_of(moment))

    def _reconcile_rhythms(self, account: SimulatedAccount, types: Iterable[str], moment: datetime) -> None:
        """Reconcile an account of which these rhythms need it: the whole of it where the scheduler is followed."""
        if account.plan is None:
            return
        if self._period.is_exact(moment):
            self._reconcile(account, account.plan, moment)
        else:
            self._follow(account, change_rhythms(account.plan, types), moment)

    def _find_conflicts(self, moment: datetime) -> None:
        """What does not fit the books as they are planned now; later only of what comes due within the period."""
        is_first = moment == self._period.now
        until = LAST if is_first else self._period.end
        for csm_id in sorted(self._work):
            work = self._work[csm_id]
            if work.is_overfull(moment):
                relief = find_relief(work, moment, until)
                add_conflicts(self.totals.conflicts, describe_conflicts(csm_id, relief))
                if is_first:
                    self._review_at[csm_id] = relief.review_at

    def _finish(self) -> None:
        self.totals.undecided = sorted(
            each.account_id for each in self._accounts.values() if each.decisions.has_failed
        )
        self.totals.people = [work.colleague for work in self._work.values()]
        self.totals.work["accounts"] = len(self._accounts)


def _is_planned_work(touchpoint: Touchpoint) -> bool:
    return touchpoint.status is Status.PLANNED and touchpoint.is_led_by_person
