"""How reading people's own calendars goes, in a line for each, from the scheduler's answer."""

from collections.abc import Mapping

from services.console.json_fields import Json, items, nested, number, text


def calendar_lines(document: Json) -> Mapping[str, str]:
    """By person, such as `Busy time: 212 entries of calendar.example.com, read 2026-03-02 09:14 UTC`."""
    return {text(each, "csm_id"): describe_calendar(each) for each in items(document, "items")}


def describe_calendar(calendar: Json) -> str:
    """What counts of a calendar, and what is wrong with it."""
    host = text(calendar, "url").removeprefix("https://").removesuffix("/****")
    read_at = _minute(text(calendar, "read_at"))
    known = f"{number(calendar, 'busy_times')} entries of {host}, read {read_at}" if read_at else f"of {host}"
    parts = [f"Busy time: {known}"]
    if left_out := number(calendar, "left_out"):
        parts.append(f"{left_out} events could not be read")
    problem = nested(calendar, "problem")
    if problem:
        parts.append(f"not read since {_minute(text(problem, 'since'))}: {text(problem, 'text')}")
        if kept_until := _minute(text(calendar, "kept_until")):
            parts.append(f"what is known counts until {kept_until}")
    elif not read_at:
        parts.append("not read yet")
    return "; ".join(parts)


def _minute(moment: str) -> str:
    """`2026-03-02T09:14:05Z` -> `2026-03-02 09:14 UTC`."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else ""
