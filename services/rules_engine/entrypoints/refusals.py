"""HTTP: what the application refuses, as problem documents."""

import re
from typing import NamedTuple

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.cadence.account.codec import UnreadableState
from services.cadence.policy.load import PolicyRefused
from services.chassis.problems import Problem, problem_response
from services.chassis.worker_process import JobTooLarge, WorkerBusy
from services.rules_engine.application.publish_policy import StalePolicy
from services.rules_engine.application.queries import NotFound

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
    for kind in (NotFound, PolicyRefused, StalePolicy, UnreadableState, WorkerBusy, JobTooLarge):
        app.add_exception_handler(kind, _on_refusal)


async def _on_refusal(_: Request, refused: Exception) -> Response:
    match refused:
        case PolicyRefused():
            problem = invalid_policy(refused)
        case StalePolicy():
            problem = Problem(409, str(refused), in_force=refused.in_force, version=refused.version)
        case WorkerBusy():
            problem = Problem(429, str(refused), headers={"Retry-After": str(refused.retry_after)})
        case JobTooLarge():
            problem = Problem(422, f"The policy cannot be checked: {refused}. Make it smaller or simpler.")
        case UnreadableState():
            problem = Problem(409, str(refused))
        case NotFound(merged_into=str(stays)):
            problem = Problem(404, str(refused), merged_into=stays)
        case _:
            problem = Problem(404, str(refused))
    return problem_response(problem)


def invalid_policy(refused: PolicyRefused) -> Problem:
    """All mistakes at once: as text, and one by one in `errors`."""
    mistakes = [mistake(error) for error in refused.errors]
    head = [f"The policy has {len(mistakes)} mistakes:"] if len(mistakes) > 1 else []
    detail = "\n".join([*head, *map(str, mistakes)]).strip()
    return Problem(422, detail[:20_000], errors=[each._asdict() for each in mistakes])


def mistake(error: str) -> Mistake:
    """`file:line:column: where: what` taken apart."""
    placed = _PLACED.fullmatch(error)
    if placed is None:
        return Mistake("", 1, 1, "", error)
    message = placed["message"]
    where = _WHERE.fullmatch(message)
    place = (placed["file"], int(placed["line"]), int(placed["column"]))
    return Mistake(*place, where[1], where[2]) if where else Mistake(*place, "", message)
