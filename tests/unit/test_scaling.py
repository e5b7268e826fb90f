"""docs/scaling.md: its table follows from its costs by its formulas, and what it names exists."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Final

import pytest

from services.chassis.retention_settings import Retention
from services.chassis.settings import Database, Kafka
from tests.unit.test_documents import ROOT

PAGE = (ROOT / "docs" / "scaling.md").read_text()
DAY, HOUR = 86_400, 3_600  # seconds
KB, GB = 1e3, 1e9
ACCOUNTS = {"10 k": 1e4, "100 k": 1e5, "1 M": 1e6}
FACTS = {"1 M": 1e6, "10 M": 1e7, "100 M": 1e8}
COPIES = 3


def rows_below(heading: str) -> list[list[str]]:
    """The cells of the first table of a section, without its two lines of heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = section[section.index("\n|") :].strip().partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def number(text: str) -> float:
    """The first number of a cell, such as `0.4 ms` or `1,900 GB`."""
    found = re.match(r"[\d.,]+", text)
    assert found is not None, text
    return float(found[0].replace(",", ""))


COSTS: Final[Mapping[str, float]] = {cells[0]: number(cells[1]) for cells in rows_below("What things cost")}
PEAK: Final = COSTS["busiest hour over the mean of the day"]
CHANGES: Final = COSTS["changed plans of an account and day"]


def per_second(each_day: float) -> float:
    """In the busiest hour, of so many a day."""
    return each_day / DAY * PEAK


def taken_in_per_second(accounts: float) -> float:
    return accounts / (COSTS["hours in which the whole book is taken in"] * HOUR)


def busy(accounts: float, facts: float, who: str) -> float:
    """Processors that a service, or its database, keeps busy in its worst hour."""
    if who.startswith("rules_engine"):
        return per_second(facts) * COSTS[f"{who}: a fact"] / 1e3
    changing = per_second(accounts * CHANGES) * COSTS[f"{who}: a changed plan"]
    return max(changing, taken_in_per_second(accounts) * COSTS[f"{who}: an account taken in"]) / 1e3


def replicas(accounts: float, facts: float, service: str) -> int:
    return max(2, ceil(busy(accounts, facts, service) / COSTS["load of a replica"]))


def partitions(accounts: float, facts: float) -> int:
    least = 4 * max(
        replicas(accounts, facts, service) for service in ("rules_engine", "scheduler", "notifier")
    )
    return next(count for count in (12, 24, 48, 96) if count >= least)


def disk(accounts: float, facts: float) -> dict[str, float]:
    """GB."""
    retention, cost = Retention(), COSTS
    of_rules = cost["kB of an account in drumbeat_rules"]
    of_rules += CHANGES * cost["kB of a decision"] * retention.decisions_days
    receipts = facts * cost["bytes of a receipt"] * retention.receipts_days
    signals = facts * cost["bytes of a fact in Kafka"] * 30
    return {
        "rules_engine": (accounts * of_rules * KB + receipts) / GB,
        "scheduler": accounts * cost["kB of an account in drumbeat_scheduler"] * KB / GB,
        "notifier": accounts * cost["kB of an account in drumbeat_notifier"] * KB / GB,
        "kafka": (accounts * cost["kB of an account in Kafka"] * KB + signals) * COPIES / GB,
    }


def memory(accounts: float, facts: float, service: str) -> float:
    """GB that are touched all day."""
    if service != "rules_engine":
        return accounts * COSTS[f"kB of an account that are touched, {service}"] * KB / GB
    index = facts * Retention().receipts_days * COSTS["bytes of a receipt in its index"]
    return (accounts * COSTS["kB of an account in drumbeat_rules"] * KB + index) / GB


def rounded(value: float) -> int:
    """Two digits, upwards; at least 1."""
    if value <= 1:
        return 1
    step = 10 ** max(0, len(str(ceil(value))) - 2)
    return ceil(value / step) * step


def expected(accounts: float, facts: float) -> list[str]:
    """The cells of one row."""
    sizes = disk(accounts, facts)
    cells = [str(partitions(accounts, facts))]
    cells += [
        str(replicas(accounts, facts, service)) for service in ("rules_engine", "scheduler", "notifier")
    ]
    for service in ("rules_engine", "scheduler", "notifier"):
        cores = max(1, ceil(busy(accounts, facts, f"{service} database") / COSTS["load of a database"]))
        touched = max(2, rounded(memory(accounts, facts, service)))
        room = rounded(sizes[service] * COSTS["room for what is not cleaned up yet"])
        cells.append(f"{cores} / {touched} / {room:,}")
    return [*cells, f"{rounded(sizes['kafka']):,}"]


@pytest.mark.parametrize("cells", rows_below("What to set"), ids=lambda cells: f"{cells[0]} and {cells[1]}")
def test_the_table_follows_from_the_costs(cells: Sequence[str]) -> None:
    accounts, facts, *others = cells
    assert others == expected(ACCOUNTS[accounts], FACTS[facts])


def test_every_size_of_accounts_and_facts_has_its_row() -> None:
    sizes = [(accounts, facts) for accounts in ACCOUNTS for facts in FACTS]
    assert [(cells[0], cells[1]) for cells in rows_below("What to set")] == sizes


@pytest.mark.parametrize(
    ("setting", "default"),
    [
        ("DRUMBEAT_KAFKA__PARTITIONS", lambda: Kafka().partitions),
        ("DRUMBEAT_DATABASE__POOL_SIZE", lambda: Database().pool_size),
        ("DRUMBEAT_RETENTION__RECEIPTS_DAYS", lambda: Retention().receipts_days),
        ("DRUMBEAT_RETENTION__DECISIONS_DAYS", lambda: Retention().decisions_days),
        ("DRUMBEAT_RETENTION__DELIVERIES_DAYS", lambda: Retention().deliveries_days),
    ],
)
def test_the_defaults_that_the_page_names_are_those_of_the_code(
    setting: str, default: Callable[[], int]
) -> None:
    assert f"`{setting}` ({default()})" in PAGE
