"""What the worker process does with policies: load, lint and compare them. It has no database; rows are arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.cadence.account.codec import UnreadableState, decode
from services.cadence.announcements import portfolio_of_rows
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.lint import lint
from services.cadence.policy.load import PolicyRefused, load_policy_texts
from services.cadence.rates import Rates
from services.cadence.testing.report import outcome_document, run_own_tests
from services.rules_engine.application.publish_policy import TestReport

_ADVICE: Final = (
    "correct the policy or its tests; `drumbeat policy test` says what was expected and what came"
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison begins with. `hash`: of the policy in force; `programs`: rows of id and state."""

    hash: str
    in_force: Mapping[str, str]
    files: Mapping[str, str]
    now: datetime
    days: int
    percentiles: tuple[float, ...]
    programs: Sequence[tuple[str, bytes]]
    rates: Rates


class _Comparison:
    """The comparison that is under way: it grows by batches of accounts."""

    def __init__(self, wanted: Compared) -> None:
        in_force = replace(load_policy_texts(wanted.in_force, is_stored=True), hash=wanted.hash)
        period = Period(wanted.now, wanted.days)
        self.found = Difference(in_force, load_policy_texts(wanted.files), period)
        self.portfolio = portfolio_of_rows(wanted.percentiles, wanted.programs, wanted.rates)


_comparisons: Final[list[_Comparison]] = []


def test(files: Mapping[str, str]) -> TestReport:
    """Load a policy and run the tests among its files. Raises `PolicyRefused` when it is no valid policy."""
    policy = load_policy_texts(files)
    try:
        documents = [outcome_document(outcome) for outcome in run_own_tests(policy, files)]
    except PolicyRefused as refused:
        return TestReport(0, mistakes=refused.errors)
    return TestReport(len(documents), [document for document in documents if not document["passed"]])


def check_own_tests(files: Mapping[str, str]) -> None:
    """Run the tests among the files of a valid policy. Raises `PolicyRefused` when one fails or cannot be read."""
    report = test(files)
    if report.summary:
        failed = [f"{each['file']}:{each['line']}: the test {each['test']!r} fails" for each in report.failed]
        raise PolicyRefused([*(report.mistakes or failed), f"{report.summary}: {_ADVICE}"])


def check(files: Mapping[str, str], *, is_stored: bool = False) -> dict[str, object]:
    """The hash of a valid policy, the number of its rules, and what the linter warns of. Raises `PolicyRefused`."""
    policy = load_policy_texts(files, is_stored=is_stored)
    findings = [finding.document() for finding in lint(policy)]
    return {"hash": policy.hash, "rules": len(policy.rules), "findings": findings}


def begin_comparison(wanted: Compared) -> None:
    """Raises `PolicyRefused`."""
    _comparisons[:] = [_Comparison(wanted)]


def compare_accounts(rows: Sequence[tuple[str, bytes]]) -> int:
    """Evaluate these accounts (id, state) under both policies. Returns how many were compared so far."""
    comparison = _comparisons[0]
    for account_id, state in rows:
        try:
            account_state = decode(account_id, state)
        except UnreadableState:
            comparison.found.compared += 1
            comparison.found.undecided += 1
            continue
        comparison.found.compare(account_state, comparison.portfolio)
    return comparison.found.compared


def finish_comparison() -> dict[str, object]:
    """The document of the difference."""
    return _comparisons.pop().found.document()
