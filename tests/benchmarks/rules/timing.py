"""Processor time of candidates in turn, so that a slow minute of the machine is everybody's slow minute."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Given = TypeVar("Given")


def in_turn(
    candidates: Mapping[str, Callable[[Given], object]], given: Sequence[Given], *, rounds: int
) -> dict[str, list[float]]:
    """Microseconds of processor time a call, per candidate and round; every round begins with another candidate."""
    names = list(candidates)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(_spent(candidates[name], given))
    return found


def _spent(candidate: Callable[[Given], object], given: Sequence[Given]) -> float:
    began = time.process_time()
    for each in given:
        candidate(each)
    return (time.process_time() - began) / len(given) * 1e6
