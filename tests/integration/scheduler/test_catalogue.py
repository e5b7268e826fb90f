"""A touchpoint by hand follows the catalogue of the policy in force (row 39)."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from schemas.touchpoints import TouchpointData
from tests.integration.scheduler.conftest import MONDAY, Scheduler, one_off, rhythm

pytestmark = pytest.mark.integration
TYPES = [
    {
        "touchpoint_type": "business_review", "owner": "csm", "channel": "meeting", "purpose": "look back and ahead",
        "topic": "account", "minutes": 90, "audience": ["decision_maker"],
    },
    {
        "touchpoint_type": "check_in", "owner": "csm", "channel": "call", "purpose": "talk", "topic": "account",
        "agenda": ["What changed", "What comes next"], "expects": "Blockers have an owner",
    },
    {"touchpoint_type": "escalation", "owner": "sales", "channel": "in_app", "purpose": "solve it", "topic": None},
]  # fmt: skip


async def publish(scheduler: Scheduler, version: int = 1, **changed: object) -> None:
    record = {
        "policy": "p1", "touchpoint_types": TYPES, "quiet_hours": {"from": "21:00", "to": "07:00"},
        "version": version, **changed,
    }  # fmt: skip
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", record)
    )


async def plan(scheduler: Scheduler, kind: str, **more: object) -> httpx.Response:
    asked = {"account_id": "acme", "type": kind, "due_at": "2026-03-05T14:00:00Z", **more}
    return await scheduler.http.post("/v1/touchpoints", json=asked)


def shown(item: Mapping[str, Any], name: str) -> object:
    return item["owner"]["kind"] if name == "owner" else item[name]


async def created(scheduler: Scheduler, kind: str, **more: object) -> dict[str, Any]:
    answer = await plan(scheduler, kind, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_type_that_the_policy_lacks_is_refused_with_the_one_that_was_meant(
    scheduler: Scheduler,
) -> None:
    await publish(scheduler)

    answers = [await plan(scheduler, kind) for kind in ("chekin", "nonsense")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert "did you mean 'check_in'?" in answers[0].json()["detail"]
    assert "it has business_review, check_in, escalation" in answers[1].json()["detail"]
    assert await scheduler.list_touchpoints() == []
    assert await scheduler.sent() == []


async def test_what_is_left_out_comes_from_the_catalogue_and_what_is_given_stays(
    scheduler: Scheduler,
) -> None:
    await publish(scheduler)

    review = await created(scheduler, "business_review")
    internal = await created(scheduler, "escalation")
    own = await created(
        scheduler, "business_review", owner="pooled_csm", channel="call", minutes=0, purpose="", topic=None,
        audience=[],
    )  # fmt: skip

    fields = ("owner", "channel", "minutes", "purpose", "topic", "audience")
    assert [shown(review, name) for name in fields] == [
        "csm", "meeting", 90, "look back and ahead", "account", ["decision_maker"],
    ]  # fmt: skip
    assert [shown(internal, name) for name in fields] == ["sales", "in_app", 0, "solve it", None, []]
    assert [shown(own, name) for name in fields] == ["pooled_csm", "call", 0, "", None, []]
    data = [TouchpointData.model_validate(each["data"], strict=False) for each in await scheduler.sent()]
    assert {(each.quiet_hours.from_, each.quiet_hours.to) for each in data} == {("21:00", "07:00")}


async def test_before_the_policy_is_known_any_type_is_accepted(scheduler: Scheduler) -> None:
    made = await created(scheduler, "anything")

    assert (made["owner"]["kind"], made["channel"], made["minutes"], made["topic"]) == (
        "csm",
        "call",
        30,
        "account",
    )


async def test_the_newest_policy_counts_and_an_unreadable_record_is_a_dead_letter(
    scheduler: Scheduler,
) -> None:
    await publish(scheduler, 2)
    await publish(scheduler, 1, touchpoint_types=[])
    await publish(scheduler, 3, touchpoint_types="all")

    assert (await plan(scheduler, "check_in")).status_code == 201
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 1


async def test_a_repeated_request_is_answered_also_when_the_type_is_gone(scheduler: Scheduler) -> None:
    key = {"Idempotency-Key": "k"}
    asked = {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00Z"}
    await publish(scheduler)
    first = await scheduler.http.post("/v1/touchpoints", json=asked, headers=key)
    await publish(scheduler, 2, touchpoint_types=TYPES[:1])

    second = await scheduler.http.post("/v1/touchpoints", json=asked, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]


async def test_events_name_the_agenda_the_expected_outcome_and_what_they_are_about(
    scheduler: Scheduler,
) -> None:
    """S167: at due time as well as when it is planned, from the policy in force."""
    about = {"contract_id": "c1", "renews_on": "2026-06-01"}
    step = one_off(
        "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", MONDAY, MONDAY, deadline=MONDAY.replace(day=4),
        precedence="escalation", about=about,
    )  # fmt: skip
    await publish(scheduler)
    await scheduler.consume(scheduler.plan(1, [rhythm(400)], [step]))
    await publish(scheduler, policy="p2", touchpoint_types=[{**TYPES[1], "expects": "A date is set"}])
    await scheduler.release()

    events = [TouchpointData.model_validate(each["data"], strict=False) for each in await scheduler.sent()]

    check_ins = [each for each in events if each.touchpoint_type == "check_in"]
    assert {each.agenda for each in check_ins} == {("What changed", "What comes next")}
    assert {each.expects for each in check_ins} == {"A date is set"}
    kickoff = next(each for each in events if each.touchpoint_type == "kickoff" and each.status == "due")
    assert kickoff.about is not None
    assert (kickoff.precedence, kickoff.about.contract_id, kickoff.agenda) == ("escalation", "c1", ())
