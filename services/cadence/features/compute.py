"""The view: what the vocabulary's words mean for one account at one moment, as one flat dictionary."""

from bisect import bisect_left
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, cast

from services.cadence.account import DAY, Facts, Fields, Plain, StampedFields, micros
from services.cadence.features.contracts import look_at_contracts, renews_itself
from services.cadence.features.last_contacts import last_touches, look_at_types
from services.cadence.features.people import look_at_people, look_at_wishes
from services.cadence.features.registry import FEATURES, MEETINGS, touch_type
from services.cadence.features.requests import look_at_answers, look_at_requests
from services.cadence.features.responses import (
    look_at_go_live,
    look_at_mails,
    look_at_meetings,
    look_at_scores,
    look_at_surveys,
)
from services.cadence.features.view import AccountView
from services.cadence.portfolio import Portfolio

__all__ = ["ALL", "AccountView", "last_touches", "next_day", "ratio", "renews_itself", "view_account"]

ALL = frozenset(FEATURES)
_CUSTOMARY = frozenset(MEETINGS)


class _Needs(NamedTuple):
    """What a set of wanted words asks for: a blank sheet of values, the work to do, and the types to count from."""

    blank: dict[str, Plain]
    looks: tuple[Callable[[AccountView], None], ...]
    types: tuple[tuple[str, str], ...]


def _look_at_usage(view: AccountView) -> None:
    entries = view.facts.entries.get("usage.reported")
    if entries:
        end, newest = max((cast("int", fields["period_end"]), stamp) for stamp, fields in entries.items())
        view.values["usage_spike_ratio"] = view.spikes.of(entries[newest])
        view.bases["days_since_usage"] = end


def _look_at_change(view: AccountView) -> None:
    entries = view.facts.entries.get("usage.reported")
    if entries:
        _, newest = max((cast("int", fields["period_end"]), stamp) for stamp, fields in entries.items())
        change = view.spikes.change(entries[newest])
        if change is not None:
            view.rest("usage_change", change, newest)


_LOOKS: tuple[tuple[Callable[[AccountView], None], frozenset[str]], ...] = (
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
        for name, word in FEATURES.items()
        if touch_type(name) is None
    }
    looks = tuple(look for look, names in _LOOKS if not names.isdisjoint(wanted))
    return _Needs(blank | dict.fromkeys(name for name, _ in types), looks, types)


def view_account(
    facts: Facts,
    portfolio: Portfolio,
    now: datetime,
    wanted: AbstractSet[str] = ALL,
    *,
    meetings: frozenset[str] = _CUSTOMARY,
) -> AccountView:
    """What conditions read. Pure. Words that cost something are only worked out when they are `wanted`.

    `meetings`: the touchpoint types that a customer attends or does not: calls and meetings of the policy's catalogue.
    """
    at = micros(now)
    needs = _needs(frozenset(wanted), portfolio.reads)
    values = needs.blank.copy()
    values["account_id"] = facts.account_id
    for fields in facts.account.values():
        values.update(fields)
    values["paid_success"] = values["paid_success"] is True
    values["seat_ratio"] = ratio(values["seats_used"], values["seats"])
    view = AccountView(at, values, facts, portfolio, meetings)
    look_at_contracts(view)
    _rank(view)
    view.last_touch = last_touches(facts)
    if None in view.last_touch:
        view.bases["days_since_touch"] = view.last_touch[None][0]
    if facts.preferences:
        look_at_wishes(view)
    for look in needs.looks:
        look(view)
    if needs.types:
        look_at_types(view, needs.types)
    _pause(view, facts.pauses.get(""))
    _count_days(view)
    return view


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


def _rank(view: AccountView) -> None:
    revenue, cut_offs = view.values["arr"], view.portfolio.arr_percentiles
    if cut_offs and isinstance(revenue, int | float):
        view.values["arr_percentile"] = bisect_left(cut_offs, revenue)


def _pause(view: AccountView, held: StampedFields | None) -> None:
    if not held:
        return
    fields: Fields = {name: value for said in held.values() for name, value in said.items()}
    until = fields.get("until")
    if isinstance(until, int):
        view.turns.append(until)
    paused = fields.get("paused") is True and (not isinstance(until, int) or until > view.now)
    view.rest("paused", paused, max(held) if paused else None)
    view.paused_until = until if paused and isinstance(until, int) else None


def _count_days(view: AccountView) -> None:
    values, bases, reads = view.values, view.bases, view.portfolio.reads
    for name, base in bases.items():
        count = (view.now - base) // DAY
        values[name] = -count if name == "days_to_renewal" else count
        if name in reads:
            # Nobody knows at which counts the audience of a program turns: any day may be the one.
            view.turns.append(base + (count + 1) * DAY)
    ends = values["days_to_renewal"]
    if values["auto_renew"] and isinstance(ends, int) and ends < 0:
        # A term that ended and renews by itself is running again; when it ends next is not known yet.
        values["days_to_renewal"] = None
