"""A hand knocks: policy tools that work on files alone. Exit code 0 when all is well, 1 on findings, 2 on wrong use."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from services.cadence.account.event_file import FactsRefused
from services.cadence.lint import lint
from services.cadence.policy.load import PolicyRefused, load_policy
from services.cadence.testing.load import policy_beside, read_tests, texts_of_tests
from services.cadence.testing.runner import Case, run
from services.console import policy_explain
from services.console.policy_results import report


def policy(words: Sequence[str]) -> int:
    """Run one policy command on files and return its exit code."""
    try:
        asked = _parser().parse_args(words)
    except SystemExit as wrong_use:
        return wrong_use.code if isinstance(wrong_use.code, int) else 2
    absent = [each for each in vars(asked).values() if isinstance(each, Path) and not each.exists()]
    if absent:
        sys.stderr.write("".join(f"{each}: there is no such file or folder\n" for each in absent))
        return 2
    try:
        return _COMMANDS[asked.command](asked)
    except (PolicyRefused, FactsRefused) as found:
        sys.stderr.write(f"{found}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drumbeat policy",
        description="Policy tools that work on files alone.",
        epilog="On a deployment: drumbeat policy publish PATH, rollback VERSION, list.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    where = "a policy file, or a flat folder of them"
    check = commands.add_parser("check", help="is the policy sound, and meant so? all mistakes and findings")
    check.add_argument("path", type=Path, metavar="PATH", help=where)
    test = commands.add_parser("test", help="run the policy's own tests (*_test.yaml)")
    test.add_argument("path", type=Path, metavar="PATH", help=f"{where}, or one file of tests")
    test.add_argument("--policy", type=Path, help="test this policy instead of the one beside the tests")
    test.add_argument(
        "--only", default="", metavar="TEXT", help="only tests whose sentence or numbers hold this"
    )
    test.add_argument("--json", action="store_true", help="the results, for programs")
    why = commands.add_parser("explain", help="the plan of an account with its reasons; why, or why not")
    why.add_argument("path", type=Path, metavar="PATH", help=where)
    _with_facts(why)
    why.add_argument("--account", required=True, metavar="ID")
    about = why.add_mutually_exclusive_group()
    about.add_argument("--rule", metavar="RULE", help="why this rule fires, or does not")
    about.add_argument("--touchpoint", metavar="TYPE", help="why this touchpoint is planned, or is not")
    other = commands.add_parser(
        "diff", help="what another policy changes: for whom, how often, how much time"
    )
    other.add_argument("path", type=Path, metavar="OLD", help=where)
    other.add_argument("new", type=Path, metavar="NEW", help=where)
    _with_facts(other)
    other.add_argument("--days", type=_days, default=90, help="how far ahead is counted (90)")
    other.add_argument("--all", action="store_true", help="every account that changes, not only the first")
    return parser


def _with_facts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--facts", type=Path, required=True, metavar="FILE", help="events, as `events post` takes them"
    )
    parser.add_argument(
        "--at", type=_moment, metavar="TIME", help="as of then, with a zone; left out: the newest event"
    )
    parser.add_argument("--json", action="store_true", help="the document, for programs")


def _moment(said: str) -> datetime:
    try:
        at = datetime.fromisoformat(said)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{said} is no time; write it as 2026-03-02T09:00:00Z") from wrong
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{said} has no zone; write it as 2026-03-02T09:00:00Z")
    return at.astimezone(UTC)


def _days(said: str) -> int:
    if not said.isdecimal() or not 1 <= int(said) <= 3650:
        raise argparse.ArgumentTypeError(f"{said}: 1 to 3650 days")
    return int(said)


def _check(asked: argparse.Namespace) -> int:
    found = load_policy(asked.path)
    rules, kinds = len(found.rules), len(found.catalogue)
    findings = lint(found)
    for each in findings:
        sys.stderr.write(f"{each}\n")
    said = f"findings: {len(findings)}; " if findings else ""
    sys.stdout.write(
        f"{asked.path}: sound: {said}{rules} rules, {kinds} kinds of touchpoint, hash {found.hash[:16]}\n"
    )
    return 1 if findings else 0


def _test(asked: argparse.Namespace) -> int:
    held = load_policy(asked.policy or policy_beside(asked.path))
    wanted = [
        case
        for case in read_tests(texts_of_tests(asked.path), held)
        if _asked_for(case, asked.only)
    ]
    if not wanted:
        sys.stderr.write(
            f"{asked.path}: no tests here; they stand in files named *_test.yaml beside the policy\n"
        )
        return 2
    return report([run(held, case) for case in wanted], as_json=asked.json)


def _asked_for(case: Case, text: str) -> bool:
    return text.casefold() in case.name.casefold() or text in case.shows


def _explain(asked: argparse.Namespace) -> int:
    return policy_explain.explain(asked, load_policy(asked.path))


def _diff(asked: argparse.Namespace) -> int:
    return policy_explain.diff(asked, load_policy(asked.path), load_policy(asked.new))


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "test": _test,
    "explain": _explain,
    "diff": _diff,
}
