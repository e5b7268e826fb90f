"""Protected touchpoints for which their person's weeks have no room: they are not given up, a person has to decide."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from services.calendar.escalation import Difficulty, Problem, name_person, name_type
from services.calendar.open_hours import to_wall
from services.calendar.person_book import PersonBook
from services.calendar.person_relief import TouchRelief


def describe_shortages(book: PersonBook, escalated: Iterable[TouchRelief]) -> list[Difficulty]:
    """One for each account and month, so that full weeks are one matter and not twenty."""
    in_order = sorted(
        escalated, key=lambda each: (_key(book, each), each.touch.target_at, each.touch.type, each.touch.id)
    )
    return [
        _describe(book, key, list(group)) for key, group in groupby(in_order, lambda each: _key(book, each))
    ]


def _key(book: PersonBook, each: TouchRelief) -> tuple[str, str]:
    return each.touch.account_id, to_wall(each.touch.target_at, book.hours.zone).strftime("%Y-%m")


def _describe(book: PersonBook, key: tuple[str, str], group: Sequence[TouchRelief]) -> Difficulty:
    account_id, month = key
    names = " and ".join(sorted({name_type(each.touch.type) for each in group}))
    reasons = " ".join(f"The {name_type(each.touch.type)} has {each.reason}." for each in group)
    text = (
        f"No room is left for {len(group)} of type {names}: the weeks of {name_person(book.csm_id, book.hours)} are "
        f"full, and what is protected is not given up. {reasons} "
        "What helps: a colleague leads one of them, more hours in these weeks, or a later date."
    )
    return Difficulty(
        Problem.NO_ROOM,
        account_id,
        f"{book.csm_id}/room/{month}",
        book.csm_id,
        min(each.touch.target_at for each in group),
        f"Find room for the {names}",
        text,
    )
