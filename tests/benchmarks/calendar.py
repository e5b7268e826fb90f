"""Levelling: a year of a whole company on one core, one change, and its quality beside a greedy and a lower bound.

Time and memory of the company are those of a fresh process:

    python -m tests.benchmarks.calendar <accounts>
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from services.calendar.levelling import Book, Hold, Start, choose_phases, find_start, level, relevel
from services.calendar.levelling.chains import search_weeks
from services.calendar.levelling.flow import choose_by_flow
from services.calendar.levelling.price import (
    Ints,
    Options,
    build_options,
    price_days,
    price_weeks,
    total_price,
)
from services.calendar.levelling.weeks import choose_cheapest, total_week_price
from tests.benchmarks.figures import Figure, percentile
from tests.unit.calendar.levelling.books import BOOKS, draft_company, phased_book
from tests.unit.calendar.levelling.changes import add_account, level_in_service, take_week_off

ACCOUNTS = 10_000
SECONDS = 10.0
"""Of one core for a year of that many accounts: phases, touches, levelling."""
MEGABYTES = 150.0
RELEVEL_MS = 100.0
"""One change of one book, at most."""
BOUND = 1.005
"""The price of the weeks over the least that any calendar costs in which touches may be split."""
ROOT = Path(__file__).resolve().parents[2]


def run(*, quick: bool) -> list[Figure]:
    books = [
        phased_book(f"bench-{number}", segment) for number in range(1 if quick else 5) for segment in BOOKS
    ]
    return [*_company(1_000 if quick else ACCOUNTS), *_quality(books), *_changes(2 if quick else 24)]


def _company(accounts: int) -> list[Figure]:
    command = [sys.executable, "-m", "tests.benchmarks.calendar", str(accounts)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    limit = SECONDS * 1000 * accounts / ACCOUNTS
    about = f"a year of {found['accounts']} accounts, {found['people']} people, {found['touches']} touches"
    return [
        Figure(
            f"{about}: phased and levelled", found["ms"], limit, found["ms"] / limit, "ms", "the limit, of one core",
            at_most=1, more=found,
        ),
        Figure(
            f"{about}: memory", found["MB"], MEGABYTES, found["MB"] / MEGABYTES, "MB", "the limit, whole process",
            at_most=1,
        ),
    ]  # fmt: skip


def level_company(accounts: int) -> dict[str, float | str]:
    """Plans, phases and levels one person after another; the books are drafted before."""
    drafts = draft_company("company", accounts)
    touches = 0
    began = time.process_time()
    for draft in drafts:
        book = draft.build(choose_phases(draft.book, draft.beats()))
        touches += len(level(book, Start.CHEAPEST))
    spent = time.process_time() - began
    people = len(drafts)
    return {
        "accounts": accounts,
        "people": people,
        "touches": touches,
        "ms": spent * 1000,
        "MB": _read_peak(),
    }


def _read_peak() -> float:
    """MB that this process had at most. Not by `getrusage`: there a child begins with the peak of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _quality(books: list[Book]) -> list[Figure]:
    ours: list[int] = []
    greedy: list[int] = []
    times = {"ours": 0.0, "greedy": 0.0}
    for book in books:
        options = build_options(book)
        began = time.process_time()
        days = np.array(level(book, Start.CHEAPEST), np.int64)
        between = time.process_time()
        placed = place_greedily(options)
        times["ours"] += (between - began) * 1000 / len(books)
        times["greedy"] += (time.process_time() - between) * 1000 / len(books)
        ours.append(total_price(options, days))
        greedy.append(total_price(options, placed))
    ratio = median(one / other for one, other in zip(ours, greedy, strict=True))
    spent = times["ours"], times["greedy"], times["ours"] / times["greedy"]
    peer = "the greedy: by priority, each to its cheapest day"
    figures = [
        Figure(
            f"{len(books)} books levelled: price",
            sum(ours) / 1e9,
            sum(greedy) / 1e9,
            ratio,
            "",
            peer,
            at_most=1,
        ),
        Figure("one book of a year, levelled", *spent, "ms", peer),
    ]
    return [*figures, _compare_bound(books)] if find_start() is Start.FLOW else figures


def _compare_bound(books: list[Book]) -> Figure:
    ours: list[int] = []
    bounds: list[int] = []
    for book in books:
        options = build_options(book)
        ours.append(total_week_price(options, search_weeks(options, choose_cheapest(options))))
        bounds.append(choose_by_flow(options)[1])
    ratios = [one / bound for one, bound in zip(ours, bounds, strict=True)]
    name = "the same without OR-tools: price of the weeks"
    peer = "the lower bound: a flow that splits touches"
    more = {"worst": max(ratios)}
    return Figure(
        name, sum(ours) / 1e9, sum(bounds) / 1e9, median(ratios), "", peer, at_most=BOUND, more=more
    )


def place_greedily(options: Options) -> Ints:
    """The peer: by priority, then by how few days each has, each to the day where it adds least; nothing moves again."""
    days = np.full(len(options.minutes), -1, np.int64)
    by_week, by_day = np.zeros_like(options.week_minutes), np.zeros_like(options.day_minutes)
    starts = options.first_day[options.first_week]
    for touch in np.lexsort((np.diff(starts), -options.priority)).tolist():
        own = slice(starts[touch], starts[touch + 1])
        day, minutes = options.day[own], options.minutes[touch]
        if not len(day):
            continue
        rise = (
            options.cost[own] + price_days(by_day + minutes, options)[day] - price_days(by_day, options)[day]
        )
        rise += (price_weeks(by_week + minutes, options) - price_weeks(by_week, options))[day // 7]
        days[touch] = day[int(np.argmin(rise))]
        by_day[days[touch]] += minutes
        by_week[days[touch] // 7] += minutes
    return days


def _changes(count: int) -> list[Figure]:
    """One change in the book of one person: the time it takes, and how many standing touches move."""
    times: list[float] = []
    moves: list[int] = []
    anew: list[int] = []
    invited = 0
    for number in range(count):
        segment = tuple(BOOKS)[number % len(BOOKS)]
        before = level_in_service(f"change-{number}", segment)
        for change in (add_account, take_week_off):
            book = change(before)
            began = time.process_time()
            done = relevel(book)
            times.append((time.process_time() - began) * 1000)
            if change is add_account:
                moves.append(len(done.moves))
                anew.append(_count_moves(book, level(book, Start.CHEAPEST)))
                holds = {each.id: each.hold for each in book.touches}
                invited += sum(holds[move.touch_id] is Hold.INVITED for move in done.moves)
    slowest = percentile(times, 0.99)
    return [
        Figure(
            "one change relevelled, 99 of 100", slowest, RELEVEL_MS, slowest / RELEVEL_MS, "ms", "the limit", at_most=1,
            more={"median": median(times)},
        ),
        Figure(
            "touches moved by a new account, mean", sum(moves) / count, sum(anew) / count, sum(moves) / max(sum(anew), 1),
            "", "levelling anew", at_most=0.05, more={"worst": max(moves), "invited": invited},
        ),
    ]  # fmt: skip


def _count_moves(book: Book, days: tuple[int, ...]) -> int:
    return sum(each.day not in (-1, day) for each, day in zip(book.touches, days, strict=True))


if __name__ == "__main__":
    print(json.dumps(level_company(int(sys.argv[1]))))
