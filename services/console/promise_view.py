"""How many promises people kept, from the scheduler's adherence."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.console.json_fields import Json, items, number, text
from services.console.people import Person, person_name

NOBODY = "Nobody"


@dataclass(frozen=True, slots=True)
class AdherenceLine:
    """A person's promises. `share`: `96 %` of those with an end, empty where none has ended."""

    name: str
    kept: int
    breached: int
    unsettled: int
    at_risk: int
    share: str


def adherence_lines(adherence: Json, people: Mapping[str, Person]) -> list[AdherenceLine]:
    """By name, those without a person last."""
    rows = items(adherence, "rows")
    lines = [(not text(row, "key"), _line(row, people)) for row in rows]
    return [line for _, line in sorted(lines, key=lambda pair: (pair[0], pair[1].name.casefold()))]


def _line(row: Json, people: Mapping[str, Person]) -> AdherenceLine:
    key, share = text(row, "key"), row.get("adherence")
    return AdherenceLine(
        person_name(key, people) if key else NOBODY,
        number(row, "kept"),
        number(row, "breached"),
        number(row, "unsettled"),
        number(row, "at_risk"),
        f"{100 * share:.0f} %" if isinstance(share, int | float) else "",
    )
