"""Open and click rates of mails to contacts. A mail counts from three days after it was sent.

Unknown is not zero: that openings are collected is only known once one of the account's own was. Until then both rates
are null, even where openings of other accounts arrive. A reply shows that its own mail was read, and no more. A mail that
only machines opened, such as the image proxy of a mail provider, may have been read or not: the open rate leaves it out.
"""

from collections.abc import Iterator

from services.cadence.account import DAY, Facts, Stamp, when
from services.cadence.features.attendance import LAST

COUNTED_AFTER = 3 * DAY


class Mails:
    """The mails sent to an account's contacts, oldest first.

    A mail counts as opened however late that became known: a late opening is no sign of fatigue.
    """

    __slots__ = ("_clicked", "_counted_at", "_is_collected", "_opened", "_stamps")

    def __init__(self, facts: Facts) -> None:
        sent = facts.entries.get("mail.sent", {})
        opened, clicked = _deliveries(facts, "mail.opened"), _deliveries(facts, "mail.clicked")
        signs = facts.entries.get("mail.opened", {}).values()
        self._is_collected = bool(clicked) or any(fields.get("kind") != "replied" for fields in signs)
        self._stamps = list(sent)
        self._counted_at = [when(stamp) + COUNTED_AFTER for stamp in sent]
        fetched = _deliveries(facts, "mail.fetched") - opened
        self._opened: list[bool | None] = [
            None if fields.get("delivery_id") in fetched else fields.get("delivery_id") in opened
            for fields in sent.values()
        ]
        self._clicked: list[bool | None] = [fields.get("delivery_id") in clicked for fields in sent.values()]

    def rates(self, now: int) -> Iterator[tuple[int, Stamp, float | None, float | None]]:
        """(time it counts from, stamp, open rate and click rate up to it) of each mail that counts at `now`."""
        for index in range(self._count(now)):
            opened, clicked = self._share(self._opened, index), self._share(self._clicked, index)
            yield self._counted_at[index], self._stamps[index], opened, clicked

    def latest_rates(self, now: int) -> tuple[Stamp, float | None, float | None] | None:
        """(stamp, open rate, click rate) of the newest mail that counts at `now`."""
        index = self._count(now) - 1
        if index < 0:
            return None
        return self._stamps[index], self._share(self._opened, index), self._share(self._clicked, index)

    def next_counted_at(self, now: int) -> int | None:
        """When the next mail counts; None: there is none."""
        return next(iter(self._counted_at[self._count(now) :]), None)

    def _share(self, counted: list[bool | None], index: int) -> float | None:
        """Of the last mails up to this one of which it is known; None: there are too few."""
        known = [one for one in counted[: index + 1] if one is not None]
        if len(known) < LAST or not self._is_collected:
            return None
        return sum(known[-LAST:]) / LAST

    def _count(self, now: int) -> int:
        return sum(at <= now for at in self._counted_at)


def _deliveries(facts: Facts, name: str) -> set[str]:
    return {str(fields.get("delivery_id")) for fields in facts.entries.get(name, {}).values()}
