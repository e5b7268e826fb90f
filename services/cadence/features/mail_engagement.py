"""Open and click rates of mails to contacts. A mail counts from three days after it was sent."""

from collections.abc import Iterator

from services.cadence.account import DAY, Facts, Stamp, when
from services.cadence.features.attendance import LAST

COUNTED_AFTER = 3 * DAY


class Mails:
    """The mails sent to an account's contacts, oldest first.

    A mail counts as opened however late that became known: a late opening is no sign of fatigue.
    """

    __slots__ = ("_clicked", "_counted_at", "_opened", "_stamps")

    def __init__(self, facts: Facts) -> None:
        sent = facts.entries.get("mail.sent", {})
        opened, clicked = _deliveries(facts, "mail.opened"), _deliveries(facts, "mail.clicked")
        self._stamps = list(sent)
        self._counted_at = [when(stamp) + COUNTED_AFTER for stamp in sent]
        self._opened = [fields.get("delivery_id") in opened for fields in sent.values()]
        self._clicked = [fields.get("delivery_id") in clicked for fields in sent.values()]

    def rates(self, now: int) -> Iterator[tuple[int, Stamp, float | None, float | None]]:
        """(time it counts from, stamp, open rate and click rate up to it) of each mail that counts at `now`."""
        for index in range(self._count(now)):
            opened, clicked = _share(self._opened, index), _share(self._clicked, index)
            yield self._counted_at[index], self._stamps[index], opened, clicked

    def latest_rates(self, now: int) -> tuple[Stamp, float | None, float | None] | None:
        """(stamp, open rate, click rate) of the newest mail that counts at `now`."""
        index = self._count(now) - 1
        if index < 0:
            return None
        return self._stamps[index], _share(self._opened, index), _share(self._clicked, index)

    def next_counted_at(self, now: int) -> int | None:
        """When the next mail counts; None: there is none."""
        return next(iter(self._counted_at[self._count(now) :]), None)

    def _count(self, now: int) -> int:
        return sum(at <= now for at in self._counted_at)


def _deliveries(facts: Facts, name: str) -> set[str]:
    return {str(fields.get("delivery_id")) for fields in facts.entries.get(name, {}).values()}


def _share(counted: list[bool], index: int) -> float | None:
    return None if index + 1 < LAST else sum(counted[index + 1 - LAST : index + 1]) / LAST
