"""The events of one request on their way into Kafka, each with what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from schemas.envelope import Envelope
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import JSON
from services.rules_engine.entrypoints.event_scopes import missing_scope


@dataclass(slots=True)
class Item:
    """One event of a request on its way: refused with a problem, or an envelope to be sent."""

    index: int
    source: str | None = None
    id: str | None = None
    envelope: Envelope | None = None
    problem: str | None = None
    status: str = "accepted"
    warnings: Sequence[str] = ()
    is_forbidden: bool = False

    def result(self) -> dict[str, object]:
        result: dict[str, object] = {
            "index": self.index,
            "source": self.source,
            "id": self.id,
            "status": self.status,
        }
        if self.problem:
            result["problem"] = self.problem
        if self.warnings:
            result["warnings"] = self.warnings
        return result


def within(items: list[Item], key: ApiKey) -> list[Item]:
    """The same items; those beyond the scopes of the key are refused."""
    for item in items:
        problem = missing_scope(item.envelope.type, key) if item.envelope else None
        if problem:
            item.status, item.problem, item.envelope, item.is_forbidden = "refused", problem, None, True
    return items


def answer_of(items: Sequence[Item], headers: Mapping[str, str]) -> Response:
    """The answer to a request with these events. Raises a `Problem` when none was accepted."""
    statuses = {item.status for item in items}
    results = [item.result() for item in items]
    if "accepted" in statuses:
        return JSON({"results": results}, 202 if statuses == {"accepted"} else 207, headers)
    if "unknown" in statuses:
        late = "The broker did not acknowledge in time. Send the events again, with the same ids."
        raise Problem(503, late, headers={"Retry-After": "5"}, results=results)
    status = 403 if all(item.is_forbidden for item in items) else 422
    raise Problem(status, "No event was accepted; `results` says why.", results=results)
