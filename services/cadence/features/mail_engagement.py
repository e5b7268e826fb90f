"""Mails to contacts: were they opened, were their links followed, judged three days after each was sent."""

from collections.abc import Iterator

from services.cadence.account import DAY, Facts, Stamp, when
from services.cadence.features.attendance import LAST

JUDGED_AFTER = 3 * DAY


class Mails:
    """The mails sent to an account's contacts, oldest first.

    A mail counts as opened whenever that became known: an opening that comes late is no sign of fatigue.
    """

    __slots__ = ("_clicked", "_marks", "_opened", "_sent")

    def __init__(self, facts: Facts) -> None:
        sent = facts.entries.get("mail.sent", {})
        opened, clicked = _deliveries(facts, "mail.opened"), _deliveries(facts, "mail.clicked")
        self._marks = list(sent)
        self._sent = [when(stamp) for stamp in sent]
        self._opened = [fields.get("delivery_id") in opened for fields in sent.values()]
        self._clicked = [fields.get("delivery_id") in clicked for fields in sent.values()]

    def judged(self, now: int) -> Iterator[tuple[int, Stamp, float | None, float | None]]:
        """Each mail that can be judged at `now`: the moment, its mark, and the shares opened and clicked up to it."""
        for index in range(self._ripe(now)):
            opened, clicked = _share(self._opened, index), _share(self._clicked, index)
            yield self._sent[index] + JUDGED_AFTER, self._marks[index], opened, clicked

    def latest(self, now: int) -> tuple[Stamp, float | None, float | None] | None:
        """The newest mail that can be judged, and the shares up to it."""
        index = self._ripe(now) - 1
        if index < 0:
            return None
        return self._marks[index], _share(self._opened, index), _share(self._clicked, index)

    def next_judged(self, now: int) -> int | None:
        """When the next one can be judged, if any is under way."""
        index = self._ripe(now)
        return self._sent[index] + JUDGED_AFTER if index < len(self._sent) else None

    def _ripe(self, now: int) -> int:
        return sum(sent + JUDGED_AFTER <= now for sent in self._sent)


def _deliveries(facts: Facts, kind: str) -> set[str]:
    return {str(fields.get("delivery_id")) for fields in facts.entries.get(kind, {}).values()}


def _share(each: list[bool], index: int) -> float | None:
    return None if index + 1 < LAST else sum(each[index + 1 - LAST : index + 1]) / LAST
