"""Health scores, each with the fall since the score before it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict, cast

from services.cadence.account import Entries, Stamp
from services.cadence.account.merging import SUPERSEDED


class Score(NamedTuple):
    """A health score: `color` None where the event had none; `drop`: the score before minus this one.

    One that was corrected is left out.
    """

    stamp: Stamp
    score: float | None
    color: str | None
    drop: float | None


class _Scored(TypedDict, total=False):
    score: float | None
    color: str | None


def scores(entries: Entries, since: Stamp) -> Iterator[Score]:
    """Health scores from `since` on, oldest first."""
    previous: float | None = None
    for stamp, fields in cast("dict[Stamp, _Scored]", entries).items():
        if SUPERSEDED in fields:
            continue
        score, drop = fields.get("score"), None
        if score is not None:
            drop = None if previous is None else previous - score
            previous = score
        if stamp >= since:
            yield Score(stamp, score, fields.get("color"), drop)


def scores_near(entries: Entries, stamps: Iterable[Stamp]) -> Iterator[Score]:
    """Health scores at these stamps and up to the next score after each, as they read among `entries`.

    Whatever is added or removed at a stamp, the scores beyond read the same.
    """
    stored = cast("dict[Stamp, _Scored]", entries)
    order = list(stored)
    for stamp in stamps:
        index = bisect_left(order, stamp)
        previous = _score_before(stored, order, index)
        for own in order[index:]:
            fields = stored[own]
            if SUPERSEDED in fields:
                continue
            score = fields.get("score")
            drop = None if previous is None or score is None else previous - score
            yield Score(own, score, fields.get("color"), drop)
            if score is not None:
                previous = score
                if own != stamp:
                    break


def _score_before(stored: Mapping[Stamp, _Scored], order: list[Stamp], index: int) -> float | None:
    while index:
        index -= 1
        fields = stored[order[index]]
        score = fields.get("score")
        if score is not None and SUPERSEDED not in fields:
            return score
    return None
