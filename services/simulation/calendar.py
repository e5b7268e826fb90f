"""The calendar of a simulated account. What is asked of it at every look is kept until it changes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from services.calendar.touchpoint import Origin, Status, Touchpoint
from services.calendar.touchpoint_windows import may_return

LAST: Final = datetime.max.replace(tzinfo=UTC)


class AccountCalendar(dict[str, Touchpoint]):
    """Touchpoints by id. They are set and deleted one by one only, so that what is kept is forgotten."""

    __slots__ = ("_by_person", "_first_due_at", "_of_types", "_planned")

    def __init__(self, touchpoints: Iterable[Touchpoint]) -> None:
        super().__init__((each.id, each) for each in touchpoints)
        self._forget()

    def _forget(self) -> None:
        self._planned: Sequence[Touchpoint] | None = None
        self._first_due_at: datetime | None = None
        self._by_person: dict[str, Sequence[Touchpoint]] = {}
        self._of_types: tuple[Collection[str], Sequence[Touchpoint]] | None = None

    def __setitem__(self, touchpoint_id: str, touchpoint: Touchpoint) -> None:
        super().__setitem__(touchpoint_id, touchpoint)
        if self._planned is not None:
            self._forget()

    def __delitem__(self, touchpoint_id: str) -> None:
        super().__delitem__(touchpoint_id)
        if self._planned is not None:
            self._forget()

    def forget_closed(self, now: datetime) -> None:
        """Occurrences that were cancelled, but for withdrawn ones to come, which may be planned again."""
        closed = [
            each.id
            for each in self.values()
            if each.origin is Origin.RHYTHM
            and each.status is Status.CANCELLED
            and not (each.is_withdrawn and each.due_at > now)
            and not may_return(each, now)
        ]
        for touchpoint_id in closed:
            del self[touchpoint_id]

    @property
    def planned(self) -> Sequence[Touchpoint]:
        if self._planned is None:
            self._planned = [each for each in self.values() if each.status is Status.PLANNED]
        return self._planned

    @property
    def first_due_at(self) -> datetime:
        """When the first of what is planned comes due."""
        if self._first_due_at is None:
            self._first_due_at = min((each.due_at for each in self.planned), default=LAST)
        return self._first_due_at

    def led_by(self, csm_id: str) -> Sequence[Touchpoint]:
        """What is planned for that person."""
        if csm_id not in self._by_person:
            own = [each for each in self.planned if each.csm_id == csm_id and each.is_led_by_person]
            self._by_person[csm_id] = own
        return self._by_person[csm_id]

    def of_types(self, types: Collection[str]) -> Sequence[Touchpoint]:
        """What is planned of these types."""
        if self._of_types is None or self._of_types[0] is not types:
            self._of_types = types, [each for each in self.planned if each.type in types]
        return self._of_types[1]
