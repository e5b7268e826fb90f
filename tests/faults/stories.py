"""Accounts in trouble: two events for each, the second of which must lead to one action plan."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

from tests.stack import event

_numbers = count(1)


def troubled(accounts: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Events of so many new accounts that turn red; ids are unique in the test process."""
    for _ in range(accounts):
        number = next(_numbers)
        name = f"acc-{number:05}"
        yield event(
            "account.described", name, {"name": f"Customer {number}", "arr": 50_000, "csm_id": f"csm-{number % 3}"},
            id=f"described-{number}", time=now,
        )  # fmt: skip
        yield event("health.scored", name, {"color": "red"}, id=f"red-{number}", time=now)


def with_people(accounts: int, now: datetime) -> Iterator[dict[str, Any]]:
    """The same accounts with a contact who can be written to."""
    for described in troubled(accounts, now):
        yield described
        if described["type"] == "drumbeat.account.described.v1":
            name = described["subject"]
            data = {"contact_id": f"{name}-ann", "email": f"ann@{name}.example", "role": "champion"}
            yield event("contact.described", name, data, id=f"{described['id']}-ann", time=now)


def csms(now: datetime) -> Iterator[dict[str, Any]]:
    """The three CSMs of those accounts."""
    for number in range(3):
        days = ["mon", "tue", "wed", "thu", "fri"]
        data = {"name": f"CSM {number}", "email": f"csm-{number}@example.com", "working_days": days}
        yield event("csm.described", f"csm-{number}", data, id=f"csm-{number}", time=now)


LEADS_TO = "risk_action_plan"
