"""The start of a full levelling by minimum-cost flow, with OR-tools where the extra `[levelling]` is installed.

Exact when all touches are of one length; otherwise some come out split over weeks, and each goes where most of it is.
OR-tools promises no equal flow across releases, so the extra pins one: `find_start` names what a deployment uses, and
only a levelling anew asks for it. `relevel` never does, so neither the extra nor its release moves what stands.
"""

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

import numpy as np

from services.calendar.levelling.price import LOAD, OVER, Ints, Options

MOST_STEPS: Final = 200_000
"""Steps of the price of all weeks; a book with more is counted in coarser units of minutes."""


class Start(StrEnum):
    """Where the search for the weeks of a book begins."""

    FLOW = "minimum-cost flow"
    CHEAPEST = "cheapest week of each touch"


class FlowNotInstalled(Exception):
    """A flow was asked for without OR-tools."""

    def __init__(self) -> None:
        super().__init__("the flow needs OR-tools; install drumbeat[levelling], or level without it")


class _Solver(Protocol):
    """OR-tools' SimpleMinCostFlow, as far as it is used."""

    OPTIMAL: int
    add_arcs_with_capacity_and_unit_cost: Callable[[Ints, Ints, Ints, Ints], Ints]
    set_nodes_supplies: Callable[[Ints, Ints], None]
    solve: Callable[[], int]
    flows: Callable[[Ints], Ints]
    optimal_cost: Callable[[], int]


def find_start() -> Start:
    """The start that `level` uses in this installation."""
    return Start.CHEAPEST if find_spec("ortools") is None else Start.FLOW


def choose_by_flow(options: Options) -> tuple[Ints, int]:
    """(the week option of each touch, the price of the weeks when touches may be split: no calendar costs less).

    The bound holds for books of at most `MOST_STEPS` steps. Raises FlowNotInstalled.
    """
    solver = _load_solver()
    touches = np.flatnonzero(options.has_any)
    chosen = np.full(len(options.minutes), -1, np.int64)
    if not len(touches):
        return chosen, 0
    unit = _find_unit(options)
    units = -(-options.minutes // unit)
    count = len(units)
    price = options.week_cost // options.minutes[options.week_touch] * unit
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        options.week_touch, count + options.week, units[options.week_touch], price
    )
    _add_weeks(solver, options, unit, int(units[touches].sum()))
    solver.set_nodes_supplies(touches, units[touches])
    sink = count + len(options.week_minutes)
    solver.set_nodes_supplies(np.array([sink]), np.array([-int(units[touches].sum())]))
    if solver.solve() != solver.OPTIMAL:
        raise AssertionError("every touch has a week and every week an arc without end: there is a flow")
    flows = solver.flows(arcs)
    order = np.lexsort((np.arange(len(flows)), -flows, options.week_touch))
    chosen[touches] = order[options.first_week[:-1][touches]]
    return chosen, solver.optimal_cost()


def _load_solver() -> _Solver:
    if find_start() is not Start.FLOW:
        raise FlowNotInstalled
    return cast("_Solver", import_module("ortools.graph.python.min_cost_flow").SimpleMinCostFlow())


def _find_unit(options: Options) -> int:
    """The greatest length that divides all touches, or a multiple of it that keeps the steps few."""
    divisor = int(np.gcd.reduce(options.minutes))
    steps = int(options.week_minutes.sum()) // divisor
    return divisor * max(1, -(-steps // MOST_STEPS))


def _add_weeks(solver: _Solver, options: Options, unit: int, top: int) -> None:
    """From each week to the sink one arc for each unit that it holds, priced by what it adds, and one without end."""
    first = len(options.minutes)
    sink = first + len(options.week_minutes)
    for week in np.unique(options.week).tolist():
        available, rate = int(options.week_minutes[week]), int(options.week_rate[week])
        load = np.arange(-(-available // unit), dtype=np.int64) * unit
        step = rate * unit * (2 * load + unit) + OVER * np.maximum(load + unit - available, 0)
        beyond = unit * OVER + max(rate * unit * (2 * available + unit), 2 * LOAD * unit)
        tails, heads = np.full(len(load) + 1, first + week), np.full(len(load) + 1, sink)
        capacities = np.append(np.ones(len(load), np.int64), top)
        solver.add_arcs_with_capacity_and_unit_cost(tails, heads, capacities, np.append(step, beyond))
