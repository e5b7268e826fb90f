"""How many accounts a person has and what these bring in, counted from what the evaluations wrote."""

from typing import Any

import pytest

from tests.integration.rules_engine.conftest import Engine, fresh

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]


async def book_of(running: Engine, csm_id: str) -> dict[str, Any] | None:
    books = (await running.get("/v1/books"))["items"]
    return next((book for book in books if book["csm_id"] == csm_id), None)


async def describe(running: Engine, account: str, **described: object) -> None:
    await running.post_event("account.described", account, {"name": account, **described})


async def test_known_revenues_add_up_and_unknown_ones_are_counted(running: Engine) -> None:
    kim = fresh("kim")
    await describe(running, fresh("book"), csm_id=kim, arr=250_000)
    await describe(running, fresh("book"), csm_id=kim, arr=20_000.5)
    await describe(running, fresh("book"), csm_id=kim)
    await describe(running, fresh("book"), csm_id=kim, arr=9_000, currency="XTS")  # no rate is known

    assert await book_of(running, kim) == {"csm_id": kim, "accounts": 4, "arr": 270_000.5, "arr_unknown": 2}
    assert len((await running.get("/v1/books"))["currency"]) == 3


async def test_revenue_that_nobody_knows_is_null_and_churned_accounts_are_left_out(running: Engine) -> None:
    lee = fresh("lee")
    gone = fresh("book")
    await describe(running, fresh("book"), csm_id=lee)
    await describe(running, gone, csm_id=lee, arr=80_000)
    ended = {"contract_id": "c", "status": "churned", "starts_on": "2024-01-01", "renews_on": "2025-01-01"}
    await running.post_event("contract.changed", gone, ended)
    assert (await running.account(gone))["stage"] == "churned"

    assert await book_of(running, lee) == {"csm_id": lee, "accounts": 1, "arr": None, "arr_unknown": 1}


async def test_an_account_that_goes_to_somebody_else_leaves_the_book(running: Engine) -> None:
    ana, ben, account = fresh("ana"), fresh("ben"), fresh("book")
    await describe(running, account, csm_id=ana, arr=5_000)
    await describe(running, account, csm_id=ben)

    assert await book_of(running, ana) is None
    assert await book_of(running, ben) == {"csm_id": ben, "accounts": 1, "arr": 5_000.0, "arr_unknown": 0}
