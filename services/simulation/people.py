"""The people of a simulation: whose work has changed, their books for the leveller, and what it changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from schemas.times import USUAL_QUIET_HOURS
from services.calendar.assignment import BLOCK, begin_blocks, measure_host
from services.calendar.avoid import Availability, periods_for
from services.calendar.levelling import Host
from services.calendar.open_hours import meeting_hours
from services.calendar.person_book import (
    HORIZON_DAYS,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    availability_key,
    find_availability,
    find_owed_within,
    find_priority,
)
from services.calendar.person_relief import TouchRelief
from services.calendar.reconciliation.context import CalendarChange, ChangeKind
from services.calendar.touchpoint import Origin, Touchpoint, give_way, return_to_plan
from services.calendar.touchpoint_windows import may_return
from services.calendar.windows import is_by_season
from services.simulation.account import SimulatedAccount
from services.simulation.book import Colleague


class PersonWork:
    """The accounts in which somebody leads anything, and what has changed since their book was levelled last."""

    def __init__(self, colleague: Colleague) -> None:
        self.colleague = colleague
        self.accounts: dict[str, SimulatedAccount] = {}
        self._changed: set[str] = set()
        self._is_levelled = colleague.is_levelled

    def note(self, account: SimulatedAccount, touchpoint_id: str) -> None:
        """A touchpoint of theirs is new or was changed by something else than the leveller."""
        self.accounts[account.account_id] = account
        self._changed.add(touchpoint_id)

    def planned(self, after: datetime) -> Iterator[tuple[SimulatedAccount, Touchpoint]]:
        """Their touchpoints that come due after that moment."""
        csm_id = self.colleague.csm_id
        for account in self.accounts.values():
            for touchpoint in account.planned():
                if touchpoint.csm_id == csm_id and touchpoint.is_led_by_person and touchpoint.due_at > after:
                    yield account, touchpoint

    def measure(self, now: datetime) -> Host:
        """What they have planned and available over a year."""
        start, person = begin_blocks(now), self.colleague
        planned = (((each.due_at - start) // BLOCK, each.minutes) for _, each in self.planned(now))
        return measure_host(person.csm_id, planned, person.hours, person.weekly_minutes, now)

    def make_book(self, now: datetime) -> PersonBook:
        """Their book to be levelled; what is new is what changed and stands nowhere that the leveller chose."""
        changed, was_levelled = self._changed, self._is_levelled
        self._changed, self._is_levelled = set(), True
        own = self._own(now)
        book = self._book(now, own, changed, was_levelled=was_levelled)
        for account, touchpoint in own:
            account.invited.announce(touchpoint, now)
        return book

    def view_book(self, now: datetime) -> PersonBook:
        """Their book to be read only."""
        return self._book(now, self._own(now), set(), was_levelled=True)

    def _own(self, now: datetime) -> list[tuple[SimulatedAccount, Touchpoint]]:
        """What they have planned within the horizon, by id."""
        horizon = now + timedelta(days=HORIZON_DAYS)
        own = [pair for pair in self.planned(now) if pair[1].due_at < horizon]
        return sorted(own, key=lambda pair: pair[1].id)

    def _book(
        self,
        now: datetime,
        own: Sequence[tuple[SimulatedAccount, Touchpoint]],
        changed: set[str],
        *,
        was_levelled: bool,
    ) -> PersonBook:
        yielded = sorted(self._yielded(now), key=lambda pair: pair[1].id)
        never_skipped = {
            account.account_id: _find_never_skipped(account) for account in self.accounts.values()
        }
        touches = tuple(
            _planned_touch(
                account,
                each,
                never_skipped[account.account_id],
                now,
                is_new=not each.is_levelled and not (was_levelled and each.id not in changed),
                is_invited=account.invited.contains(each, now, is_changed=each.id in changed),
            )
            for account, each in own
        )
        return PersonBook(
            self.colleague.csm_id,
            self.colleague.hours,
            self.colleague.weekly_minutes,
            touches,
            tuple(self._new_rhythms()),
            self._availability([*own, *yielded]),
            tuple(
                _planned_touch(account, each, never_skipped[account.account_id], now, is_new=True)
                for account, each in yielded
            ),
        )

    def _yielded(self, now: datetime) -> Iterator[tuple[SimulatedAccount, Touchpoint]]:
        """What gave way and may still come back."""
        horizon = now + timedelta(days=HORIZON_DAYS)
        for account in self.accounts.values():
            for each in list_yielded(account, now):
                if each.csm_id == self.colleague.csm_id and each.due_at < horizon:
                    yield account, each

    def _new_rhythms(self) -> Iterator[NewRhythm]:
        for account_id in sorted(self.accounts):
            for kind, series in sorted(self.accounts[account_id].series.items()):
                if series.active and series.phase is not None and series.csm_id == self.colleague.csm_id:
                    yield NewRhythm(
                        account_id, kind, series.every_days, series.minutes, series.anchor, series.phase
                    )

    def _availability(self, own: Sequence[tuple[SimulatedAccount, Touchpoint]]) -> Mapping[str, Availability]:
        """Where it is not that of the person's hours, by account and type."""
        hours, found = self.colleague.hours, dict[str, Availability]()
        for account, touchpoint in {
            (account.account_id, each.type): (account, each) for account, each in own
        }.values():
            content, plan = account.content_of(touchpoint), account.plan
            topic = None if content is None else content.topic
            avoid, quiet = ((), USUAL_QUIET_HOURS) if plan is None else (plan.avoid, plan.quiet_hours)
            meeting = meeting_hours(hours, account.customer, quiet)
            free = find_availability(periods_for(avoid, touchpoint.type, topic), topic, hours, meeting)
            if free is not None:
                found[availability_key(account.account_id, touchpoint.type)] = free
        return found


def list_yielded(account: SimulatedAccount, now: datetime) -> Iterator[Touchpoint]:
    """What gave way and may still come back."""
    return (each for each in account.calendar.values() if may_return(each, now))


def _find_never_skipped(account: SimulatedAccount) -> frozenset[str]:
    """The types that the plan protects."""
    items = () if account.plan is None else (*account.plan.rhythms, *account.plan.touchpoints)
    return frozenset(item.touchpoint_type for item in items if item.never_skip)


def _planned_touch(
    account: SimulatedAccount,
    touchpoint: Touchpoint,
    never_skipped: frozenset[str],
    now: datetime,
    *,
    is_new: bool,
    is_invited: bool = False,
) -> PlannedTouch:
    content = account.content_of(touchpoint)
    precedence, priority = (None, None) if content is None else (content.precedence, content.priority)
    return PlannedTouch(
        touchpoint.id, touchpoint.account_id, touchpoint.type, touchpoint.due_at, touchpoint.start_at,
        touchpoint.earliest_at, touchpoint.latest_at, touchpoint.soft_days, touchpoint.minutes,
        find_priority(priority, precedence, touchpoint.origin), is_new, is_by_season(touchpoint.shift),
        touchpoint.type in never_skipped, touchpoint.origin is Origin.CALENDAR, touchpoint.gave_way,
        find_owed_within(
            None if touchpoint.pinned else touchpoint.shift, (touchpoint.start_at, touchpoint.end_at), now
        ),
        is_invited,
    )  # fmt: skip


def apply_moves(work: PersonWork, book: PersonBook, moves: Iterable[LevelledTouch]) -> list[SimulatedAccount]:
    """Move what the leveller moved, and plan again what gave way and has room; the accounts concerned."""
    account_of = {touch.id: touch.account_id for touch in (*book.touches, *book.yielded)}
    moved: dict[str, SimulatedAccount] = {}
    for move in moves:
        account = work.accounts[account_of[move.id]]
        touchpoint = account.calendar[move.id]
        if touchpoint.pinned:
            continue
        if touchpoint.gave_way:
            changed = return_to_plan(touchpoint, move.due_at, move.reason)
        else:
            changed = touchpoint._replace(
                due_at=move.due_at, shift=move.reason, sequence=touchpoint.sequence + 1
            )
        account.change_by_levelling(changed)
        account.invited.announce_move(changed)
        moved[account.account_id] = account
    return list(moved.values())


def give_up(work: PersonWork, given_up: Iterable[TouchRelief], now: datetime) -> list[SimulatedAccount]:
    """Cancel what has no room; the accounts concerned."""
    concerned: dict[str, SimulatedAccount] = {}
    for each in given_up:
        account = work.accounts[each.touch.account_id]
        touchpoint = account.calendar[each.touch.id]
        if not touchpoint.pinned:
            content = account.content_of(touchpoint)
            cancelled = give_way(touchpoint._replace(content=content), each.reason)
            account.change_by_levelling(cancelled)
            account.report_cancelled_one_off(cancelled, now)
            concerned[account.account_id] = account
    return list(concerned.values())


def is_visible(change: CalendarChange) -> bool:
    """Whether readers of events get to know of it, so that its people's books are levelled."""
    return change.kind not in (ChangeKind.KEEP, ChangeKind.REFRESH) and change.touchpoint.is_led_by_person
