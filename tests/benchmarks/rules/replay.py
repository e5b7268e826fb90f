"""The closed loop twice: account by account through the generated function, and in waves through the NumPy backend.

A wave is the k-th event of every account together. Both must come to the same accounts and the same counts.
"""

import time
from functools import reduce
from statistics import median
from typing import cast

import numpy as np
from numpy.typing import NDArray

from services.cadence.account import Plain
from services.cadence.evaluation.columns import Columns, columns_of, compile_columns
from services.cadence.features.registry import FEATURES
from tests.benchmarks.figures import Figure
from tests.benchmarks.rules.history import (
    AGEING,
    EVENTS,
    RELIEF,
    REVIEW,
    TOUCH,
    WISHES,
    History,
    Replayed,
    history,
)
from tests.benchmarks.rules.ours import verdict

AT_LEAST = 20


def run(*, quick: bool, account_events: int) -> list[Figure]:
    """The scalar loop once, the waves three times: it is far the longer."""
    waves = 10 if quick else 50
    told = history(max(1, (100_000 if quick else account_events) // waves), waves)
    scalar = one_by_one(told)
    columns = [in_waves(told) for _ in range(3)]
    assert all(each.same(scalar) for each in columns), "the backends came to different accounts"
    assert all(scalar.held), "a rule that never holds tests nothing"
    quickest, rate = median(told.size / each.seconds for each in columns), told.size / scalar.seconds
    what = f"{told.size:,} account-events in a closed loop, in waves"
    return [Figure(what, quickest, rate, quickest / rate, "/s", "the generated function", at_least=AT_LEAST)]


def one_by_one(told: History) -> Replayed:
    """Every account through its events, one after the other."""
    states = [dict(each) for each in told.portfolio]
    kinds = cast("list[list[int]]", told.kinds.T.tolist())
    donors = cast("list[list[int]]", told.donors.T.tolist())
    evaluate_conditions = verdict(told.rules)
    fields = [words for _, words in EVENTS.values()]
    held = [0] * len(told.rules)
    began = time.process_time()
    for state, own_kinds, own_donors in zip(states, kinds, donors, strict=True):
        for kind, donor in zip(own_kinds, own_donors, strict=True):
            source = told.portfolio[donor]
            for name in AGEING:
                if state[name] is not None:
                    state[name] += 1  # pyright: ignore[reportOperatorIssue]
            for name in fields[kind]:
                state[name] = source[name]
            fired = evaluate_conditions(state)
            _act(state, fired)
            while fired:
                lowest = fired & -fired
                held[lowest.bit_length() - 1] += 1
                fired ^= lowest
    seconds = time.process_time() - began
    columns = columns_of(states, told.words, FEATURES)
    return Replayed({**columns.numbers, **columns.codes}, held, seconds)


def _bits(rules: tuple[int, ...]) -> int:
    return sum(1 << rule for rule in rules)


_TOUCH, _REVIEW, _RELIEF = _bits(TOUCH), _bits(REVIEW), _bits(RELIEF)
_WISHES = tuple((1 << rule, wish) for rule, wish in WISHES)


def _act(state: dict[str, Plain], fired: int) -> None:
    if fired & _TOUCH:
        state["days_since_touch"] = state["days_since_check_in"] = 0
    if fired & _REVIEW:
        state["days_since_business_review"] = 0
    if fired & _RELIEF:
        state["declines_in_row"] = 0
    for bit, wish in _WISHES:
        if fired & bit:
            state["preferred_frequency"] = wish
            return


def in_waves(told: History) -> Replayed:
    """All accounts through their first event, then through their second, and so on."""
    began_as = columns_of(told.portfolio, told.words, FEATURES)
    told_by = [(kind, words) for kind, (_, words) in enumerate(EVENTS.values())]
    evaluate_conditions = compile_columns([tree for _, tree in told.rules], FEATURES)
    codes = FEATURES["preferred_frequency"].values
    held = [0] * len(told.rules)
    began = time.process_time()
    numbers = {name: column.copy() for name, column in began_as.numbers.items()}
    choices = {name: column.copy() for name, column in began_as.codes.items()}
    state = Columns(began_as.size, numbers, choices, began_as.texts)
    for kinds, donors in zip(told.kinds, told.donors, strict=True):
        for name in AGEING:
            numbers[name] += 1
        for kind, words in told_by:
            rows = np.flatnonzero(kinds == kind)
            whose = donors[rows]
            for name in words:
                if name in numbers:
                    numbers[name][rows] = began_as.numbers[name][whose]
                else:
                    choices[name][rows] = began_as.codes[name][whose]
        fired = evaluate_conditions(state)
        held = [count + int(np.count_nonzero(line)) for count, line in zip(held, fired, strict=True)]
        touched = _any(fired, TOUCH)
        numbers["days_since_touch"][touched] = 0
        numbers["days_since_check_in"][touched] = 0
        numbers["days_since_business_review"][_any(fired, REVIEW)] = 0
        numbers["declines_in_row"][_any(fired, RELIEF)] = 0
        for rule, wish in reversed(WISHES):
            choices["preferred_frequency"][fired[rule]] = codes.index(wish)
    seconds = time.process_time() - began
    return Replayed({**numbers, **choices}, held, seconds)


def _any(fired: NDArray[np.bool_], rules: tuple[int, ...]) -> NDArray[np.bool_]:
    return reduce(np.logical_or, [fired[rule] for rule in rules])
