"""Run the tests of a version, and what they found as a document."""

from collections.abc import Mapping

from services.cadence.policy import Policy
from services.cadence.policy.load import is_test
from services.cadence.testing.load import read_tests
from services.cadence.testing.runner import Outcome, run


def run_own_tests(policy: Policy, files: Mapping[str, str]) -> list[Outcome]:
    """The outcomes of the tests among the files of a policy, in order. Raises `PolicyRefused` for tests with mistakes."""
    texts = {name: text for name, text in files.items() if is_test(name)}
    return [run(policy, case) for case in read_tests(texts, policy)]


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """One test with its place, and each failure with its own place, what was expected, what came and why."""
    case = outcome.case
    return {
        "test": case.name,
        "file": case.place.file,
        "line": case.place.line,
        "shows": case.shows,
        "passed": not outcome.failures,
        "rules": sorted(outcome.rules),
        "failures": [
            {
                "file": failure.place.file,
                "line": failure.place.line,
                **{name: getattr(failure, name) for name in ("at", "expected", "came", "why")},
            }
            for failure in outcome.failures
        ],
    }
