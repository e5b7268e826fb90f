"""The shipped policy does what its own tests say, each of them a test here."""

from functools import cache

import pytest

from services.rules_engine.adapters.policy_files import SHIPPED
from services.rules_engine.adapters.policy_tests import read_tests, texts_of_tests
from services.rules_engine.application.policy_tests import Case, Outcome, run
from services.rules_engine.domain.policy import Touchpoint
from services.rules_engine.domain.vocabulary.registry import TOUCHPOINT_TYPES
from services.rules_engine.entrypoints.translate import told
from tests.unit.rules_engine.given import shipped


@cache
def cases() -> tuple[Case, ...]:
    return read_tests(texts_of_tests(SHIPPED), shipped(), told)


@cache
def outcomes() -> tuple[Outcome, ...]:
    return tuple(run(shipped(), case) for case in cases())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_shipped_policy(case: Case) -> None:
    assert run(shipped(), case).failures == ()


def test_no_two_policy_tests_have_the_same_sentence() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))


def test_the_catalogue_has_every_touchpoint_of_the_contract_each_with_an_aim_and_an_outcome() -> None:
    held = shipped().catalogue
    assert set(TOUCHPOINT_TYPES) <= set(held)

    def empty(each: Touchpoint) -> bool:
        return not (each.purpose and each.aim and each.expects)

    assert [each.type for each in held.values() if empty(each)] == []
