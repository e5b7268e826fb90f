"""Doors take harmless variants, say what they cleaned, and refuse what would be lost later (kind 7 of the faults)."""

import json
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.envelope import from_structured, kafka_headers
from services.chassis.database import Database
from services.chassis.schema_versions import DATABASES
from services.rules_engine.adapters.account_twins import AccountTwins
from tests.integration.rules_engine.conftest import Engine, fresh
from tests.integration.rules_engine.ingest_requests import BATCH, STRUCTURED, Sent, refusal, results_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
SECOND = "11111111-2222-3333-4444-555555555555"
VARIANTS: Sent = {
    "name": " Acme ",
    "currency": "usd",
    "timezone": "europe/berlin",
    "segment": "Mid-Market",
    "csm_id": "",
    "language": " ",
}


async def warnings_of(running: Engine, sent: Sent) -> list[str]:
    (result,) = results_of(await running.send(json.dumps(sent), STRUCTURED), 202)
    return result.get("warnings", [])


def values_of(account: dict[str, Any]) -> dict[str, object]:
    return {name: fact["value"] for name, fact in account["facts"].items()}


class TestCleaning:
    async def test_a_record_with_blanks_and_other_letter_case_is_taken_with_warnings(
        self, running: Engine
    ) -> None:
        """Row 36 of the reported faults: nothing of it was taken."""
        account = fresh("cleaned")
        sent = await running.make_event("account.described", account, VARIANTS)

        warnings = await warnings_of(running, sent)
        await running.wait_until_folded(sent)

        assert sorted(warning.partition(":")[0] for warning in warnings) == [
            f"data.{name}" for name in sorted(VARIANTS)
        ]
        assert all("value cleaned" in warning for warning in warnings)
        found = values_of(await running.account(account))
        assert found["name"] == "Acme"
        assert (found["currency"], found["timezone"]) == ("USD", "Europe/Berlin")
        assert not found.keys() & {"csm_id", "language"}

    async def test_the_same_record_produced_to_kafka_says_the_same(self, running: Engine) -> None:
        """Row 36, the other door; row 12: the subject has blanks around it."""
        account = fresh("cleaned")
        sent = await running.make_event("account.described", f" {account} ", VARIANTS)
        await running.post_event("account.described", account, {"industry": "Tea", "csm_id": "csm-1"})
        envelope = from_structured(sent)
        headers: list[tuple[str, str | bytes | None]] = [
            (name, f" {account} ".encode() if name == "ce_subject" else value)
            for name, value in kafka_headers(envelope)
        ]
        producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap})
        producer.produce(
            "account.signals", json.dumps(VARIANTS).encode(), key=f" {account} ", headers=headers
        )
        assert producer.flush(10) == 0
        await running.wait_until_folded(sent)

        found = values_of(await running.account(account))
        assert (found["name"], found["currency"], found["industry"]) == ("Acme", "USD", "Tea")
        assert found["csm_id"] == "csm-1"  # a blank means not told

    async def test_whole_numbers_with_a_fraction_and_limits_without_end_are_taken(
        self, running: Engine
    ) -> None:
        """Rows 32 and 33."""
        account = fresh("whole")
        period = {"period_start": "2026-01-01T00:00:00Z", "period_end": "2026-01-02T00:00:00Z"}
        limits = {"api calls": {"used": 5, "limit": None}, "seats": {"used": 8, "limit": 10}}
        sent = await running.make_event(
            "usage.reported", account, {**period, "active_users": 12.0, "limits": limits}
        )
        assert await warnings_of(running, sent) == ["data.active_users: value cleaned: 12.0 is read as 12"]
        await running.wait_until_folded(sent)
        found = values_of(await running.account(account))
        assert (found["active_users"], found["limit_ratio"]) == (12, 0.8)

        sent = await running.make_event("nps.answered", account, {"score": 9.0})
        assert await warnings_of(running, sent)
        await running.wait_until_folded(sent)

    async def test_blanks_around_a_subject_make_no_second_account_and_a_twin_is_named(
        self, running: Engine
    ) -> None:
        """Row 12: `acme`, `Acme`, ` acme` and `acme ` were four accounts."""
        account = fresh("twin")
        await running.post_event("health.scored", account, {"score": 60})

        padded = await running.make_event("health.scored", f" {account} ", {"score": 70})
        (warning,) = await warnings_of(running, padded)
        assert warning.startswith("subject: value cleaned: ")
        await running.wait_until_folded(padded)
        assert (await running.account(account))["facts"]["health_score"]["value"] == 70

        other = await running.make_event("health.scored", account.upper(), {"score": 70})
        again = await running.make_event("health.scored", account, {"score": 70})
        first, second = results_of(
            await running.send(json.dumps([other, again]), BATCH, query="?validate_only=true"), 202
        )
        assert f"differs from the account '{account}' in letter case only" in first["warnings"][0]
        assert "warnings" not in second


class TestRefusals:
    @pytest.mark.parametrize(
        ("kind", "data", "words"),
        [
            ("contract.changed", {"contract_id": "k", "starts_on": "2027-01-01", "renews_on": "2026-01-01"},
             "starts_on (2027-01-01) must be before renews_on (2026-01-01)"),  # row 20
            ("contact.described", {"contact_id": "c", "email": "jörg@example.com"}, "beyond ASCII"),  # row 34
            ("contact.described", {"contact_id": "c", "email": "ann@☃☃.com"}, "IDNA 2008"),  # row 35
            ("account.described", {"timezone": "localtime"}, "IANA time zone"),  # row 37
            ("account.described", {"timezone": "posixrules"}, "IANA time zone"),  # row 37
            ("preference.changed", {"contact_id": "c", "topic": "", "opted_in": True}, "data.topic"),
        ],
    )  # fmt: skip
    async def test_what_would_be_lost_or_misread_later_is_refused_now(
        self, running: Engine, kind: str, data: Sent, words: str
    ) -> None:
        assert words in await refusal(running, await running.make_event(kind, "acme", data))

    async def test_a_field_that_only_has_the_name_of_a_touchpoint_type_is_an_unknown_field(
        self, running: Engine
    ) -> None:
        data = {"score": 50, "touchpoint_type": ["check_in"]}
        event = await running.make_event("health.scored", fresh("extra"), data)
        assert await warnings_of(running, event) == [
            "data.touchpoint_type: not a field of drumbeat.health.scored.v1; it is stored but not read"
        ]

    async def test_an_outcome_of_an_unknown_type_that_names_no_touchpoint_is_refused(
        self, running: Engine
    ) -> None:
        """Row 39: it counted as contact of a type that no rule knows."""
        data = {"touchpoint_type": "chekin", "outcome": "completed"}
        problem = await refusal(running, await running.make_event("touchpoint.settled", "acme", data))
        assert "did you mean check_in?" in problem
        data["touchpoint_id"] = "not-an-id"
        assert "did you mean" in await refusal(
            running, await running.make_event("touchpoint.settled", "acme", data)
        )

    async def test_a_type_of_an_earlier_policy_is_settled_by_the_id_of_its_touchpoint(
        self, running: Engine
    ) -> None:
        """Row 39."""
        data = {"touchpoint_id": SECOND, "touchpoint_type": "chekin", "outcome": "completed"}
        sent = await running.make_event("touchpoint.settled", fresh("earlier"), data)
        (warning,) = await warnings_of(running, sent)
        assert "did you mean check_in?" in warning

    async def test_a_source_of_drumbeat_itself_is_refused(self, running: Engine) -> None:
        """With row 41: otherwise anybody could speak for a contact."""
        sent = await running.make_event("health.scored", "acme", {"score": 3}, source="/drumbeat/notifier")
        assert "reserved for Drumbeat's own events" in await refusal(running, sent)


async def test_the_release_of_the_time_zones_is_on_the_clock(running: Engine) -> None:
    """Row 50."""
    assert (await running.get("/v1/clock"))["tzdata"] >= "2026f"


async def test_a_database_that_fails_costs_the_warnings_and_nothing_else(running: Engine) -> None:
    database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=1)
    account = fresh("unnamed")
    await running.post_event("health.scored", account, {"score": 60})
    twins = AccountTwins(database)
    assert await twins.find({account.upper()}) == {account.upper(): account}
    assert await twins.find({account, fresh("nobody")}) == {}

    await database.close()
    assert await twins.find({account.upper()}) == {}
    assert twins.rests_until > 0
