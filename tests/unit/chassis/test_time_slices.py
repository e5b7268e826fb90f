"""Who gets the event loop: requests first, and nobody waits for requests that are not there."""

import asyncio
import time

from services.chassis.time_slices import SHARE_OF_REQUESTS, answer_first, pause_if_long


def burn(seconds: float) -> None:
    """Compute for so much processor time."""
    until_then = time.thread_time() + seconds
    while time.thread_time() < until_then:
        pass


async def work(seconds: float, spent: list[float]) -> None:
    """In steps of a millisecond, for so long by the wall clock."""
    ends_at = time.perf_counter() + seconds
    while time.perf_counter() < ends_at:
        await pause_if_long()
        burn(0.001)
        spent[0] += 0.001


async def request(seconds: float, spent: list[float], pause: float = 0) -> None:
    ends_at = time.perf_counter() + seconds
    while time.perf_counter() < ends_at:
        burn(0.002)
        spent[0] += 0.002
        await asyncio.sleep(pause)


def test_while_requests_compute_other_work_has_a_quarter_of_the_loop() -> None:
    async def both() -> tuple[float, float]:
        requests, others = [0.0], [0.0]
        served = (answer_first(request(0.6, requests)) for _ in range(8))
        await asyncio.gather(*served, *(work(0.6, others) for _ in range(4)))
        return requests[0], others[0]

    requests, others = asyncio.run(both())
    assert others > 0
    assert requests > (SHARE_OF_REQUESTS - 1) * others


def test_requests_that_wait_for_others_keep_their_share() -> None:
    """As those that wait until the broker has acknowledged what they took in: the loop has turns without a request."""

    async def both() -> tuple[float, float]:
        requests, others = [0.0], [0.0]
        served = (answer_first(request(0.6, requests, pause=0.004)) for _ in range(2))
        await asyncio.gather(*served, *(work(0.6, others) for _ in range(4)))
        return requests[0], others[0]

    requests, others = asyncio.run(both())
    assert others > 0
    assert requests > others


def test_without_requests_it_has_all_of_it() -> None:
    async def alone() -> tuple[float, float]:
        spent, began = [0.0], time.thread_time()
        await asyncio.gather(*(work(0.2, spent) for _ in range(4)))
        return spent[0], time.thread_time() - began

    spent, took = asyncio.run(alone())
    assert spent > took / 2


def test_an_answer_is_handed_on() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 7

    assert asyncio.run(answer_first(answer())) == 7
