"""The book without a database: programs as they were announced in a file, and ranks of the accounts in it."""

from collections.abc import Iterable, Sequence
from statistics import quantiles

import orjson

from services.rules_engine.adapters.programs import announced
from services.rules_engine.domain.book import Book, Program
from services.rules_engine.domain.codec import Belief
from services.rules_engine.domain.facts import FactEvent, Fields, Held, mark_of, moment, settle
from services.rules_engine.domain.vocabulary.view import view

_REVENUE = frozenset({"arr"})
_CUT_OFFS = 100


def offline_book(announcements: Sequence[FactEvent], beliefs: Iterable[Belief]) -> Book:
    """What concerns many accounts, by the same law as in the database: the latest word wins."""
    held: dict[str, Held] = {}
    for event in announcements:
        said: Fields = {
            name: orjson.dumps(value, default=str).decode() for name, value in event.fields.items()
        }
        settle(held.setdefault(str(event.fields["program_id"]), {}), mark_of(event.stamp), said)
    found = [announced(key, orjson.dumps(held[key])) for key in sorted(held)]
    programs: tuple[Program, ...] = tuple(each.program for each in found if each.error is None)
    return Book(0, _ranks(beliefs), programs)


def _ranks(beliefs: Iterable[Belief]) -> tuple[float, ...]:
    revenues: list[float] = []
    for facts, _ in beliefs:
        revenue = view(facts, Book(), moment(0), _REVENUE).values["arr"]
        if isinstance(revenue, int | float):
            revenues.append(float(revenue))
    if len(revenues) < 2:
        return ()
    return tuple(quantiles(revenues, n=_CUT_OFFS, method="inclusive"))
