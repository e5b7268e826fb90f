"""Compute the view of one account at one moment: the values of all features that are wanted."""

from bisect import bisect_left
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from services.cadence.account import DAY, Facts, Fields, Plain, StampedFields, micros
from services.cadence.account.retention import STAKEHOLDERS
from services.cadence.account.usage import LEVELS
from services.cadence.account.usage_reports import usage_levels
from services.cadence.features import people, requests, responses
from services.cadence.features.contracts import fill_contracts, revenue_of
from services.cadence.features.last_contacts import fill_days_since_types, last_touches
from services.cadence.features.registry import FEATURES, UNTIL, touch_type
from services.cadence.features.view import AccountView, FeatureSettings
from services.cadence.portfolio import Portfolio

__all__ = ["AccountView", "next_day", "ratio", "view_account", "view_features"]

_ALL = frozenset(FEATURES)
USUAL = FeatureSettings()


class _Needs(NamedTuple):
    """What a set of wanted features needs: initial values, functions to call, and (feature, touchpoint type) pairs."""

    initial: dict[str, Plain]
    fills: tuple[Callable[[AccountView], None], ...]
    types: tuple[tuple[str, str], ...]


def _fill_revenue(view: AccountView) -> None:
    if view.facts.contracts or view.values["arr"] is not None:
        view.values["arr"] = revenue_of(view.facts, view.portfolio.rates, view.settings.currency)


def _fill_usage_levels(view: AccountView) -> None:
    usage = view.facts.usage
    if not usage.sources:
        return
    for name, (value, stamp) in usage_levels(usage).items():
        view.set(name, value, stamp)
    view.values["seat_ratio"] = ratio(view.values["seats_used"], view.values["seats"])
    if usage.newest is not None:
        view.bases["days_since_usage"] = usage.newest


def _fill_percentile(view: AccountView) -> None:
    revenue, cut_offs = view.values["arr"], view.portfolio.arr_percentiles
    if cut_offs and isinstance(revenue, int | float):
        view.values["arr_percentile"] = bisect_left(cut_offs, revenue)


def _fill_touches(view: AccountView) -> None:
    view.last_touch = last_touches(view)
    if None in view.last_touch:
        view.bases["days_since_touch"] = view.last_touch[None][0]


def _fill_preferences(view: AccountView) -> None:
    if view.facts.preferences:
        people.fill_preferences(view)


def _fill_usage_spike(view: AccountView) -> None:
    view.set("usage_spike_ratio", *view.usage.newest(view.usage.spike))


def _fill_usage_change(view: AccountView) -> None:
    view.set("usage_change", *view.usage.newest(view.usage.change))


_Fill = tuple[Callable[[AccountView], None], frozenset[str]]
"""A function, and the features that it fills in."""
_ALWAYS: tuple[_Fill, ...] = (
    (
        fill_contracts,
        frozenset(
            feature.name for feature in FEATURES.values() if feature.changed_by == ("contract.changed",)
        )
        | {"days_since_start"},
    ),
    (_fill_revenue, frozenset({"arr", "arr_percentile"})),
    (_fill_usage_levels, frozenset({*LEVELS, "seat_ratio", "days_since_usage"})),
    (_fill_percentile, frozenset({"arr_percentile"})),
    (_fill_touches, frozenset({"days_since_touch"})),
    (_fill_preferences, frozenset({"preferred_frequency", "training_channel"})),
)
"""In this order, before those that are costly."""
_COSTLY: tuple[_Fill, ...] = (
    (_fill_usage_spike, frozenset({"usage_spike_ratio"})),
    (_fill_usage_change, frozenset({"usage_change"})),
    (responses.fill_answers, frozenset({"nps_score", "survey_answer", "csat"})),
    (responses.fill_nps_trend, frozenset({"nps_trend"})),
    (responses.fill_days_since_survey, frozenset({"days_since_survey"})),
    (responses.fill_days_since_signal, frozenset({"days_since_expansion_signal"})),
    (responses.fill_go_live, frozenset({"went_live", "days_since_go_live"})),
    (responses.fill_mail_rates, frozenset({"open_rate", "click_rate"})),
    (responses.fill_attendance, frozenset({"declines_in_row", "attendance_rate"})),
    (
        people.fill_stakeholders,
        frozenset({f"has_{role}" for role in STAKEHOLDERS})
        | {"days_since_stakeholder_left", "days_since_stakeholder_joined"},
    ),
    (requests.fill_request_counts, frozenset({"requests_28d", "requests_prior_28d"})),
    (requests.fill_answers, frozenset({"open_requests", "response_hours"})),
)
_NEVER_NULL: dict[str, Plain] = {"truth": False, "number": 0}


@lru_cache(maxsize=64)
def _needs(wanted: frozenset[str], reads: frozenset[str]) -> _Needs:
    wanted |= reads
    fills = tuple(fill for fill, names in _COSTLY if not names.isdisjoint(wanted))
    return _Needs(_initial(wanted), (*(fill for fill, _ in _ALWAYS), *fills), _types(wanted))


@lru_cache(maxsize=256)
def _own_needs(names: frozenset[str]) -> _Needs:
    types = _types(names)
    filled = names | ({"days_since_touch"} if types else frozenset[str]())
    fills = tuple(fill for fill, own in (*_ALWAYS, *_COSTLY) if not own.isdisjoint(filled))
    return _Needs(_initial(names), fills, types)


def _initial(wanted: frozenset[str]) -> dict[str, Plain]:
    initial = {
        name: None if feature.nullable else _NEVER_NULL.get(feature.kind)
        for name, feature in FEATURES.items()
        if touch_type(name) is None
    }
    return initial | dict.fromkeys(name for name, _ in _types(wanted))


def _types(wanted: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name in sorted(wanted) if (kind := touch_type(name)) is not None)


def view_account(
    facts: Facts,
    portfolio: Portfolio,
    now: datetime,
    wanted: AbstractSet[str] = _ALL,
    settings: FeatureSettings = USUAL,
) -> AccountView:
    """Compute the features of an account at `now` (aware). Pure. Costly features are only computed if `wanted`."""
    return _fill(facts, portfolio, micros(now), _needs(frozenset(wanted), portfolio.reads), settings)


def view_features(
    facts: Facts, portfolio: Portfolio, now: int, names: frozenset[str], settings: FeatureSettings = USUAL
) -> AccountView:
    """A view in which only these features, and what is computed with them, are as in that of `view_account`.

    `now` in microseconds since 1970.
    """
    return _fill(facts, portfolio, now, _own_needs(names), settings)


def _fill(
    facts: Facts, portfolio: Portfolio, now: int, needs: _Needs, settings: FeatureSettings
) -> AccountView:
    values = needs.initial.copy()
    values["account_id"] = facts.account_id
    for fields in facts.account.values():
        values.update(fields)
    values["paid_success"] = values["paid_success"] is True
    view = AccountView(now, values, facts, portfolio, settings)
    for fill in needs.fills:
        fill(view)
    if needs.types:
        fill_days_since_types(view, needs.types)
    _fill_pause(view, facts.pauses.get(""))
    _fill_day_counts(view)
    return view


def next_day(base: int, now: int, counts: tuple[int, ...] | None) -> int | None:
    """When the whole days since `base` next equal one of `counts` (sorted; None: any), in microseconds since 1970."""
    passed = (now - base) // DAY
    for count in (passed + 1,) if counts is None else counts:
        if count > passed:
            return base + count * DAY
    return None


def ratio(part: Plain, whole: Plain) -> float | None:
    if isinstance(part, int | float) and isinstance(whole, int | float) and whole > 0:
        return part / whole
    return None


def _fill_pause(view: AccountView, pause: StampedFields | None) -> None:
    if not pause:
        return
    fields: Fields = {name: value for part in pause.values() for name, value in part.items()}
    until = fields.get("until")
    if isinstance(until, int):
        view.change_times.append(until)
    paused = fields.get("paused") is True and (not isinstance(until, int) or until > view.now)
    view.set("paused", paused, max(pause) if paused else None)


def _fill_day_counts(view: AccountView) -> None:
    values, reads = view.values, view.portfolio.reads
    for name, base in view.bases.items():
        count = (view.now - base) // DAY
        values[name] = -count if name in UNTIL else count
        if name in reads:
            # The audience of a program may change at any count of days, so every day is a change time.
            view.change_times.append(base + (count + 1) * DAY)
