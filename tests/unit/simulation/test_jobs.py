"""The whole book over its days, from the evaluation, the calendar and the leveller that are live (F4, S157)."""

import gc
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import orjson

from services.simulation.book import Period
from services.simulation.conflicts import add_conflicts
from services.simulation.group import GroupSimulation
from services.simulation.jobs import GROUP_ACCOUNTS, add_up, plan_jobs, simulate
from services.simulation.totals import FoundConflict, Wanted
from tests.unit.simulation.books import NOW, account, book_of, person, simulated, small_book, write

ROOT = Path(__file__).parents[3]
IN_ANOTHER_PROCESS = """
import sys, orjson
from services.simulation.totals import Wanted
from tests.unit.simulation.books import simulated, small_book
document = simulated(small_book(), Wanted(40, hire=1, seed=7, keep_schedule=True), processes=int(sys.argv[1]))
sys.stdout.buffer.write(orjson.dumps(document))
"""


def of_process(hash_seed: str, processes: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, processes],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    ).stdout


def minutes(document: Mapping[str, Any], csm_id: str) -> int:
    """The planned minutes of a person in all weeks."""
    people = {each["csm_id"]: each for each in document["people"]}
    return sum(week["planned_minutes"] for week in people[csm_id]["weeks"])


def test_a_book_is_simulated_touch_by_touch_within_its_days() -> None:
    """F4, S157, S159: every account has its schedule, and the totals count it."""
    document = cast("dict[str, Any]", simulated(small_book(), Wanted(60, keep_schedule=True)))
    schedule = document["schedule"]
    moments = [datetime.fromisoformat(each["due_at"]) for each in schedule]
    assert {each["account_id"] for each in schedule} == {f"acc-{number}" for number in range(8)}
    assert all(NOW <= moment <= NOW + timedelta(days=60) for moment in moments)
    assert sum(map(sum, document["touches"].values())) == len(schedule)
    assert sum(document["messages"].values()) == sum(
        each["owner"] in {"automation", "marketing"} for each in schedule
    )
    assert minutes(document, "ana") == sum(each["minutes"] for each in schedule if each["csm_id"] == "ana")
    assert document["undecided"] == []


def test_equal_simulations_give_equal_bytes_in_any_process_and_any_number_of_them() -> None:
    """F4: same seed, same bytes."""
    once = of_process("1", "1")
    assert of_process("2", "2") == once
    assert len(orjson.loads(once)["schedule"]) > 50


def test_what_does_not_fit_is_found_before_it_happens() -> None:
    """X12: ten hours a week of calls do not fit into one."""
    events = [
        person("ana", weekly_minutes=10),
        *(each for number in range(6) for each in account(f"a{number}", 250_000, csm_id="ana")),
    ]
    document = cast("dict[str, Any]", simulated(write(events), Wanted(10)))
    assert {each["csm_id"] for each in document["conflicts"]} == {"ana"}
    assert all(each["missing_minutes"] > 0 for each in document["conflicts"])
    assert float(document["headcount_gap"]) > 1
    assert simulated(small_book(), Wanted(10))["conflicts"] == []


def test_what_does_not_fit_later_is_found_while_the_year_goes_on() -> None:
    """X12: from 90 days before the term ends mid-market customers are called three times as often."""
    events = [person("ana", weekly_minutes=60)]
    for number in range(4):
        described, contract, health = account(f"a{number}", 60_000, csm_id="ana")
        term = {"starts_on": "2025-01-15", "renews_on": "2027-01-15"}
        contract["data"] = {**cast("dict[str, Any]", contract["data"]), **term}
        events += [described, contract, health]
    [late] = cast("list[dict[str, Any]]", simulated(write(events), Wanted())["conflicts"])
    assert late["weeks"] == ["2026-11-09", "2027-01-04"], "the last of them is known from the start"
    assert late["missing_minutes"] > 60


def conflict(csm_id: str, first: str, last: str, missing: int) -> FoundConflict:
    return FoundConflict(csm_id, first, last, 100 + missing, 100, 200, (), ())


def test_each_conflict_is_reported_once() -> None:
    """As it was first found, unless more is missing in the same weeks later."""
    known = [conflict("ana", "2026-03-02", "2026-03-09", 30)]
    add_conflicts(known, [conflict("ana", "2026-03-09", "2026-03-09", 20)])
    assert [each.needed_minutes for each in known] == [130]
    add_conflicts(
        known,
        [conflict("ana", "2026-03-16", "2026-03-16", 5), conflict("ben", "2026-03-02", "2026-03-02", 1)],
    )
    assert [each.needed_minutes for each in known] == [130, 105, 101]
    add_conflicts(known, [conflict("ana", "2026-03-09", "2026-03-16", 40)])
    assert [(each.csm_id, each.needed_minutes) for each in known] == [("ben", 101), ("ana", 140)]


def led_by(document: Mapping[str, Any], csm_id: str) -> set[str]:
    return {each["account_id"] for each in document["schedule"] if each["csm_id"] == csm_id}


def test_more_people_take_accounts_of_those_who_have_the_most_work() -> None:
    """F4: what if somebody were hired."""
    before = cast("dict[str, Any]", simulated(small_book(), Wanted(40, keep_schedule=True)))
    after = cast("dict[str, Any]", simulated(small_book(), Wanted(40, hire=1, keep_schedule=True)))
    taken = led_by(after, "hire-1")
    assert taken
    assert led_by(after, "ana") | led_by(after, "ben") | taken == led_by(before, "ana") | led_by(
        before, "ben"
    )
    assert taken.isdisjoint(led_by(after, "ana") | led_by(after, "ben"))
    assert minutes(after, "hire-1") > 0


def test_the_seed_decides_which_accounts_the_new_people_take() -> None:
    wanted = [Wanted(30, hire=1, seed=seed, keep_schedule=True) for seed in range(3)]
    found = {frozenset(led_by(simulated(small_book(), each), "hire-1")) for each in wanted}
    assert len(found) > 1


def test_accounts_of_a_pool_go_to_its_members_and_the_rest_is_unowned() -> None:
    pooled = [each for number in range(3) for each in account(f"p{number}", 12_000, pool="emea")]
    events = [person("eve", pool="emea"), *pooled, *account("alone", 250_000)]
    document = cast("dict[str, Any]", simulated(write(events), Wanted(60)))
    assert sum(each["planned_minutes"] for each in document["unowned"]) > 0
    assert [each["csm_id"] for each in document["people"]] == ["eve"]


def test_a_part_is_simulated_in_groups_that_share_nobody() -> None:
    """As it is in one group."""
    names = [f"a{number:03}" for number in range(2 * GROUP_ACCOUNTS)]
    events = [person("ana"), person("ben")]
    for number, name in enumerate(names):
        events += account(name, 12_000, csm_id=("ana", "ben")[number % 2])
    book = book_of(write(events))
    period, wanted = Period(book.now, 3), Wanted(3)
    [job] = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, 1)
    whole = GroupSimulation(book.accounts, book.colleagues, job.rules.load(), period).run()
    assert add_up([simulate(job)], "p", period, wanted) == add_up([whole], "p", period, wanted)


def test_a_simulation_leaves_the_garbage_collector_as_it_was() -> None:
    """Also when it fails: worker processes do other work after it."""
    before = gc.get_threshold()
    simulated(small_book(), Wanted(2))
    assert gc.get_threshold() == before
