"""The people of a simulation: whose work has changed, their books for the leveller, and what it changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from services.calendar.avoid import Availability, periods_for
from services.calendar.person_book import (
    HORIZON_DAYS,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    availability_key,
    find_priority,
)
from services.calendar.reconciliation.context import CalendarChange, ChangeKind
from services.calendar.touchpoint import Touchpoint
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

    def make_book(self, now: datetime) -> PersonBook:
        """Their book to be levelled; what is new is what changed and stands nowhere that the leveller chose."""
        changed, was_levelled = self._changed, self._is_levelled
        self._changed, self._is_levelled = set(), True
        return self._book(now, changed, was_levelled=was_levelled)

    def view_book(self, now: datetime) -> PersonBook:
        """Their book to be read only."""
        return self._book(now, set(), was_levelled=True)

    def _book(self, now: datetime, changed: set[str], *, was_levelled: bool) -> PersonBook:
        horizon = now + timedelta(days=HORIZON_DAYS)
        own = [pair for pair in self.planned(now) if pair[1].due_at < horizon]
        own.sort(key=lambda pair: pair[1].id)
        touches = tuple(
            _planned_touch(
                account, each, is_new=not each.is_levelled and not (was_levelled and each.id not in changed)
            )
            for account, each in own
        )
        return PersonBook(
            self.colleague.csm_id,
            self.colleague.hours,
            self.colleague.weekly_minutes,
            touches,
            tuple(self._new_rhythms()),
            self._availability(own),
        )

    def _new_rhythms(self) -> Iterator[NewRhythm]:
        for account_id in sorted(self.accounts):
            for kind, series in sorted(self.accounts[account_id].series.items()):
                if series.active and series.phase is not None and series.csm_id == self.colleague.csm_id:
                    yield NewRhythm(
                        account_id, kind, series.every_days, series.minutes, series.anchor, series.phase
                    )

    def _availability(self, own: Sequence[tuple[SimulatedAccount, Touchpoint]]) -> Mapping[str, Availability]:
        """Of accounts with times to avoid, and of internal work, by account and type."""
        hours = self.colleague.hours
        found: dict[str, Availability] = {}
        for account, touchpoint in own:
            key = availability_key(account.account_id, touchpoint.type)
            content = account.content_of(touchpoint)
            if content is None or account.plan is None or key in found:
                continue
            periods = periods_for(account.plan.avoid, touchpoint.type, content.topic)
            if periods or content.topic is None:
                found[key] = Availability(periods, hours.zone, None if content.topic is None else hours)
        return found


def _planned_touch(account: SimulatedAccount, touchpoint: Touchpoint, *, is_new: bool) -> PlannedTouch:
    content = account.content_of(touchpoint)
    precedence, priority = (None, None) if content is None else (content.precedence, content.priority)
    return PlannedTouch(
        touchpoint.id, touchpoint.account_id, touchpoint.type, touchpoint.due_at, touchpoint.start_at,
        touchpoint.earliest_at, touchpoint.latest_at, touchpoint.soft_days, touchpoint.minutes,
        find_priority(priority, precedence, touchpoint.origin), is_new,
    )  # fmt: skip


def apply_moves(work: PersonWork, book: PersonBook, moves: Iterable[LevelledTouch]) -> list[SimulatedAccount]:
    """Move what the leveller moved; the accounts concerned."""
    account_of = {touch.id: touch.account_id for touch in book.touches}
    moved: dict[str, SimulatedAccount] = {}
    for move in moves:
        account = work.accounts[account_of[move.id]]
        touchpoint = account.calendar[move.id]
        account.calendar[move.id] = touchpoint._replace(
            due_at=move.due_at, shift=move.reason, sequence=touchpoint.sequence + 1
        )
        moved[account.account_id] = account
    return list(moved.values())


def is_visible(change: CalendarChange) -> bool:
    """Whether readers of events get to know of it, so that its people's books are levelled."""
    return change.kind not in (ChangeKind.KEEP, ChangeKind.REFRESH) and change.touchpoint.is_led_by_person
