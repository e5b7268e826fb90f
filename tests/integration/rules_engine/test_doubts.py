"""Row 23 and row 24 through the running engine: a country gives the zone, a file of rates the revenue."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cadence.rates import RatesRefused
from services.chassis.database import Database
from services.chassis.schema_versions import DATABASES
from services.rules_engine.adapters.rates_file import RatesFile
from tests.faults.ledger import read_topic
from tests.integration.rules_engine.conftest import Engine, fresh
from tests.integration.rules_engine.ingest_requests import BATCH
from tests.integration.rules_engine.policy_requests import wait_until_evaluated
from tests.stack import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]


async def describe(running: Engine, stem: str, **fields: object) -> tuple[dict[str, Any], list[str]]:
    """The account after it was described, and the warnings of the answer."""
    name = fresh(stem)
    sent = await running.make_event("account.described", name, fields)
    answer = await running.send(json.dumps([sent]), BATCH)
    assert answer.status_code == 202, answer.text
    await running.wait_until_folded(sent)
    return await running.account(name), answer.json()["results"][0].get("warnings", [])


def said(account: dict[str, Any], about: str) -> str:
    return " ".join(
        f"{doubt['text']}; {doubt['remedy']}" for doubt in account["doubts"] if doubt["about"] == about
    )


class TestZones:
    @pytest.mark.parametrize("country", ["JP", "jp", "Japan"])
    async def test_a_country_with_one_zone_gives_it(self, running: Engine, country: str) -> None:
        """Row 23: mail went out at one o'clock in the night of Tokyo."""
        account, warnings = await describe(running, "tokyo", country=country)

        assert account["zones"] == {"names": ["Asia/Tokyo"], "derived": True}
        assert account["facts"]["country"]["value"] == "JP"
        assert not said(account, "timezone")
        assert len(warnings) == (country != "JP")
        record = await directory_record(running, account["id"])
        assert (record["timezone"], record["timezone_derived"], record["zones"]) == ("Asia/Tokyo", True, [])

    async def test_a_country_with_several_zones_gives_all(self, running: Engine) -> None:
        """Row 23."""
        account, _ = await describe(running, "madrid", country="ES")

        record = await directory_record(running, account["id"])
        assert (record["timezone"], record["zones"]) == (None, ["Europe/Madrid", "Atlantic/Canary"])
        assert "several" in said(account, "timezone")

    async def test_an_unknown_country_is_stored_with_a_warning_and_a_doubt(self, running: Engine) -> None:
        """Row 23."""
        account, (warning,) = await describe(running, "atlantis", country="Atlantis")

        assert "names no country" in warning
        assert account["facts"]["country"]["value"] == "Atlantis"
        assert "time zone unknown" in said(account, "timezone")
        assert "names no country" in said(account, "country")

    async def test_a_csm_whom_nobody_described_is_doubted(self, running: Engine) -> None:
        """Row 31, as far as the account says so."""
        csm = fresh("csm")
        account, _ = await describe(running, "typo", csm_id=csm, timezone="UTC")
        assert csm in said(account, "csm_id")

        described = await running.make_event("csm.described", csm, {"working_days": []})
        await running.stack.tell(described)

        async def is_idle() -> bool:
            return "no working days" in said(await running.account(account["id"]), "csm_id")

        await until(is_idle, 20, "the account's CSM to be described")


class TestRates:
    async def test_revenue_without_a_rate_promotes_nobody_and_a_file_of_rates_makes_it_known(
        self, running: Engine, tmp_path: Path
    ) -> None:
        """Row 24: 1.5 million yen made an account an enterprise."""
        yen: dict[str, object] = {"arr": 1_500_000, "currency": "JPY", "timezone": "Asia/Tokyo"}
        account, (warning,) = await describe(running, "yen", **yen)
        unknown, _ = await describe(running, "unknown", timezone="UTC")
        assert "no exchange rate from JPY to USD" in warning
        assert account["segment"] == unknown["segment"]
        assert "DRUMBEAT_RATES" in said(account, "currency")

        path = tmp_path / "rates.yaml"
        path.write_text("date: 2026-06-01\nrates: {JPY: 0.0065}\n")
        database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=1)
        file = RatesFile(path, database)
        try:
            before = await wait_until_evaluated(running)
            await file.open()
            after = await self.wait_for_rates(running, "2026-06-01")
            assert after["epoch"] > before["epoch"], "every account is evaluated again"

            small, none = (
                await describe(running, "dollars", arr=9_750, timezone="UTC"),
                await describe(running, "y", **yen),
            )
            account = await running.account(account["id"])
            assert account["segment"] == small[0]["segment"] == none[0]["segment"]
            assert not none[1]
            assert not said(account, "currency")
            arr = await database.pool.fetchval("SELECT arr FROM account WHERE account_id = $1", account["id"])
            assert arr == 9750.0

            await file.run_once()
            assert (await self.wait_for_rates(running, "2026-06-01"))["epoch"] == after["epoch"]
            path.write_text("date: 2026-06-02\nrates: {JPY: 0.66}\n")
            await file.run_once()
            await self.wait_for_rates(running, "2026-06-02")
            assert (await running.account(account["id"]))["segment"] == "enterprise"

            path.write_text("date: soon\n")
            await file.run_once()
            assert (await running.get("/v1/policies/progress"))["rates"]["date"] == "2026-06-02"
            with pytest.raises(RatesRefused):
                await RatesFile(path, database).open()
        finally:
            await RatesFile(None, database).open()
            await database.close()
        await self.wait_for_rates(running, None)

    async def wait_for_rates(self, running: Engine, on: str | None) -> dict[str, Any]:
        """Wait until these rates are in force and every account was evaluated at them."""

        async def are_in_force() -> dict[str, Any] | None:
            progress = await running.get("/v1/policies/progress")
            stated = progress["rates"] and progress["rates"]["date"]
            return progress if stated == on and progress["behind"] == 0 else None

        return await until(are_in_force, 30, f"rates of {on}")


async def directory_record(running: Engine, account_id: str) -> dict[str, Any]:
    """The newest record of the account in the directory."""

    async def published() -> dict[str, Any] | None:
        records = read_topic(running.stack.kafka.bootstrap, "directory.accounts")
        return next((record.data for record in reversed(records) if record.key == account_id), None)

    return await until(published, 20, "the account's record")
