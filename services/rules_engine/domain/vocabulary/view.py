"""The view: what the vocabulary's words mean for one account at one moment, as one flat dictionary."""

from bisect import bisect_left
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, cast

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import DAY, Facts, Fields, Held, Plain, micros
from services.rules_engine.domain.vocabulary.answers import (
    look_at_go_live,
    look_at_mails,
    look_at_meetings,
    look_at_scores,
    look_at_surveys,
)
from services.rules_engine.domain.vocabulary.contracts import look_at_contracts, renews_itself
from services.rules_engine.domain.vocabulary.people import look_at_people, look_at_wishes
from services.rules_engine.domain.vocabulary.registry import MEETINGS, WORDS, touch_type
from services.rules_engine.domain.vocabulary.requests import look_at_answers, look_at_requests
from services.rules_engine.domain.vocabulary.seen import View
from services.rules_engine.domain.vocabulary.touches import last_touches, look_at_types

__all__ = ["ALL", "View", "last_touches", "next_day", "ratio", "renews_itself", "view"]

ALL = frozenset(WORDS)
_CUSTOMARY = frozenset(MEETINGS)


class _Needs(NamedTuple):
    """What a set of wanted words asks for: a blank sheet of values, the work to do, and the types to count from."""

    blank: dict[str, Plain]
    looks: tuple[Callable[[View], None], ...]
    types: tuple[tuple[str, str], ...]


def _look_at_usage(seen: View) -> None:
    entries = seen.facts.entries.get("usage.reported")
    if entries:
        end, newest = max((cast("int", fields["period_end"]), mark) for mark, fields in entries.items())
        seen.values["usage_spike_ratio"] = seen.spikes.of(entries[newest])
        seen.bases["days_since_usage"] = end


def _look_at_change(seen: View) -> None:
    entries = seen.facts.entries.get("usage.reported")
    if entries:
        _, newest = max((cast("int", fields["period_end"]), mark) for mark, fields in entries.items())
        change = seen.spikes.change(entries[newest])
        if change is not None:
            seen.rest("usage_change", change, newest)


_LOOKS: tuple[tuple[Callable[[View], None], frozenset[str]], ...] = (
    (_look_at_usage, frozenset({"usage_spike_ratio", "days_since_usage"})),
    (_look_at_change, frozenset({"usage_change"})),
    (look_at_scores, frozenset({"nps_trend"})),
    (look_at_surveys, frozenset({"days_since_survey"})),
    (look_at_go_live, frozenset({"went_live", "days_since_go_live"})),
    (look_at_mails, frozenset({"open_rate", "click_rate"})),
    (look_at_meetings, frozenset({"declines_in_row", "attendance_rate"})),
    (
        look_at_people,
        frozenset(
            {
                "has_champion",
                "has_decision_maker",
                "has_executive_sponsor",
                "days_since_stakeholder_left",
                "days_since_stakeholder_joined",
            }
        ),
    ),
    (look_at_requests, frozenset({"requests_28d", "requests_prior_28d"})),
    (look_at_answers, frozenset({"open_requests", "response_hours"})),
)
_NEVER_NULL: dict[str, Plain] = {"truth": False, "number": 0}


@lru_cache(maxsize=64)
def _needs(wanted: frozenset[str], reads: frozenset[str]) -> _Needs:
    wanted |= reads
    types = tuple((name, kind) for name in sorted(wanted) if (kind := touch_type(name)) is not None)
    blank = {
        name: None if word.nullable else _NEVER_NULL.get(word.kind)
        for name, word in WORDS.items()
        if touch_type(name) is None
    }
    looks = tuple(look for look, names in _LOOKS if not names.isdisjoint(wanted))
    return _Needs(blank | dict.fromkeys(name for name, _ in types), looks, types)


def view(
    facts: Facts,
    book: Book,
    now: datetime,
    wanted: AbstractSet[str] = ALL,
    *,
    meetings: frozenset[str] = _CUSTOMARY,
) -> View:
    """What conditions read. Pure. Words that cost something are only worked out when they are `wanted`.

    `meetings`: the touchpoint types that a customer attends or does not: calls and meetings of the policy's catalogue.
    """
    at = micros(now)
    needs = _needs(frozenset(wanted), book.reads)
    values = needs.blank.copy()
    values["account_id"] = facts.account_id
    for fields in facts.account.values():
        values.update(fields)
    values["paid_success"] = values["paid_success"] is True
    values["seat_ratio"] = ratio(values["seats_used"], values["seats"])
    seen = View(at, values, facts, book, meetings)
    look_at_contracts(seen)
    _rank(seen)
    seen.last_touch = last_touches(facts)
    if None in seen.last_touch:
        seen.bases["days_since_touch"] = seen.last_touch[None][0]
    if facts.preferences:
        look_at_wishes(seen)
    for look in needs.looks:
        look(seen)
    if needs.types:
        look_at_types(seen, needs.types)
    _pause(seen, facts.pauses.get(""))
    _count_days(seen)
    return seen


def next_day(base: int, now: int, counts: tuple[int, ...] | None) -> int | None:
    """When the whole days since `base` next become one of `counts` (sorted; None: any), in microseconds."""
    passed = (now - base) // DAY
    for count in (passed + 1,) if counts is None else counts:
        if count > passed:
            return base + count * DAY
    return None


def ratio(part: Plain, whole: Plain) -> float | None:
    if isinstance(part, int | float) and isinstance(whole, int | float) and whole > 0:
        return part / whole
    return None


def _rank(seen: View) -> None:
    revenue, cut_offs = seen.values["arr"], seen.book.arr_percentiles
    if cut_offs and isinstance(revenue, int | float):
        seen.values["arr_percentile"] = bisect_left(cut_offs, revenue)


def _pause(seen: View, held: Held | None) -> None:
    if not held:
        return
    fields: Fields = {name: value for said in held.values() for name, value in said.items()}
    until = fields.get("until")
    if isinstance(until, int):
        seen.turns.append(until)
    paused = fields.get("paused") is True and (not isinstance(until, int) or until > seen.now)
    seen.rest("paused", paused, max(held) if paused else None)
    seen.paused_until = until if paused and isinstance(until, int) else None


def _count_days(seen: View) -> None:
    values, bases, reads = seen.values, seen.bases, seen.book.reads
    for name, base in bases.items():
        count = (seen.now - base) // DAY
        values[name] = -count if name == "days_to_renewal" else count
        if name in reads:
            # Nobody knows at which counts the audience of a program turns: any day may be the one.
            seen.turns.append(base + (count + 1) * DAY)
    ends = values["days_to_renewal"]
    if values["auto_renew"] and isinstance(ends, int) and ends < 0:
        # A term that ended and renews by itself is running again; when it ends next is not known yet.
        values["days_to_renewal"] = None
