"""What is seen of one account at one moment: the values of the words, and what else a decision needs to know."""

from collections.abc import Mapping

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import Facts, Mark, Plain
from services.rules_engine.domain.terms import Standing
from services.rules_engine.domain.vocabulary.meetings import Meetings
from services.rules_engine.domain.vocabulary.usage import Spikes

_NO_WISHES: Mapping[str, int] = {}
_NO_MARKS: Mapping[str, Mark] = {}


class View:
    """`values` by word; `bases`: the moment each day-count counts from (or to), in microseconds.

    `turns`: moments at which a word turns by itself, day-counts apart. `rests`: the newest fact behind each word that
    was worked out here. `wishes`: how often contacts wish to hear from us, in days by topic, each with its mark in
    `wish_marks`. `paused_until`: when the account's pause ends, while it lasts; None: it has no end, or there is none.
    `meetings`: the touchpoint types that a customer attends or does not.
    """

    __slots__ = (
        "_attended",
        "bases",
        "book",
        "facts",
        "last_touch",
        "meetings",
        "now",
        "paused_until",
        "primary",
        "rests",
        "spikes",
        "standings",
        "turns",
        "values",
        "wish_marks",
        "wishes",
    )

    def __init__(
        self, now: int, values: dict[str, Plain], facts: Facts, book: Book, meetings: frozenset[str]
    ) -> None:
        self.now = now
        self.values = values
        self.facts = facts
        self.book = book
        self.meetings = meetings
        self.spikes = Spikes(facts.entries.get("usage.reported", {}))
        self.bases: dict[str, int] = {}
        self.turns: list[int] = []
        self.rests: dict[str, Mark] = {}
        self.last_touch: dict[str | None, tuple[int, Mark]] = {}
        self.standings: list[Standing] = []
        self.primary: Standing | None = None
        self.wishes: Mapping[str, int] = _NO_WISHES
        self.wish_marks: Mapping[str, Mark] = _NO_MARKS
        self.paused_until: int | None = None
        self._attended: Meetings | None = None

    def rest(self, name: str, value: Plain, mark: Mark | None) -> None:
        """Give a word its value, and the newest fact behind it."""
        self.values[name] = value
        if mark is not None:
            self.rests[name] = mark

    def count(self, name: str, base: int, mark: Mark) -> None:
        """Let a word count the days since `base`."""
        self.bases[name] = base
        self.rests[name] = mark

    def attended(self) -> Meetings:
        """How calls and meetings ended, read once."""
        if self._attended is None:
            self._attended = Meetings(self.facts.entries.get("touchpoint.settled", {}), self.meetings)
        return self._attended
