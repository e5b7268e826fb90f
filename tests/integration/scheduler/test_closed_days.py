"""The days on which a customer or its CSM is away, as the directory and the policy say."""

from typing import Any

import pytest

from tests.integration.scheduler.conftest import Scheduler

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def closed_days(scheduler: Scheduler, **more: str) -> dict[str, Any]:
    query = {"account_id": "acme", "from": "2026-11-01", "to": "2026-12-31", **more}
    answer = await scheduler.http.get("/v1/closed-days", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def describe_account(scheduler: Scheduler, **described: object) -> None:
    record = {"account_id": "acme", "version": 1, **described}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )


async def test_holidays_of_customer_and_csm_and_time_off_have_their_names(scheduler: Scheduler) -> None:
    await describe_account(scheduler, csm_id="ada", country="US")
    away = [{"from": "2026-10-30", "to": "2026-11-02"}, {"from": "2027-01-04", "to": "2027-01-08"}]
    await scheduler.describe("ada", name="Ada", country="DE", time_off=away)
    added = [{"name": "Founding day", "on": "11-20", "country": "DE"}]
    policy = {"policy": "p", "version": 1, "holidays": added}
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", policy)
    )

    found = await closed_days(scheduler)

    assert found["csm_id"] == "ada"
    assert {"on": "2026-11-26", "name": "Thanksgiving Day"} in found["customer_holidays"]
    assert found["csm_holidays"] == [
        {"on": "2026-11-20", "name": "Founding day"},
        {"on": "2026-12-25", "name": "Christmas Day"},
        {"on": "2026-12-26", "name": "Second Day of Christmas"},
    ]
    assert found["csm_time_off"] == [{"from": "2026-10-30", "to": "2026-11-02"}]


async def test_holidays_are_null_where_no_country_is_known(scheduler: Scheduler) -> None:
    await describe_account(scheduler, csm_id="ada")
    await scheduler.describe("ada", country="Atlantis")

    found = await closed_days(scheduler)

    assert (found["customer_holidays"], found["csm_holidays"], found["csm_time_off"]) == (None, None, [])
    for unknown in ("nobody-knows", "\x96b"):
        assert (await closed_days(scheduler, account_id=unknown))["csm_id"] is None


async def test_an_account_of_a_pool_has_the_days_of_the_member_who_leads_it(scheduler: Scheduler) -> None:
    await describe_account(scheduler, pool="smb")
    await scheduler.describe("bob", pool="smb", country="FR")
    await scheduler.database.pool.execute(
        "INSERT INTO assignment (account_id, line, csm_id) VALUES ('acme', 'pooled_csm', 'bob')"
    )

    found = await closed_days(scheduler)

    assert found["csm_id"] == "bob"
    assert {"on": "2026-11-11", "name": "Armistice Day"} in found["csm_holidays"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "soon"},
        {"to": "2026-10-31"},
        {"to": "2029-01-01"},
        {"from": "9999-12-31", "to": "9999-12-31"},
        {"account_id": "a\x00"},
    ],
)
async def test_a_wrong_period_or_id_is_refused(scheduler: Scheduler, wrong: dict[str, str]) -> None:
    query = {"account_id": "acme", "from": "2026-11-01", "to": "2026-12-31", **wrong}

    assert (await scheduler.http.get("/v1/closed-days", params=query)).status_code == 422
