"""The answer to events that were sent: what became of each, and when to go on."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from services.console.json_fields import Json, items


@dataclass(frozen=True, slots=True)
class PostedEvents:
    """`results`: of the first events, where an error ended the request before the others.

    `reason`: of an error; `retry_after_seconds`: None where the answer does not say when to try again.
    """

    status: int
    results: list[Json]
    reason: str
    retry_after_seconds: float | None


def read_posted(status: int, document: Json, retry_after: str | None, now: datetime) -> PostedEvents:
    """`document`: the body; `retry_after`: the value of the header; `now`: real time."""
    reason = (
        str(document.get("detail") or document.get("title") or "no reason given") if status >= 400 else ""
    )
    return PostedEvents(status, items(document, "results"), reason, retry_after_seconds(retry_after, now))


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The value of `Retry-After`, seconds or a date (RFC 9110, section 10.2.3); None for neither."""
    if value is None or value.strip().isdecimal():
        return None if value is None else float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo else None
