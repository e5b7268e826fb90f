"""Explanations over HTTP: why a rule fires or not, now and at the time of a decision."""

import asyncio
import json
import random
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.cadence.policy.load import SHIPPED, policy_texts
from tests.integration.rules_engine.conftest import Engine, fresh, problem_of
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

ACCOUNTS = 240


def random_history(dice: random.Random) -> list[tuple[str, Mapping[str, object], float]]:
    """Events of one account: type, data, and how many days ago."""
    history: list[tuple[str, Mapping[str, object], float]] = [
        (
            "account.described",
            {"arr": dice.choice([100, 5_000, 50_000, 500_000]), "csm_id": dice.choice([None, "dana"])},
            50,
        )
    ]
    more: list[tuple[str, Mapping[str, object]]] = [
        ("health.scored", {"score": dice.randrange(100)}),
        ("nps.answered", {"score": dice.randrange(11)}),
        ("milestone.reached", {"milestone": "m", "kind": dice.choice(["adoption", "success", "go_live"])}),
        ("expansion.signalled", {"signal": "power_users"}),
        (
            "contract.changed",
            {"contract_id": "c", "status": "active", "starts_on": "2026-01-01", "renews_on": "2027-06-01"},
        ),
        ("contact.described", {"contact_id": f"{dice.random()}", "role": "champion"}),
        ("survey.answered", {"answer": dice.choice(["too_much", "too_little"]), "csat": 5}),
        ("outreach.paused", {"reason": "busy"}),
    ]
    return history + [(*item, dice.uniform(0, 20)) for item in dice.sample(more, dice.randrange(1, 6))]


async def post_histories(running: Engine) -> dict[str, list[dict[str, Any]]]:
    """Post random histories; returns the events by account."""
    dice, now = random.Random(7), await running.now()
    events_by_account: dict[str, list[dict[str, Any]]] = {}
    for _ in range(ACCOUNTS):
        name = fresh("life")
        events_by_account[name] = [
            await running.make_event(kind, name, data, time=now - timedelta(days=ago))
            for kind, data, ago in random_history(dice)
        ]
    body = "\n".join(json.dumps(event) for events in events_by_account.values() for event in events)
    answer = await running.send(body, "application/x-ndjson")
    assert answer.status_code == 202, answer.text
    for events in list(events_by_account.values())[-20:]:
        for event in events:
            await running.wait_until_folded(event, 60)
    return events_by_account


async def explain(running: Engine, name: str, **question: object) -> dict[str, Any]:
    """The answer, also when many are asked for at once: then it is asked for again when it says so."""
    while True:
        answer = await running.request("GET", f"/v1/accounts/{name}/why", params=question, timeout=60)
        if answer.status_code != 429:
            assert answer.status_code == 200, answer.text
            return answer.json()
        await asyncio.sleep(int(answer.headers["retry-after"]))


class TestDecision:
    async def test_the_stored_state_of_a_decision_leads_to_the_same_decision_again(
        self, running: Engine
    ) -> None:
        events_by_account = await post_histories(running)

        async def are_listed() -> bool:
            items = (await running.get("/v1/accounts", limit=500, q="life-"))["items"]
            return len(items) == len(events_by_account)

        await until(are_listed, 60, "every account")
        counts = await asyncio.gather(
            *(self._check_decisions(running, name, events) for name, events in events_by_account.items())
        )
        assert sum(counts) >= ACCOUNTS

    async def _check_decisions(self, running: Engine, name: str, events: list[dict[str, Any]]) -> int:
        """Every decision of an account follows from what was stored with it, and cites only its events."""
        decisions = (await running.get(f"/v1/accounts/{name}/decisions"))["items"]
        assert decisions
        for decision in decisions:
            version = decision["plan_version"]
            for reason in decision["reasons"][:1]:
                why = await explain(running, name, rule=reason["rule"], decision=version)
                assert why["reproduced"] is True
                assert why["policy"] == decision["policy"] == reason["policy"]
                assert why["plan_version"] == version
                assert why["fires"] or why["stopped_by"]["cause"] == "opt_out"
                known = {(event["source"], event["id"]) for event in events}
                cited = {
                    (event["source"], event["id"]) for clause in why["clauses"] for event in clause["events"]
                }
                assert cited <= known
        return len(decisions)


class TestNow:
    async def test_a_rule_fires_or_names_what_stopped_it(self, running: Engine) -> None:
        name = fresh("red/one")
        scored = await running.post_event("health.scored", name, {"score": 20})
        await running.post_event("account.described", name, {"arr": 50_000})
        path = f"/v1/accounts/{quote(name, safe='')}/why"

        red = await running.get(path, touchpoint_type="check_in")
        assert (red["fires"], red["rule"], red["stopped_by"], red["account_id"]) == (
            True,
            "red-check-in",
            None,
            name,
        )
        last = red["clauses"][-1]
        assert (last["text"], last["holds"], last["values"]) == ('color == "red"', True, {"color": "red"})
        assert [event["id"] for event in last["events"]] == [scored["id"]]
        assert "mid-market-pooled-check-in/onboarding" in {other["rule"] for other in red["others"]}

        yellow = await running.get(path, rule="yellow-check-in")
        assert (yellow["fires"], yellow["stopped_by"]["cause"]) == (False, "clause")
        assert yellow["smallest_change"]["text"] == "the health colour would have to be yellow (red now)"
        standard = await running.get(path, rule="mid-market-pooled-check-in/onboarding")
        assert (standard["stopped_by"]["cause"], standard["stopped_by"]["by"]) == (
            "precedence",
            "red-check-in",
        )

    async def test_a_question_without_an_answer_is_refused_with_a_reason(self, running: Engine) -> None:
        name = fresh("refused")
        await running.post_event("account.described", name, {"arr": 50_000})
        path = f"/v1/accounts/{name}/why"

        assert "?rule=" in problem_of(await running.request("GET", path), 422)["detail"]
        both = {"rule": "red-check-in", "touchpoint_type": "check_in"}
        problem_of(await running.request("GET", path, params=both), 422)
        typo = problem_of(await running.request("GET", path, params={"rule": "red-chek-in"}), 404)
        assert typo["detail"].endswith("did you mean 'red-check-in'?")
        typo = problem_of(await running.request("GET", path, params={"touchpoint_type": "chek_in"}), 404)
        assert typo["detail"].endswith("did you mean 'check_in'?")
        nobody = await running.request("GET", "/v1/accounts/nobody/why", params={"rule": "red-check-in"})
        assert "nobody" in problem_of(nobody, 404)["detail"]
        then = {"rule": "red-check-in", "decision": 7}
        assert "plan version 7" in problem_of(await running.request("GET", path, params=then), 404)["detail"]
        problem_of(await running.request("GET", path, params={"rule": "red-check-in", "decision": "x"}), 422)


class TestPolicyDiff:
    async def test_another_policy_is_compared_with_the_one_in_force(self, running: Engine) -> None:
        name = fresh("compared")
        await running.post_event("account.described", name, {"arr": 50_000})
        texts = {Path(file).name: text for file, text in policy_texts(SHIPPED).items()}
        same = (await running.request("POST", "/v1/policies/diff", json={"files": texts})).json()
        assert (same["changed"], same["sample"], same["old"] == same["new"]) == (0, False, True)

        rule = (
            "touchpoint: tips\n    segment: mid_market\n    stage: [onboarding, adoption, growth, renewal]\n"
        )
        rarer = {
            file: text.replace(f"{rule}    every: week on wednesday", f"{rule}    every: 14d")
            for file, text in texts.items()
        }
        answer = await running.request("POST", "/v1/policies/diff", json={"files": rarer, "days": 28})
        difference = answer.json()
        assert answer.status_code == 200, answer.text
        assert difference["compared"] >= 1
        assert difference["changed"] >= 1
        assert [kind for kind, total in difference["totals"].items() if total["difference"]] == ["tips"]
        assert difference["totals"]["tips"]["difference"] < 0
        assert len(difference["accounts"]) == min(100, difference["changed"])
        assert difference["accounts"][0]["changes"][0]["text"].startswith(
            "Tips every 14 days instead of every Wednesday"
        )
        assert difference["all"]["minutes_difference"] == 0

    async def test_a_policy_with_mistakes_is_refused_with_their_places(self, running: Engine) -> None:
        answer = await running.request("POST", "/v1/policies/diff", json={"files": {"p.yaml": "rhythms: 7"}})
        assert problem_of(answer, 422)["errors"][0]["file"] == "p.yaml"
