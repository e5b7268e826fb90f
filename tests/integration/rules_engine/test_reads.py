"""Reads over HTTP: receipts, accounts and decisions, parked events and dead letters, the policy."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from confluent_kafka import Producer

from schemas.envelope import from_structured, kafka_headers
from services.cadence.account import FactEvent, Provenance
from services.chassis.database import Database
from services.chassis.dead_letters import Record
from services.chassis.outbox import Outbox
from services.chassis.schema_versions import DATABASES
from services.chassis.web import encode_cursor
from services.rules_engine.adapters.account_repository import AccountUnitOfWork
from services.rules_engine.domain.account import IncomingEvent, Parked, event_identity
from tests.faults.ledger import Headers, binary, read_topic
from tests.integration.rules_engine.conftest import Engine, fresh, problem_of
from tests.stack import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]


def produce(running: Engine, value: bytes | None, key: str, headers: Headers) -> None:
    producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap})
    producer.produce("account.signals", value, key=key, headers=headers)
    assert producer.flush(20) == 0


class TestReceipts:
    async def test_an_event_that_is_not_applied_yet(self, running: Engine) -> None:
        answer = await running.request("GET", "/v1/events", params={"source": "/test", "id": "never"})
        problem_of(answer, 404)
        assert int(answer.headers["retry-after"]) >= 1

    async def test_a_folded_event_names_the_decision_it_led_to(self, running: Engine) -> None:
        account = fresh("receipt")
        first = await running.post_event("account.described", account, {"arr": 50_000})
        second = await running.post_event("health.scored", account, {"color": "red"})
        receipt = await running.receipt(second)
        assert receipt is not None
        decisions = (await running.get(f"/v1/accounts/{account}/decisions"))["items"]
        assert receipt["decision_ids"] == [decisions[0]["id"]]
        assert (await running.wait_until_folded(first))["decision_ids"] == [decisions[1]["id"]]

    async def test_a_record_that_cannot_be_read_is_dead_with_a_reason(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "unreadable", {"score": 130})
        produce(running, *_record(sent))

        async def is_dead() -> bool:
            receipt = await running.receipt(sent)
            return receipt is not None and receipt["status"] == "dead"

        await until(is_dead, 20, "the receipt")
        receipt = await running.receipt(sent)
        assert receipt is not None
        assert "130 is greater than 100" in receipt["reason"]

    async def test_of_two_contents_under_one_identity_the_later_one_wins(self, running: Engine) -> None:
        account, before = fresh("twice"), await running.metric("drumbeat_events_total", outcome="conflicts")
        later = await running.now() - timedelta(minutes=1)
        newer = await running.post_event("health.scored", account, {"score": 10}, time=later, id=account)
        older = dict(newer, time=(later - timedelta(hours=1)).isoformat(), data={"score": 90})
        await running.stack.tell(older, older, newer)

        async def has_both() -> bool:
            receipt = await running.receipt(newer)
            return receipt is not None and receipt["contents"] == 2

        await until(has_both, 20, "both contents")
        assert (await running.account(account))["facts"]["health_score"]["value"] == 10
        assert await running.metric("drumbeat_events_total", outcome="conflicts") > before
        duplicates = await running.metric("drumbeat_events_total", outcome="duplicates")
        assert duplicates >= 2


class TestAccounts:
    async def test_an_account_has_the_fields_of_the_contract(self, running: Engine) -> None:
        account = fresh("shape")
        described = await running.post_event(
            "account.described", account, {"name": "Acme", "arr": 250_000, "csm_id": "kim"}
        )
        await running.post_event("health.scored", account, {"color": "red"})
        await running.post_event("nps.answered", account, {"score": 10})

        shown = await running.account(account)

        assert (shown["id"], shown["segment"], shown["stage"]) == (account, "enterprise", "onboarding")
        assert shown["facts"]["arr"] == {
            "value": 250_000,
            "time": shown["facts"]["arr"]["time"],
            "source": "/test",
            "id": described["id"],
        }
        assert shown["facts"]["arr"]["time"].endswith("Z")
        plan = shown["plan"]
        assert plan.keys() >= {"version", "policy", "rhythms", "touchpoints"}
        rhythm = next(rhythm for rhythm in plan["rhythms"] if rhythm["touchpoint_type"] == "check_in")
        assert rhythm["every_days"] == 7
        assert (rhythm["channel"], rhythm["owner"]) == ("call", "csm")
        reason = rhythm["reason"]
        assert reason.keys() >= {"rule", "policy", "facts", "text"}
        assert reason["rule"] == "red-check-in"
        color = next(fact for fact in reason["facts"] if fact["name"] == "color")
        assert color.keys() >= {"name", "value", "source", "id", "time"}
        assert color["value"] == "red"
        one_off = next(
            touchpoint
            for touchpoint in plan["touchpoints"]
            if touchpoint["touchpoint_type"] == "advocacy_ask"
        )
        assert one_off.keys() >= {"id", "touchpoint_type", "window", "deadline", "channel", "owner", "reason"}
        assert one_off["window"].keys() == {"from", "to"}

    async def test_decisions_come_newest_first_with_causes_and_reasons(self, running: Engine) -> None:
        account = fresh("decisions")
        await running.post_event("account.described", account, {"arr": 50_000})
        red = await running.post_event("health.scored", account, {"color": "red"})
        await running.post_event("health.scored", account, {"color": "yellow"})

        items = (await running.get(f"/v1/accounts/{account}/decisions"))["items"]

        versions = [item["plan_version"] for item in items]
        assert versions == sorted(versions, reverse=True)
        assert len(items) == 3
        assert items[1]["events"][0]["id"] == red["id"]
        assert {reason["rule"] for reason in items[1]["reasons"]} >= {"red-check-in", "red-action-plan"}
        assert all(item["policy"] and item["changes"] for item in items)
        first = await running.get(f"/v1/accounts/{account}/decisions", limit=2)
        rest = await running.get(f"/v1/accounts/{account}/decisions", limit=2, cursor=first["next_cursor"])
        assert first["items"] + rest["items"] == items
        assert rest["next_cursor"] is None

    @pytest.mark.parametrize(
        "name", ["a/b", "100%", "%2F", "Zürich 東京 🥁", "a?b#c", "../up", "x+y z", "a//b/"]
    )
    async def test_an_id_may_be_any_printable_text(self, running: Engine, name: str) -> None:
        account = f"{name}|{fresh('odd')}"
        await running.post_event("account.described", account, {"name": "Odd", "arr": 5_000})
        shown = await running.account(quote(account, safe=""))
        assert shown["id"] == account
        decisions = await running.get(f"/v1/accounts/{quote(account, safe='')}/decisions")
        assert decisions["items"][0]["plan_version"] == shown["plan"]["version"]
        listed = await running.get("/v1/accounts", q=account)
        assert [item["id"] for item in listed["items"]] == [account]

    async def test_filters_and_search(self, running: Engine) -> None:
        mark = fresh("filter")
        people = {
            "big": (250_000, "red", "kim"),
            "mid": (20_000, "green", "kim"),
            "small": (2_000, "red", "lee"),
        }
        for name, (arr, color, csm) in people.items():
            described = {"name": f"{name.title()} 50%_{mark}", "arr": arr, "csm_id": f"{csm}-{mark}"}
            await running.post_event("account.described", f"{mark}-{name}", described)
            await running.post_event("health.scored", f"{mark}-{name}", {"color": color})

        async def ids(**query: Any) -> set[str]:
            listed = await running.get("/v1/accounts", **query)
            return {item["id"].removeprefix(f"{mark}-") for item in listed["items"] if mark in item["id"]}

        assert await ids(q=mark) == {"big", "mid", "small"}
        assert await ids(q=f"50%_{mark}".upper()) == {"big", "mid", "small"}
        assert await ids(q=f"50__{mark}") == set()
        assert await ids(segment="enterprise", q=mark) == {"big"}
        assert await ids(color="red", q=mark) == {"big", "small"}
        assert await ids(csm_id=f"kim-{mark}") == {"big", "mid"}
        assert await ids(csm_id=f"kim-{mark}", color="green") == {"mid"}
        assert await ids(stage="churned", q=mark) == set()
        problem_of(await running.request("GET", "/v1/accounts?segment=huge"), 422)

    async def test_pages_list_every_account_once(self, running: Engine) -> None:
        mark = fresh("page")
        moment = await running.now()
        sent = [
            await running.make_event("health.scored", f"{mark}-{number}", {"score": 50}, time=moment)
            for number in range(7)
        ]
        await running.stack.tell(*sent)
        for event in sent:
            await running.wait_until_folded(event)
        ids: list[str] = []
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"q": mark, "limit": 3} | ({"cursor": cursor} if cursor else {})
            page = await running.get("/v1/accounts", **query)
            ids += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert ids == sorted(event["subject"] for event in sent)

    @pytest.mark.parametrize(
        "path", ["/v1/accounts", "/v1/accounts/x/decisions", "/v1/parked", "/v1/dead-letters"]
    )
    @pytest.mark.parametrize(
        "query",
        [
            {"limit": "0"},
            {"limit": "501"},
            {"limit": "many"},
            {"cursor": "nonsense"},
            {"cursor": "ü"},
            {"cursor": encode_cursor(1, 2)},
            {"cursor": encode_cursor(2**63)},
            {"cursor": encode_cursor("\x00")},
            {"cursor": "x" * 500},
            {"cursor": "\x00"},
        ],
    )
    async def test_a_wrong_page_is_refused(self, running: Engine, path: str, query: dict[str, str]) -> None:
        problem_of(await running.request("GET", path, params=query), 422)


class TestParkedAndDead:
    async def test_a_parked_event_is_listed_and_replayed(self, running: Engine) -> None:
        """No accepted event is parked while the stored state is intact: the adapter parks this one."""
        account = fresh("parked")
        sent = await running.make_event("health.scored", account, {"color": "red"})
        envelope = from_structured(sent)
        record = Record(
            "account.signals", 0, 7, account.encode(), envelope.data, tuple(kafka_headers(envelope)), 0
        )
        event = FactEvent("health.scored", account, Provenance(envelope.time, "/test", envelope.id, "00"), {})
        incoming = IncomingEvent(event, event_identity("/test", envelope.id), b"12345678", record)
        database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
        async with database.transaction() as connection:
            work = AccountUnitOfWork(connection, Outbox("/drumbeat/rules_engine"), set())
            await work.park([Parked(incoming, "ZeroDivisionError: division by zero")])
        await database.close()

        receipt = await running.receipt(sent)
        assert receipt is not None
        assert (receipt["status"], receipt["reason"]) == ("parked", "ZeroDivisionError: division by zero")
        (item,) = (await running.get("/v1/parked"))["items"]
        assert (item["account_id"], item["type"], item["event_id"]) == (account, "health.scored", sent["id"])
        assert item["reason"].startswith("ZeroDivisionError")
        assert json.loads(item["data"]) == {"color": "red"}

        answer = await running.request("POST", f"/v1/parked/{item['id']}/replay")
        assert answer.status_code == 200, answer.text
        await running.wait_until_folded(sent)
        assert (await running.account(account))["color"] == "red"
        assert (await running.get("/v1/parked"))["items"] == []
        assert (await running.get("/v1/parked", replayed=True))["items"][0]["id"] == item["id"]
        problem_of(await running.request("POST", "/v1/parked/987654/replay"), 404)

    async def test_a_dead_letter_is_listed_and_replayed(self, running: Engine) -> None:
        account = fresh("dead")
        tolerance = timedelta(minutes=5, seconds=5)
        ahead = await running.now() + tolerance + timedelta(seconds=2)
        sent = await running.make_event("health.scored", account, {"color": "yellow"}, time=ahead)
        value, headers = binary(sent)
        produce(
            running, value, account, [*headers, ("trace", "Zürich".encode()), ("ünï", b"x"), ("none", None)]
        )

        async def letter() -> dict[str, Any] | None:
            items = (await running.get("/v1/dead-letters"))["items"]
            return next((item for item in items if item["key"] == account), None)

        dead = await until(letter, 20, "a dead letter")
        assert "ahead of the service clock" in dead["reason"]
        assert (dead["topic"], json.loads(dead["value"])) == ("account.signals", {"color": "yellow"})
        assert dead["headers"]["trace"] == "Zürich"
        assert dead["headers"]["ünï"] == "x"
        assert dead["headers"]["none"] == ""

        async def readable() -> bool:
            return await running.now() > ahead - tolerance

        await until(readable, 20, "its time")
        answer = await running.request("POST", f"/v1/dead-letters/{dead['id']}/replay")
        assert answer.status_code == 200, answer.text
        await running.wait_until_folded(sent)
        assert (await running.account(account))["color"] == "yellow"
        assert await letter() is None
        replayed = (await running.get("/v1/dead-letters", replayed=True))["items"]
        assert dead["id"] in {item["id"] for item in replayed}
        problem_of(await running.request("POST", "/v1/dead-letters/987654/replay"), 404)
        problem_of(await running.request("POST", f"/v1/dead-letters/{2**70}/replay"), 422)
        assert any(
            record.key == account for record in read_topic(running.stack.kafka.bootstrap, "dead.letters")
        )


def _record(sent: dict[str, Any]) -> tuple[bytes, str, Headers]:
    value, headers = binary(sent)
    assert orjson.loads(value)
    return value, str(sent["subject"]), headers
