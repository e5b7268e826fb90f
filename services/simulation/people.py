"""The people of a simulation: whose work has changed, their books for the leveller, and what it changes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from schemas.times import USUAL_QUIET_HOURS
from services.calendar.assignment import BLOCK, YEAR_BLOCKS, begin_blocks, measure_host
from services.calendar.avoid import Availability, periods_for
from services.calendar.book_days import share_days
from services.calendar.customer_days import season_zones
from services.calendar.levelling import Host
from services.calendar.levelling.model import WEEK
from services.calendar.open_hours import OpenHours, to_wall
from services.calendar.person_book import (
    HORIZON_DAYS,
    AccountDays,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    availability_key,
    find_availability,
    find_owed_within,
    find_priority,
    find_work,
)
from services.calendar.person_relief import NEVER_GIVEN_UP, TouchRelief
from services.calendar.reconciliation.context import CalendarChange, ChangeKind
from services.calendar.touchpoint import Origin, Touchpoint, give_way, return_to_plan
from services.calendar.touchpoint_windows import may_return
from services.calendar.windows import is_by_season
from services.simulation.account import SimulatedAccount
from services.simulation.book import Colleague, available_minutes

Planned = tuple[SimulatedAccount, Touchpoint]


class PersonWork:
    """The accounts in which somebody leads anything, and what has changed since their book was levelled last."""

    def __init__(self, colleague: Colleague) -> None:
        self.colleague = colleague
        self.accounts: dict[str, SimulatedAccount] = {}
        self._changed: set[str] = set()
        self._is_levelled = colleague.is_levelled
        self._fits = False

    def note(self, account: SimulatedAccount, touchpoint_id: str | None = None) -> None:
        """A touchpoint of theirs is new or was changed by something else than the leveller; None: a rhythm is new."""
        self.accounts[account.account_id] = account
        self._fits = False
        if touchpoint_id is not None:
            self._changed.add(touchpoint_id)

    def planned(self, after: datetime) -> Iterator[Planned]:
        """Their touchpoints that come due after that moment."""
        csm_id = self.colleague.csm_id
        for account in self.accounts.values():
            for touchpoint in account.calendar.led_by(csm_id):
                if touchpoint.due_at > after:
                    yield account, touchpoint

    def measure(self, now: datetime) -> Host:
        """What they have planned and available over a year."""
        start, person = begin_blocks(now), self.colleague
        planned = [((each.due_at - start) // BLOCK, each.minutes) for _, each in self.planned(now)]
        for account in self.accounts.values():
            for series in account.list_unbegun():
                if series.until is None and series.csm_id == person.csm_id:
                    minutes = round(series.minutes * BLOCK.days / series.every_days)
                    planned += ((block, minutes) for block in range(YEAR_BLOCKS))
        return measure_host(person.csm_id, planned, person.hours, person.weekly_minutes, now)

    def make_book(self, now: datetime) -> PersonBook:
        """Their book to be levelled; what is new is what changed and stands nowhere that the leveller chose."""
        return self._book(now, self._is_new)

    def make_book_of_new(self, now: datetime) -> PersonBook | None:
        """Their book with only what is new to be levelled: all else stays, that of other accounts as a load of its days.

        None: nothing is new, or something that gave way may come back: that is asked of the whole book.
        """
        own = self._within_horizon(now)
        new = [pair for pair in own if self._is_new(pair[1])]
        if not (new or any(self._new_rhythms())) or any(self._yielded(now)):
            return None
        near = {account.account_id for account, _ in new}
        number_of = number_days(self.colleague.hours, now)
        touches: list[PlannedTouch] = []
        loads: dict[int, tuple[datetime, int]] = {}
        for account, each in own:
            if account.account_id in near:
                planned = self._plan(account, each, now, is_new=self._is_new(each))
                touches.append(planned if planned.is_new else planned._replace(earliest_at=None))
            else:
                day = number_of(each.due_at)
                loads[day] = each.due_at, each.minutes + loads.get(day, (now, 0))[1]
        touches += [_load_of_day(day, *load) for day, load in loads.items()]
        return self._book_of(touches, new, (), now)

    def view_book(self, now: datetime) -> PersonBook:
        """Their book to be read only."""
        return self._book(now, lambda _: False)

    def _book(self, now: datetime, is_new: Callable[[Touchpoint], bool]) -> PersonBook:
        own = self._within_horizon(now)
        touches = [self._plan(*pair, now, is_new=is_new(pair[1])) for pair in own]
        return self._book_of(touches, own, list(self._yielded(now)), now)

    def _plan(
        self, account: SimulatedAccount, touchpoint: Touchpoint, now: datetime, *, is_new: bool
    ) -> PlannedTouch:
        is_invited = self.is_invited(account, touchpoint, now)
        return _plan(account, touchpoint, now, is_new=is_new, is_invited=is_invited)

    def is_invited(self, account: SimulatedAccount, touchpoint: Touchpoint, now: datetime) -> bool:
        return account.invited.contains(touchpoint, now, is_changed=touchpoint.id in self._changed)

    def _within_horizon(self, now: datetime) -> list[Planned]:
        horizon = now + timedelta(days=HORIZON_DAYS)
        return [pair for pair in self.planned(now) if pair[1].due_at < horizon]

    def _book_of(
        self,
        touches: list[PlannedTouch],
        movable: Sequence[Planned],
        yielded: Sequence[Planned],
        now: datetime,
    ) -> PersonBook:
        return PersonBook(
            self.colleague.csm_id,
            self.colleague.hours,
            self.colleague.weekly_minutes,
            tuple(sorted(touches, key=lambda touch: touch.id)),
            tuple(self._new_rhythms()),
            self._availability([*movable, *yielded]),
            tuple(_plan(*pair, now, is_new=True) for pair in sorted(yielded, key=lambda pair: pair[1].id)),
        )

    def _is_new(self, touchpoint: Touchpoint) -> bool:
        return not touchpoint.is_levelled and (not self._is_levelled or touchpoint.id in self._changed)

    def settle(self, now: datetime) -> None:
        """Their book was levelled: what is in it is not new any more, and readers learn of what is near."""
        self._changed, self._is_levelled = set(), True
        csm_id, horizon = self.colleague.csm_id, now + timedelta(days=HORIZON_DAYS)
        for account in self.accounts.values():
            for each in account.calendar.of_types(account.invited.types):
                if each.csm_id == csm_id and each.is_led_by_person and now < each.due_at < horizon:
                    account.invited.announce(each, now)

    def is_overfull(self, now: datetime) -> bool:
        """Whether any week has more planned minutes than it holds. Else everything fits where it stands: no conflict.

        Where nothing has changed since all fitted, nothing is asked.
        """
        if not self._fits:
            hours, number_of = self.colleague.hours, number_days(self.colleague.hours, now)
            planned, today = Counter[date](), number_of(now)
            monday = monday_before(hours, now)
            for _, touchpoint in self.planned(now):
                day = number_of(touchpoint.due_at)
                if day > today:
                    planned[monday + timedelta(weeks=day // WEEK)] += touchpoint.minutes
            tomorrow = monday + timedelta(days=today % WEEK + 1)
            self._fits = all(
                minutes <= available_minutes(self.colleague, max(begin, tomorrow), begin + timedelta(days=6))
                for begin, minutes in planned.items()
            )
        return not self._fits

    def change(self) -> None:
        """Something of theirs stands elsewhere, or is new or gone."""
        self._fits = False

    def _yielded(self, now: datetime) -> Iterator[Planned]:
        """What gave way and may still come back."""
        horizon = now + timedelta(days=HORIZON_DAYS)
        for account in self.accounts.values():
            for each in list_yielded(account, now):
                if each.csm_id == self.colleague.csm_id and each.due_at < horizon:
                    yield account, each

    def _new_rhythms(self) -> Iterator[NewRhythm]:
        for account_id in sorted(self.accounts):
            for series in self.accounts[account_id].list_unbegun():
                if series.csm_id == self.colleague.csm_id and series.phase is not None:
                    yield NewRhythm(
                        account_id, series.type, series.every_days, series.minutes, series.anchor, series.phase,
                    )  # fmt: skip

    def _availability(self, own: Sequence[Planned]) -> Mapping[str, Availability]:
        """Where it is not that of the person's hours, by account and type."""
        hours, found = self.colleague.hours, dict[str, Availability]()
        for account, touchpoint in {
            (account.account_id, each.type): (account, each) for account, each in own
        }.values():
            work, plan = find_work(account.content_of(touchpoint), touchpoint.minutes), account.plan
            avoid, quiet = ((), USUAL_QUIET_HOURS) if plan is None else (plan.avoid, plan.quiet_hours)
            zones = season_zones(account.customer, hours.zone)
            periods = periods_for(avoid, touchpoint.type, work.topic, zones)
            free = find_availability(periods, work, hours, AccountDays(account.customer, quiet))
            if free is not None:
                found[availability_key(account.account_id, touchpoint.type)] = free
        return found


def list_yielded(account: SimulatedAccount, now: datetime) -> Iterator[Touchpoint]:
    """What gave way and may still come back."""
    return (each for each in account.calendar.values() if may_return(each, now))


def monday_before(hours: OpenHours, now: datetime) -> date:
    today = to_wall(now, hours.zone).date()
    return today - timedelta(days=today.weekday())


def number_days(hours: OpenHours, now: datetime) -> Callable[[datetime], int]:
    """The number of the day of a moment, from the first of a book."""
    return share_days(hours.zone, monday_before(hours, now), HORIZON_DAYS).number_of


def _load_of_day(day: int, due_at: datetime, minutes: int) -> PlannedTouch:
    """What stands on a day, of accounts of which nothing else is in the book. Days of one account are far apart."""
    name = f"day {day}"
    return PlannedTouch(
        name, f"days {day % 3}", "", due_at, due_at, None, None, 0, minutes, NEVER_GIVEN_UP, is_new=False
    )


def _plan(
    account: SimulatedAccount,
    touchpoint: Touchpoint,
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
        touchpoint.type in account.never_skipped, touchpoint.origin is Origin.CALENDAR, touchpoint.gave_way,
        find_owed_within(
            None if touchpoint.pinned else touchpoint.shift, (touchpoint.start_at, touchpoint.end_at), now
        ),
        is_invited, account.may_be_shared(touchpoint),
    )  # fmt: skip


def apply_moves(work: PersonWork, book: PersonBook, moves: Iterable[LevelledTouch]) -> list[SimulatedAccount]:
    """Move what the leveller moved, and plan again what gave way and has room; the accounts concerned."""
    account_of = {touch.id: touch.account_id for touch in (*book.touches, *book.yielded)}
    moved: dict[str, SimulatedAccount] = {}
    work.change()
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
    work.change()
    for each in given_up:
        account = work.accounts[each.touch.account_id]
        touchpoint = account.calendar[each.touch.id]
        if not touchpoint.pinned:
            content = account.content_of(touchpoint)
            cancelled = give_way(touchpoint._replace(content=content), each.reason)
            account.change_by_levelling(cancelled)
            account.decisions.report_cancelled(cancelled, now)
            concerned[account.account_id] = account
    return list(concerned.values())


def is_visible(change: CalendarChange) -> bool:
    """Whether readers of events get to know of it, so that its people's books are levelled."""
    return change.kind not in (ChangeKind.KEEP, ChangeKind.REFRESH) and change.touchpoint.is_led_by_person
