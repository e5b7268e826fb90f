"""Whatever happens between batches, publishes and sweeps: in the end every account is decided under the newest policy.

A model keeps the events of each account; what they lead to under the newest policy is compared with what is stored.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.cadence.account import FactEvent, Facts, apply_fact
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.chassis.faults import FaultInjected, arm
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.rules_engine.adapters.progress_queries import measure
from services.rules_engine.domain.account import EvaluationContext
from tests.integration.rules_engine.engine_database import (
    RETRY,
    EngineDatabase,
    context_of,
    engine_database,
)
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event
from tests.unit.cadence.policies import policy, rhythm, trigger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Result = TypeVar("Result")
ACCOUNTS = [f"a{number}" for number in range(7)]
DAMAGED = b'{"v":4,"a":'
ALL = rhythm("all", "check_in", 30)
POLICIES: list[Policy] = [
    policy(ALL),
    policy(ALL, rhythm("red", "usage_report", 7, parse('color == "red"'))),
    policy(ALL, rhythm("rich", "tips", 14, parse("arr is not null and arr >= 1000"))),
    policy(ALL, trigger("unhappy", "nps.answered", "advocacy_ask", 3, parse("nps_score < 5"))),
]


class Sweeping(RuleBasedStateMachine):
    """`contexts`: those published, the newest last; a replica may be one behind."""

    database: EngineDatabase
    runner: asyncio.Runner
    compared = 0
    """Accounts whose plan was compared with the model's."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self.database.empty())
        self.database.ahead = timedelta(0)
        self.known: dict[str, Facts] = {}
        self.parked: list[FactEvent] = []
        self.damaged: dict[str, bytes] = {}
        self.number = 0
        self.contexts: list[EvaluationContext] = []
        self.put_in_force(POLICIES[0], live=True)

    def put_in_force(self, published: Policy, *, live: bool) -> None:
        self.contexts.append(context_of(published, len(self.contexts) + 1, publish=live))
        self.run(self.database.publish(self.contexts[-1]))

    def context(self, *, behind: bool) -> EvaluationContext:
        return self.contexts[-2:][0] if behind else self.contexts[-1]

    @rule(published=st.sampled_from(POLICIES), live=st.booleans())
    def publish(self, published: Policy, live: bool) -> None:  # noqa: FBT001
        self.put_in_force(published, live=live)

    @rule(
        account=st.sampled_from(ACCOUNTS),
        score=st.integers(0, 100),
        kind=st.sampled_from(["health.scored", "nps.answered", "account.described"]),
        behind=st.booleans(),
    )
    def apply(self, account: str, score: int, kind: str, behind: bool) -> None:  # noqa: FBT001
        event = self.event(account, score, kind)
        counts = self.run(self.database.apply(self.context(behind=behind), event))
        assert counts.parked == (account in self.damaged)
        if account in self.damaged:
            self.parked.append(event)
        else:
            apply_fact(self.known.setdefault(account, Facts(account)), event)

    def event(self, account: str, score: int, kind: str) -> FactEvent:
        self.number += 1
        fields: dict[str, dict[str, object]] = {
            "health.scored": {"score": score},
            "nps.answered": {"score": score % 11, "contact_id": account},
            "account.described": {"arr": score * 30},
        }
        at = NOW - DAY + self.number * timedelta(seconds=1)
        return make_event(kind, at, "/crm", **fields[kind])._replace(account_id=account)

    @rule(account=st.sampled_from(ACCOUNTS), score=st.integers(0, 100), behind=st.booleans())
    def apply_while_a_policy_is_published_and_its_sweep_begins(
        self,
        account: str,
        score: int,
        behind: bool,  # noqa: FBT001
    ) -> None:
        """The transaction of the batch is open when the policy is published."""
        if account in self.damaged:
            return
        event = self.event(account, score, "health.scored")
        self.run(self.overlap(self.context(behind=behind), event, POLICIES[score % len(POLICIES)]))
        apply_fact(self.known.setdefault(account, Facts(account)), event)

    async def overlap(self, context: EvaluationContext, event: FactEvent, published: Policy) -> None:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self.database.database.transaction())
            await self.database.apply_in(connection, context, [event])
            self.contexts.append(context_of(published, len(self.contexts) + 1))
            await self.database.publish(self.contexts[-1])
            sweeping = asyncio.create_task(self.database.sweeper(self.contexts[-1], 3).run_once())
            await asyncio.wait({sweeping}, timeout=0.02)
        await sweeping

    @rule(behind=st.booleans(), batch=st.integers(1, 4))
    def sweep(self, behind: bool, batch: int) -> None:  # noqa: FBT001
        self.run(self.database.sweeper(self.context(behind=behind), batch).run_once())

    @rule(at_pass=st.integers(1, 2), batch=st.integers(1, 4))
    def be_interrupted(self, at_pass: int, batch: int) -> None:
        arm(f"sweep.before_commit=raise@{at_pass}")
        try:
            self.run(self.database.sweeper(self.contexts[-1], batch).run_once())
        except FaultInjected:
            return
        finally:
            arm("")

    @rule(hours=st.integers(1, 100))
    def let_time_pass(self, hours: int) -> None:
        self.database.ahead += hours * HOUR

    @precondition(lambda self: self.known.keys() - self.damaged.keys())
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(sorted(self.known.keys() - self.damaged.keys())))
        self.damaged[account] = encode(self.known[account], Issued())
        self.store(account, DAMAGED)

    @precondition(lambda self: self.damaged)
    @rule()
    def repair(self) -> None:
        for account, state in self.damaged.items():
            self.store(account, state)
        self.damaged = {}
        # Replayed, as an operator does it after the repair.
        for event in self.parked:
            self.run(self.database.apply(self.contexts[-1], event))
            apply_fact(self.known[event.account_id], event)
        self.parked = []

    def store(self, account: str, state: bytes) -> None:
        query = "UPDATE account SET state = $2 WHERE account_id = $1"
        self.run(self.database.database.pool.execute(query, account, state))

    @invariant()
    def the_states_are_those_of_all_events(self) -> None:
        rows = self.run(self.database.rows("SELECT account_id, state FROM account WHERE state IS NOT NULL"))
        for account, state in rows:
            expected = DAMAGED if account in self.damaged else encode(self.known[account], Issued())
            assert state == expected

    def teardown(self) -> None:
        newest = self.contexts[-1] if getattr(self, "contexts", None) else None
        if newest is not None:
            self.run(self.settle(newest))

    async def settle(self, newest: EvaluationContext) -> None:
        """The newest replica comes to rest, and has tried again: damaged accounts keep their plan and say why."""
        self.database.ahead += 2 * RETRY
        await self.database.sweep(newest, 3)
        progress = await measure(self.database.database, newest.generation)
        assert (progress["behind"], progress["accounts"]) == (0, len(self.known))
        now = self.database.clock.now()
        for row in await self.database.rows(STORED):
            account, key, published, version, in_force, undecided, upcoming, policy_hash = row
            if account in self.damaged:
                assert undecided is None or undecided.startswith("UnreadableState: "), undecided
                continue
            decision = evaluate_account(newest.policy, self.known[account], Issued(), newest.portfolio, now)
            assert (undecided, key, upcoming) == (None, decision.key, decision.next_evaluation_at)
            assert in_force == version
            assert not newest.publish or published == decision.key
            assert policy_hash in {context.policy.hash for context in self.contexts}
            Sweeping.compared += 1


STORED = """
SELECT a.account_id, a.plan_key, a.published_key, a.plan_version, p.version, a.undecided, a.next_evaluation_at, p.policy
FROM account AS a LEFT JOIN account_plan AS p USING (account_id) WHERE a.state IS NOT NULL
"""


def test_no_account_is_left_behind_by_a_sweep(postgres: EmbeddedPostgres) -> None:
    """A3 and A6."""
    with asyncio.Runner() as runner:
        opened = engine_database(postgres.url)
        database = runner.run(opened.__aenter__())
        Sweeping.database, Sweeping.runner = database, runner
        try:
            run_state_machine_as_test(
                Sweeping, settings=settings(max_examples=10, stateful_step_count=20, deadline=None)
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))
    assert Sweeping.compared > 0
