"""Usage over time: how a period compares with the four weeks before it."""

from collections.abc import Sequence

from services.rules_engine.domain.facts import DAY, Entry, Fields

BASELINE = 28 * DAY
COVERED = 21 * DAY
Span = tuple[int, int, float]
"""Beginning, end (microseconds) and daily rate of a reported period."""


def spans(entries: Sequence[Entry], metric: str) -> list[Span]:
    """Periods in order, without overlaps: where two reports cover one day, the one that began earlier counts.

    Of two that began together the longer counts, then the greater, so that the order of arrival means nothing.
    """
    found: list[Span] = []
    for _, fields in entries:
        daily, start, end = fields.get(metric), fields.get("period_start"), fields.get("period_end")
        if isinstance(daily, int | float) and isinstance(start, int) and isinstance(end, int):
            found.append((start, -end, -daily))
    found.sort()
    made: list[Span] = []
    reached = -(1 << 62)
    for start, end, daily in found:
        if -end > reached:
            made.append((max(reached, start), -end, -daily))
            reached = -end
    return made


class Spikes:
    """Spike ratios of the reports of one account; its periods are put in order once per metric, when first asked."""

    __slots__ = ("_entries", "_spans")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._spans: dict[str, list[Span]] = {}

    def of(self, fields: Fields) -> float | None:
        """None unless 21 of the 28 days before the period are known and their mean is above nothing."""
        # Events are counted per day of their period; active users are a level and stand as they are.
        metric = "daily" if fields.get("daily") is not None else "active_users"
        daily, until = fields.get(metric), fields.get("period_start")
        if not isinstance(daily, int | float) or not isinstance(until, int) or len(self._entries) < 2:
            return None
        if metric not in self._spans:
            self._spans[metric] = spans(self._entries, metric)
        since, covered, total = until - BASELINE, 0, 0.0
        for start, end, each in self._spans[metric]:
            if start >= until:
                break
            part = (min(until, end)) - (max(since, start))
            if part > 0:
                covered += part
                total += part * each
        return daily * covered / total if covered >= COVERED and total > 0 else None
