"""An evaluation that fails marks its account undecided, and an older policy never undoes what a newer one decided."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from services.rules_engine.application.replan_account import mark_undecided, replan_account
from services.rules_engine.domain.account import Account, Clocks, EvaluationContext
from tests.unit.cadence.events import HOUR, NOW, facts_after, make_event, shipped

RETRY = timedelta(minutes=1)
CONTEXT = EvaluationContext(shipped(), Portfolio(generation=3), 3, publish=True, retry_after=RETRY)
CLOCKS = Clocks(NOW, NOW)


def acme() -> AccountState:
    return AccountState(facts_after([make_event("health.scored", NOW - HOUR, score=20)]), Issued())


def test_a_failed_evaluation_marks_the_account_undecided_until_a_later_one_succeeds() -> None:
    account = Account("acme")
    broken = replace(CONTEXT, policy=cast("Policy", object()))

    assert replan_account(account, acme(), broken, CLOCKS, ()) is None
    assert account.undecided is not None
    assert account.undecided.startswith("AttributeError: ")
    assert account.next_evaluation_at == NOW + RETRY
    assert account.plan_key is None

    new_plan = replan_account(account, acme(), CONTEXT, CLOCKS, ())
    assert new_plan is not None
    assert account.undecided is None
    assert account.plan_key == new_plan.decision.key


def test_a_decision_of_a_later_generation_is_left_to_a_replica_of_that_generation() -> None:
    account = Account("acme", decided_under=5)

    assert replan_account(account, acme(), CONTEXT, CLOCKS, ()) is None
    assert (account.decided_under, account.plan_key) == (-5, None)

    later = replace(CONTEXT, generation=5)
    assert replan_account(account, acme(), later, CLOCKS, ()) is not None
    assert account.decided_under == 5


def test_an_unchanged_plan_is_recorded_once() -> None:
    account = Account("acme")

    assert replan_account(account, acme(), CONTEXT, CLOCKS, ()) is not None
    version = account.version
    assert replan_account(account, acme(), CONTEXT, CLOCKS, ()) is None
    assert account.version == version


def test_a_failure_under_an_older_policy_leaves_the_decision_of_a_later_generation() -> None:
    account = Account("acme", decided_under=5)
    mark_undecided(account, ValueError("no"), CONTEXT, CLOCKS)

    assert (account.decided_under, account.undecided, account.next_evaluation_at) == (-5, None, None)
