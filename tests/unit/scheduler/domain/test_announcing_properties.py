"""However plans alternate, the events lead their readers to the calendar, and no event is for nothing (row 47)."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.plans import PlanAdjusted
from services.calendar.reconciliation.context import AccountHours, ChangeKind, StoredCalendar
from services.calendar.touchpoint import Status, Touchpoint
from services.scheduler.domain.announcing import KnownState, choose_event
from tests.unit.calendar.plans import (
    EMPTY,
    HOURS,
    NOW,
    account_hours,
    apply_changes,
    avoiding_plans,
    come_due,
    decided,
    one_off,
    plan,
    reconciled,
    rhythm,
)
from tests.unit.scheduler.domain.test_announcing import known

flapping = settings(suppress_health_check=[HealthCheck.too_slow])
SECOND = timedelta(seconds=1)


class Reader:
    """Follows the events of one account; `changed` waits to be announced."""

    def __init__(self) -> None:
        self.known: dict[str, KnownState] = {}
        self.changed: set[str] = set()
        self.kinds: list[str] = []

    def announce(self, stored: StoredCalendar) -> None:
        for touchpoint in stored.touchpoints:
            if touchpoint.id in self.changed:
                before = self.known.get(touchpoint.id, KnownState(None))
                kind = choose_event(before, touchpoint)
                if kind is not None:
                    self.kinds.append(kind)
                    self.known[touchpoint.id] = known(touchpoint)
        self.changed.clear()

    def to_come(self) -> dict[str, KnownState]:
        return {key: state for key, state in self.known.items() if state.status is Status.PLANNED}


def follow(
    stored: StoredCalendar, wanted: PlanAdjusted, reader: Reader, hours: AccountHours, version: int
) -> StoredCalendar:
    """Reconcile a second later than the version before; what comes due is announced at once."""
    now = NOW + version * SECOND
    fresh = decided(wanted, version=version, decided_at=now)
    changes = reconciled(fresh, stored, hours, now)
    reader.changed |= {
        change.touchpoint.id
        for change in changes.changes
        if change.kind in (ChangeKind.CREATE, ChangeKind.MOVE, ChangeKind.CANCEL)
    }
    after = come_due(apply_changes(stored, changes), now)
    for touchpoint in after.touchpoints:
        if touchpoint.released_at == now:
            reader.known[touchpoint.id] = known(touchpoint)
            reader.changed.discard(touchpoint.id)
    return StoredCalendar(after.touchpoints, after.series, {**stored.last_due_at, **after.last_due_at})


def planned(stored: StoredCalendar) -> dict[str, Touchpoint]:
    return {each.id: each for each in stored.touchpoints if each.status is Status.PLANNED}


@flapping
@given(
    st.lists(avoiding_plans(), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=12),
    account_hours(),
)
def test_the_events_of_any_flaps_lead_to_the_calendar(
    choices: Sequence[PlanAdjusted], flaps: Sequence[tuple[int, bool]], hours: AccountHours
) -> None:
    stored, reader = EMPTY, Reader()
    for version, (index, is_quiet) in enumerate(flaps, 1):
        before = set(reader.known)
        stored = follow(stored, choices[index % len(choices)], reader, hours, version)
        if is_quiet:
            reader.announce(stored)
        else:
            news = set(reader.known) - before
            assert all(each.released_at for each in stored.touchpoints if each.id in news)
    reader.announce(stored)

    assert reader.to_come() == {key: known(touchpoint) for key, touchpoint in planned(stored).items()}


@flapping
@given(
    st.lists(st.sampled_from([5, 7, 14, 28, None]), min_size=1, max_size=20),
    st.sampled_from([7, 14, 28]),
    st.sampled_from(["csm", "automation"]),
)
def test_who_flaps_back_within_the_quiet_time_has_no_events(
    intervals: Sequence[int | None], usual: int, owner: str
) -> None:
    """Also over three intervals, and when the rhythm is dropped in between."""
    changes = {"owner": owner, "urgency": "spread", "csm_id": "ada" if owner == "csm" else None}
    home = plan([rhythm(usual, **changes)], [one_off()])
    stored, reader = EMPTY, Reader()
    stored = follow(stored, home, reader, HOURS, 1)
    reader.announce(stored)
    reader.kinds.clear()
    first = planned(stored)

    for version, interval in enumerate(intervals, 2):
        away = plan([rhythm(interval, **changes)] if interval else [])
        stored = follow(stored, away, reader, HOURS, version)
    stored = follow(stored, home, reader, HOURS, len(intervals) + 2)
    reader.announce(stored)

    assert {key: known(each) for key, each in planned(stored).items()} == {
        key: known(each) for key, each in first.items()
    }
    assert reader.kinds == []
