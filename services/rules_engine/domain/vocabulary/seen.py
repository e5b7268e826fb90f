"""What is seen of one account at one moment: the values of the words, and what else a decision needs to know."""

from dataclasses import dataclass, field

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import Facts, Mark, Plain
from services.rules_engine.domain.terms import Standing
from services.rules_engine.domain.vocabulary.meetings import Meetings
from services.rules_engine.domain.vocabulary.usage import Spikes


@dataclass(slots=True)
class View:
    """`values` by word; `bases`: the moment each day-count counts from (or to), in microseconds.

    `rests`: the newest fact behind each word that was worked out here. `wishes`: how often contacts wish to hear
    from us, in days by topic, each with its mark in `wish_marks`.
    """

    now: int
    values: dict[str, Plain]
    spikes: Spikes
    facts: Facts
    book: Book
    meetings: frozenset[str]
    """Touchpoint types that a customer attends or does not."""
    bases: dict[str, int] = field(default_factory=dict[str, int])
    standings: list[Standing] = field(default_factory=list[Standing])
    primary: Standing | None = None
    last_touch: dict[str | None, tuple[int, Mark]] = field(default_factory=dict[str | None, tuple[int, Mark]])
    turns: list[int] = field(default_factory=list[int])
    """Moments at which a word turns by itself, day-counts apart."""
    rests: dict[str, Mark] = field(default_factory=dict[str, Mark])
    wishes: dict[str, int] = field(default_factory=dict[str, int])
    wish_marks: dict[str, Mark] = field(default_factory=dict[str, Mark])
    paused_until: int | None = None
    """When the account's pause ends, while it lasts; None: it has no end, or there is none."""
    attendance: Meetings | None = None

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
        if self.attendance is None:
            self.attendance = Meetings(self.facts.entries.get("touchpoint.settled", {}), self.meetings)
        return self.attendance
