"""Plans in a form that only their meaning decides: equal plans read equal, whoever wrote them and however tersely.

A writer may leave out what is null, false or an empty list, or write it down; may write 30 or 30.0, a time as text or as
a `datetime`, in UTC or with an offset. None of that is a difference. Which policy a reason names is none either: its hash
changes with any word in it. Everything else is kept, order of lists included. Standard library only.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

_SPACED_PERCENT = re.compile(r"(?<=\d) %")
"""Texts once had a space before the percent sign."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)

Stop = tuple[str, str, str, datetime | None, str]
"""What was not granted: touchpoint type, rule, cause, until when, by which rule, limit or season."""


def normalised(value: Any) -> Any:
    """A document, or a part of one, reduced to what it says. Normalising twice changes nothing."""
    match value:
        case Mapping():
            return _members(cast("Mapping[str, Any]", value))
        case list() | tuple():
            return [normalised(each) for each in cast("Sequence[Any]", value)]
        case datetime():
            return timestamp(value)
        case str() if _TIME.fullmatch(value):
            return timestamp(datetime.fromisoformat(value))
        case str():
            return _SPACED_PERCENT.sub("%", value)
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _members(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in value.items():
        told = normalised(member)
        if name == "reason" and isinstance(told, dict):
            cast("dict[str, Any]", told).pop("policy", None)
        if told is not None and told is not False and told != []:
            found[name] = told
    return found


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`; a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat()[:-6] + "Z"


def state(
    *,
    segment: str,
    stage: str,
    color: str | None,
    next_evaluation_at: datetime | None,
    suppressed: Iterable[Stop],
    plan: Mapping[str, Any],
) -> dict[str, Any]:
    """All that was decided of an account at a moment. Why something was stopped is in words, and may be reworded."""
    return normalised(
        {
            "segment": segment,
            "stage": stage,
            "color": color,
            "next_evaluation_at": next_evaluation_at,
            "suppressed": list(suppressed),
            "plan": plan,
        }
    )


def canonical(value: Any) -> str:
    """One text for one meaning: sorted keys, no white space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def fingerprint(value: Any) -> str:
    """Equal exactly when what was decided is equal: blake2b-128 of the canonical JSON, in hexadecimal."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=16).hexdigest()
