"""`drumbeat policy`: check and test policy files, publish them, list and roll back versions."""
# ruff: noqa: FBT002 - flags of commands

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.cadence.lint import lint
from services.cadence.policy.json_schema import schema_text
from services.cadence.policy.load import PolicyRefused, file_name, load_policy
from services.cadence.testing.load import policy_and_tests, policy_beside, read_tests, texts_of_tests
from services.cadence.testing.report import outcome_document
from services.cadence.testing.runner import Outcome, run
from services.console import labels, policy_difference, policy_explain, policy_simulation
from services.console.client import connect
from services.console.json_fields import Json
from services.console.policy_explain import PolicyPath
from services.console.policy_pages.reference import policy_reference
from services.console.policy_pages.requirements import shipped_requirements
from services.console.terminal import AsJson, print_json, print_table, print_text

app = typer.Typer(
    no_args_is_help=True,
    help="Check, test, explain, compare and simulate policy files; publish, list and roll back versions of a deployment.",
)
_PUBLISH_SECONDS = 120.0  # its tests run first, and checks of others may run before them
app.add_typer(policy_explain.app)
app.add_typer(policy_difference.app)
app.add_typer(policy_simulation.app)
Author = Annotated[str | None, typer.Option(help="Who made the change; by default the owner of the API key.")]
Note = Annotated[str, typer.Option(help="The reason, shown in the list of versions.")]


@app.command("check")
def check_policy(path: PolicyPath, as_json: AsJson = False) -> None:
    """Validate and lint a policy. Exit code 1 on any error or warning."""
    try:
        policy = load_policy(path)
    except PolicyRefused as refused:
        if not as_json:
            raise
        print_json({"valid": False, "errors": refused.errors})
        raise typer.Exit(1) from refused
    findings = lint(policy)
    counts: Json = {"rules": len(policy.rules), "touchpoint_types": len(policy.catalogue)}
    if as_json:
        documents = [finding.document() for finding in findings]
        print_json({"valid": True, "hash": policy.hash, **counts, "findings": documents})
    else:
        for finding in findings:
            typer.echo(str(finding), err=True)
        warnings = (
            f", with {labels.count(len(findings), 'warning')} about likely mistakes" if findings else ""
        )
        print_text(
            f"{path}: valid{warnings}; {labels.count(len(policy.rules), 'rule')}, "
            f"{labels.count(len(policy.catalogue), 'touchpoint type')}, hash {policy.hash[:16]}"
        )
    if findings:
        raise typer.Exit(1)


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    typer.echo(schema_text(), nl=False)


@app.command("reference")
def print_reference() -> None:
    """Print the reference of policy files as Markdown: sections, keys, features, functions and findings."""
    typer.echo(policy_reference(), nl=False)


@app.command("requirements")
def print_requirements() -> None:
    """Print as Markdown which rules of the shipped policy meet which requirement, and the tests that show it."""
    typer.echo(shipped_requirements(), nl=False)


@app.command("test")
def run_policy_tests(
    path: Annotated[
        Path,
        typer.Argument(
            exists=True, metavar="PATH", help="A policy file, a flat folder of them, or a file of tests."
        ),
    ],
    policy_path: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="PATH",
            exists=True,
            help="Test this policy instead of the one beside the tests.",
        ),
    ] = None,
    only: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Only tests with this text in their name, or this requirement."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Run the policy tests (*_test.yaml) beside a policy. Exit code 1 when any fails."""
    policy = load_policy(policy_path or policy_beside(path))
    cases = [
        case
        for case in read_tests(texts_of_tests(path), policy)
        if only.casefold() in case.name.casefold() or only in case.shows
    ]
    if not cases:
        raise typer.BadParameter(
            f"no tests in {path}: they belong in files named *_test.yaml beside the policy"
        )
    outcomes = [run(policy, case) for case in cases]
    if as_json:
        print_json([outcome_document(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)
    if any(outcome.failures for outcome in outcomes):
        raise typer.Exit(1)


def _print_outcomes(outcomes: Sequence[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.failures]
    for outcome in failed:
        place = outcome.case.place
        print_text(f"{place.file}:{place.line}: {outcome.case.name}")
        for failure in outcome.failures:
            print_text(f"  {failure.place.file}:{failure.place.line}, at {failure.at:%Y-%m-%d %H:%M} UTC")
            print_text(f"    expected  {failure.expected}")
            print_text(f"    actual    {failure.came}")
            if failure.why:
                print_text(f"    because   {failure.why}")
    total = labels.count(len(outcomes), "test")
    print_text(f"{len(failed)} of {total} failed" if failed else f"{total} passed")


def files_of(path: Path) -> dict[str, str]:
    """The files of a version by name, with its content and its tests. Raises `typer.BadParameter`."""
    try:
        return {file_name(file): source for file, source in policy_and_tests(path).items()}
    except PolicyRefused as unreadable:
        raise typer.BadParameter(str(unreadable)) from unreadable


@app.command("publish")
def publish_policy(
    path: PolicyPath,
    note: Note = "",
    author: Author = None,
    based_on: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Refuse to publish when another version than this is in force."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Publish although tests of the policy fail; needs --note.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a policy in force in every service replica, once its tests (*_test.yaml) pass.

    Exit code 1 when it has errors or a test fails.
    """
    if force and not note.strip():
        raise typer.BadParameter("--force needs --note with the reason")
    body: Json = {"files": files_of(path), "name": path.name, "note": note, "author": author}
    body |= {"based_on": based_on} | ({"force": True} if force else {})
    with connect() as api:
        answer = api.send("PUT", "rules_engine", "/v1/policies/current", body, seconds=_PUBLISH_SECONDS)
    _print_version(answer, as_json=as_json)


@app.command("rollback")
def roll_back_policy(
    version: Annotated[int, typer.Argument(min=1, help="A version from `drumbeat policy list`.")],
    note: Note = "",
    author: Author = None,
    as_json: AsJson = False,
) -> None:
    """Put an earlier version in force again, as a new version."""
    body: Json = {"version": version, "note": note, "author": author}
    with connect() as api:
        _print_version(api.send("POST", "rules_engine", "/v1/policies/rollback", body), as_json=as_json)


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """List the versions, newest first, and how many accounts have not been evaluated under the current one."""
    with connect() as api:
        versions = list(api.list_all("rules_engine", "/v1/policies"))
        progress = api.get("rules_engine", "/v1/policies/progress")
    if as_json:
        print_json({"items": versions, "progress": progress})
        return
    columns = ("version", "in force", "published", "by", "from", "name", "hash", "why")
    print_table("Policies", columns, map(_version_row, versions))
    about = "about " if progress.get("estimated") else ""
    print_text(
        f"{about}{progress.get('behind')} of {progress.get('accounts')} accounts still to be evaluated"
    )


def _print_version(answer: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    state = "is in force" if answer.get("changed") else "was already in force; nothing changed"
    print_text(f"version {answer.get('version')} {state} ({answer.get('hash')})")


def _version_row(version: Json) -> tuple[object, ...]:
    return (
        version.get("version"),
        "yes" if version.get("in_force") else "",
        *(version.get(name) for name in ("published_at", "author", "origin", "name")),
        str(version.get("hash"))[:16],
        version.get("note"),
    )
