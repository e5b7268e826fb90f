"""A share of a processor: what goes beyond it is refused, with the time after which it is there again."""

import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import compute_budget
from services.chassis.compute_budget import ComputeBudget, ComputeBudgetSpent


class Clocks:
    """The real clock and the processor time of the thread, as a test moves them."""

    def __init__(self) -> None:
        self.real = self.processor = 0.0

    def compute(self, seconds: float) -> None:
        self.real += seconds
        self.processor += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(compute_budget, "monotonic", lambda: clocks.real)
    monkeypatch.setattr(time, "thread_time", lambda: clocks.processor)
    return clocks


def test_work_beyond_the_burst_is_refused_until_the_share_has_grown_again(clocks: Clocks) -> None:
    budget = ComputeBudget(share=0.25, burst_seconds=1.0)
    for _ in range(2):
        with budget.measure():
            clocks.compute(1.0)

    with pytest.raises(ComputeBudgetSpent, match="Try again in 3 seconds") as refused, budget.measure():
        pytest.fail("it was not to begin")
    clocks.real += refused.value.retry_after

    with budget.measure():
        clocks.compute(0.01)


def test_what_fails_is_charged_too_and_time_that_others_computed_is_not(clocks: Clocks) -> None:
    budget = ComputeBudget(share=0.25, burst_seconds=1.0)
    with budget.measure():
        clocks.real += 60.0
    for _ in range(2):
        with pytest.raises(KeyError), budget.measure():
            clocks.compute(1.0)
            raise KeyError
    with pytest.raises(ComputeBudgetSpent):
        budget.timed(len)([])


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.3)), min_size=1, max_size=200),
    st.floats(0.1, 0.9),
)
def test_however_it_is_asked_no_more_than_the_share_and_the_burst_is_computed(
    questions: list[tuple[float, float]], share: float
) -> None:
    clocks = Clocks()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compute_budget, "monotonic", lambda: clocks.real)
        patched.setattr(time, "thread_time", lambda: clocks.processor)
        budget = ComputeBudget(share=share, burst_seconds=1.0)
        longest = 0.0
        for seconds, pause in questions:
            try:
                with budget.measure():
                    clocks.compute(seconds)
                    longest = max(longest, seconds)
            except ComputeBudgetSpent as spent:
                clocks.real += spent.retry_after
                with budget.measure():  # after that time it is taken
                    pass
            clocks.real += pause
            assert clocks.processor <= 1.0 + share * clocks.real + longest + 1e-6


async def test_parts_of_a_long_answer_wait_for_the_share_instead_of_being_refused(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget, waits = ComputeBudget(share=0.25, burst_seconds=1.0), list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clocks.real += seconds

    def write(part: int) -> int:
        clocks.compute(1.0)
        return part

    monkeypatch.setattr(compute_budget.asyncio, "sleep", sleep)
    assert [await budget.run(partial(write, part)) for part in range(4)] == [0, 1, 2, 3]
    assert sum(waits) >= 6, "of four seconds a quarter each, but for what was saved"
