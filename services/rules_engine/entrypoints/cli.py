"""A hand knocks: policy tools that work on files alone. Exit code 0 when all is well, 1 on findings, 2 on wrong use."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.rules_engine.application.policy_tests import Case, run
from services.rules_engine.domain.lint import lint
from services.rules_engine.domain.policy import Policy
from services.rules_engine.entrypoints.results import report

Pages = Mapping[str, Callable[[], str]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What the commands work with. Whatever reads files raises `refused`; `pages` are about policies in general."""

    refused: type[Exception]
    pages: Pages
    load: Callable[[Path], Policy]
    tests: Callable[[Path, Policy], tuple[Case, ...]]
    policy_of: Callable[[Path], Path]
    """Where the policy lies that the tests at a path are about."""


def policy(words: Sequence[str], tools: Tools) -> int:
    """Run one command and answer its exit code."""
    if len(words) == 1 and words[0] in tools.pages:
        sys.stdout.write(tools.pages[words[0]]())
        return 0
    try:
        asked = _parser().parse_args(words)
    except SystemExit as wrong_use:
        return wrong_use.code if isinstance(wrong_use.code, int) else 2
    try:
        return _COMMANDS[asked.command](asked, tools)
    except tools.refused as found:
        sys.stderr.write(f"{found}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drumbeat policy", description="Policy tools that work on files alone."
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
    return parser


def _check(asked: argparse.Namespace, tools: Tools) -> int:
    found = tools.load(asked.path)
    rules, kinds = len(found.rules), len(found.catalogue)
    findings = lint(found)
    for each in findings:
        sys.stderr.write(f"{each}\n")
    said = f"findings: {len(findings)}; " if findings else ""
    sys.stdout.write(
        f"{asked.path}: sound: {said}{rules} rules, {kinds} kinds of touchpoint, hash {found.hash[:16]}\n"
    )
    return 1 if findings else 0


def _test(asked: argparse.Namespace, tools: Tools) -> int:
    held = tools.load(asked.policy or tools.policy_of(asked.path))
    wanted = [case for case in tools.tests(asked.path, held) if _asked_for(case, asked.only)]
    if not wanted:
        sys.stderr.write(
            f"{asked.path}: no tests here; they stand in files named *_test.yaml beside the policy\n"
        )
        return 2
    return report([run(held, case) for case in wanted], as_json=asked.json)


def _asked_for(case: Case, text: str) -> bool:
    return text.casefold() in case.name.casefold() or text in case.shows


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Tools], int]] = {"check": _check, "test": _test}
