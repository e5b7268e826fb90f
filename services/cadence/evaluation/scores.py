"""Health scores, each with the fall since the score before it."""

from collections.abc import Iterator, Mapping
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
    stored: Mapping[Stamp, _Scored] = cast("Mapping[Stamp, _Scored]", entries)
    for stamp, fields in stored.items():
        if SUPERSEDED in fields:
            continue
        score, drop = fields.get("score"), None
        if score is not None:
            drop = None if previous is None else previous - score
            previous = score
        if stamp >= since:
            yield Score(stamp, score, fields.get("color"), drop)
