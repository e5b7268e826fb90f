"""Refusals of one kind as one line: how many, and an example. Thousands of equal ones are not thousands of lines."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from services.console.json_fields import Json, nested, number, text

# What differs between refusals of one kind: values in quotes, numbers, dates.
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\d[\d.,:TZ+-]*")


@dataclass(slots=True)
class RefusalGroup:
    """Refusals of one kind. `position`: of the example in the file, from 1; `id` and `problem`: its own."""

    count: int
    position: int
    id: str
    status: str
    problem: str


class RefusalGroups:
    """Grows by one refusal at a time; groups are in the order of their first refusal."""

    def __init__(self, stored: Iterable[Mapping[str, object]] = ()) -> None:
        """`stored`: what `documents` returned in an earlier run."""
        self._groups: dict[tuple[str, str], RefusalGroup] = {}
        for document in map(dict, stored):
            names = (text(document, name) for name in ("id", "status", "problem"))
            group = RefusalGroup(number(document, "count"), number(document, "position"), *names)
            self._groups[_kind(group.status, group.problem)] = group

    def add(self, result: Json, position: int) -> None:
        """`result`: of an event that was not accepted, as the API answers it."""
        problem = text(nested(result, "problem"), "detail") or text(result, "problem")
        status = text(result, "status")
        group = self._groups.get(_kind(status, problem))
        if group is None:
            self._groups[_kind(status, problem)] = RefusalGroup(
                1, position, text(result, "id"), status, problem
            )
        else:
            group.count += 1

    @property
    def count(self) -> int:
        return sum(group.count for group in self._groups.values())

    def documents(self) -> list[Json]:
        return [asdict(group) for group in self._groups.values()]

    def rows(self) -> list[tuple[object, ...]]:
        """For a table: how many, the position and id of the example, status, problem; the most frequent first."""
        groups = sorted(self._groups.values(), key=lambda group: -group.count)
        return [(group.count, group.position, group.id, group.status, group.problem) for group in groups]


def _kind(status: str, problem: str) -> tuple[str, str]:
    return status, _VALUES.sub("…", problem)
