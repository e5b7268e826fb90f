"""HTTP: what the application refuses, as problem documents."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.cadence.account.codec import UnreadableState
from services.cadence.policy.load import PolicyRefused
from services.chassis.compute_budget import ComputeBudgetSpent
from services.chassis.problems import Problem, problem_response
from services.chassis.worker_process import JobTooLarge, WorkerBusy
from services.rules_engine.application.publish_policy import (
    NoteMissing,
    SchedulerAway,
    StalePolicy,
    TestsFailed,
)
from services.rules_engine.application.queries import NotFound

MOST_FAILURES: Final = 50
STATUSES: Final[Mapping[type[Exception], int]] = {NoteMissing: 422}
"""Of refusals that are nothing but their text; of others 404."""
_PLACED = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)
_WHERE = re.compile(r"([a-z][\w.\[\]/-]*): (.*)", re.DOTALL)


class Mistake(NamedTuple):
    """An error in a policy and its place; line and column count from 1. `where`: rule and key, "" when unknown."""

    file: str
    line: int
    column: int
    where: str
    message: str

    def __str__(self) -> str:
        """Without a place when it is about all files together."""
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.file else self.message


def install(app: FastAPI) -> None:
    """Answer every refusal of the application, whatever route it comes from."""
    for kind in (
        NotFound,
        PolicyRefused,
        StalePolicy,
        UnreadableState,
        WorkerBusy,
        ComputeBudgetSpent,
        JobTooLarge,
        TestsFailed,
        NoteMissing,
        SchedulerAway,
    ):
        app.add_exception_handler(kind, _on_refusal)


async def _on_refusal(_: Request, refused: Exception) -> Response:
    match refused:
        case StalePolicy():
            current, version = refused.in_force, refused.version
            problem = Problem(409, str(refused), title="Stale version", in_force=current, version=version)
        case PolicyRefused() | TestsFailed():
            problem = failed_tests(refused) if isinstance(refused, TestsFailed) else invalid_policy(refused)
        case WorkerBusy() | ComputeBudgetSpent():
            problem = Problem(429, str(refused), headers={"Retry-After": str(refused.retry_after)})
        case JobTooLarge() | SchedulerAway():
            problem = _not_checked(refused)
        case UnreadableState():
            problem = Problem(409, str(refused), title="Unreadable account")
        case NotFound(merged_into=str(stays)):
            problem = Problem(404, str(refused), merged_into=stays)
        case _:
            problem = Problem(STATUSES.get(type(refused), 404), str(refused))
    return problem_response(problem)


def _not_checked(refused: JobTooLarge | SchedulerAway) -> Problem:
    if isinstance(refused, SchedulerAway):
        return Problem(503, f"There is no calendar to begin with: {refused}.", headers={"Retry-After": "5"})
    return Problem(
        422, f"The policy cannot be checked: {refused}. Make it smaller or simpler, or simulate fewer days."
    )


def invalid_policy(refused: PolicyRefused) -> Problem:
    """All mistakes at once: as text, and one by one in `errors`."""
    mistakes = [mistake(error) for error in refused.errors]
    head = [f"The policy has {len(mistakes)} mistakes:"] if len(mistakes) > 1 else []
    detail = "\n".join([*head, *map(str, mistakes)]).strip()
    return Problem(422, detail[:20_000], errors=[each._asdict() for each in mistakes])


def failed_tests(refused: TestsFailed) -> Problem:
    """Each failure with its place, as a mistake; at most so many that people read them."""
    report = refused.report
    mistakes = [
        Mistake(str(failure["file"]), cast("int", failure["line"]), 1, str(test["test"]), _failure(failure))
        for test in report.failed
        for failure in cast("list[dict[str, object]]", test["failures"])
    ]
    shown = [f"{each.file}:{each.line}: {each.where}: {each.message}" for each in mistakes[:MOST_FAILURES]]
    more = f"and {len(mistakes) - MOST_FAILURES} more" if len(mistakes) > MOST_FAILURES else ""
    detail = "\n".join(filter(None, [str(refused), *shown, more]))
    errors = [each._asdict() for each in mistakes[:MOST_FAILURES]]
    tests = {"run": report.run, "failed": len(report.failed)}
    return Problem(422, detail[:20_000], errors=errors, tests=tests)


def _failure(failure: dict[str, object]) -> str:
    because = f"; because {failure['why']}" if failure["why"] else ""
    return f"expected {failure['expected']}; actual {failure['came']}{because}"


def mistake(error: str) -> Mistake:
    """`file:line:column: where: what` taken apart."""
    placed = _PLACED.fullmatch(error)
    if placed is None:
        return Mistake("", 1, 1, "", error)
    message = placed["message"]
    where = _WHERE.fullmatch(message)
    place = (placed["file"], int(placed["line"]), int(placed["column"]))
    return Mistake(*place, where[1], where[2]) if where else Mistake(*place, "", message)
