"""The week of each touch: a start, then a local search that prices every option at once.

A choice is the index of a week option for each touch, -1 for one without any.
"""

import numpy as np

from services.calendar.levelling.model import WEEK
from services.calendar.levelling.price import OVER, Ints, Options, price_weeks, sum_minutes


def choose_cheapest(options: Options) -> Ints:
    """Every touch in its cheapest week, whatever the load: a better start than placing by priority, measured."""
    chosen = np.full(len(options.minutes), -1, np.int64)
    order = np.lexsort((np.arange(len(options.week_cost)), options.week_cost, options.week_touch))
    chosen[options.has_any] = order[options.first_week[:-1][options.has_any]]
    return chosen


def choose_standing(options: Options) -> Ints:
    """Everything stays in its week if it may; the rest, those with few options first, go where they cost least."""
    chosen = np.full(len(options.minutes), -1, np.int64)
    stays = np.flatnonzero(options.standing[options.week_touch] // WEEK == options.week)
    stays = stays[options.standing[options.week_touch[stays]] >= 0]
    chosen[options.week_touch[stays]] = stays
    load = load_weeks(options, chosen)
    count = np.diff(options.first_week)
    rest = np.flatnonzero((chosen < 0) & options.has_any)
    for touch in rest[np.lexsort((rest, count[rest], -options.priority[rest]))].tolist():
        first, beyond = options.first_week[touch], options.first_week[touch + 1]
        week, minutes = options.week[first:beyond], options.minutes[touch]
        rise = (
            options.week_rate[week] * minutes * (2 * load[week] + minutes) + options.week_cost[first:beyond]
        )
        rise += OVER * np.clip(load[week] + minutes - options.week_minutes[week], 0, minutes)
        chosen[touch] = first + int(np.argmin(rise))
        load[options.week[chosen[touch]]] += minutes
    return chosen


def load_weeks(options: Options, chosen: Ints) -> Ints:
    placed = chosen >= 0
    return sum_minutes(options.week[chosen[placed]], options.minutes[placed], len(options.week_minutes))


def shift_weeks(options: Options, chosen: Ints) -> Ints:
    """Moves touches between weeks while that costs less.

    In each sweep every option is priced at once; the best moves are made whose two weeks no better move has used. Each
    of them lowers the price by itself, so the sweeps end.
    """
    chosen = chosen.copy()
    if not len(options.week):
        return chosen
    minutes = options.minutes[options.week_touch]
    rise_of_square = options.week_rate[options.week] * minutes
    while True:
        load = load_weeks(options, chosen)
        here = np.maximum(chosen, 0)
        week = options.week[here]
        spare = options.week_minutes - load
        saved = options.week_rate[week] * options.minutes * (2 * load[week] - options.minutes)
        saved += OVER * np.clip(-spare[week], 0, options.minutes) + options.week_cost[here]
        rise = rise_of_square * (2 * load[options.week] + minutes)
        rise += OVER * np.clip(minutes - spare[options.week], 0, minutes) + options.week_cost
        rise -= saved[options.week_touch]
        rise[options.week == week[options.week_touch]] = 0
        better = np.flatnonzero(rise < 0)
        if not len(better):
            return chosen
        _make_best(options, chosen, better[np.argsort(rise[better], kind="stable")])


def _make_best(options: Options, chosen: Ints, moves: Ints) -> None:
    """Make moves, best first, whose weeks no better one has used."""
    used = [False] * len(options.week_minutes)
    touches = options.week_touch[moves]
    sources, targets = options.week[chosen[touches]].tolist(), options.week[moves].tolist()
    for move, touch, source, target in zip(moves.tolist(), touches.tolist(), sources, targets, strict=True):
        if not (used[source] or used[target]):
            used[source] = used[target] = True
            chosen[touch] = move


def total_week_price(options: Options, chosen: Ints) -> int:
    """The price of the weeks alone: what the flow bounds from below."""
    placed = chosen[chosen >= 0]
    load = load_weeks(options, chosen)
    return int(price_weeks(load, options).sum()) + sum(options.week_cost[placed].tolist())
