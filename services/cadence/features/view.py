"""What is seen of one account at one moment: the values of the words, and what else a decision needs to know."""

from collections.abc import Mapping

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.account.contract_terms import Standing
from services.cadence.features.attendance import Meetings
from services.cadence.features.usage import Spikes
from services.cadence.portfolio import Portfolio

_NO_WISHES: Mapping[str, int] = {}
_NO_MARKS: Mapping[str, Stamp] = {}


class AccountView:
    """`values` by word; `bases`: the moment each day-count counts from (or to), in microseconds.

    `turns`: moments at which a word turns by itself, day-counts apart. `rests`: the newest fact behind each word that
    was worked out here. `wishes`: how often contacts wish to hear from us, in days by topic, each with its mark in
    `wish_marks`. `paused_until`: when the account's pause ends, while it lasts; None: it has no end, or there is none.
    `meetings`: the touchpoint types that a customer attends or does not.
    """

    __slots__ = (
        "_attended",
        "bases",
        "facts",
        "last_touch",
        "meetings",
        "now",
        "paused_until",
        "portfolio",
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
        self, now: int, values: dict[str, Plain], facts: Facts, portfolio: Portfolio, meetings: frozenset[str]
    ) -> None:
        self.now = now
        self.values = values
        self.facts = facts
        self.portfolio = portfolio
        self.meetings = meetings
        self.spikes = Spikes(facts.entries.get("usage.reported", {}))
        self.bases: dict[str, int] = {}
        self.turns: list[int] = []
        self.rests: dict[str, Stamp] = {}
        self.last_touch: dict[str | None, tuple[int, Stamp]] = {}
        self.standings: list[Standing] = []
        self.primary: Standing | None = None
        self.wishes: Mapping[str, int] = _NO_WISHES
        self.wish_marks: Mapping[str, Stamp] = _NO_MARKS
        self.paused_until: int | None = None
        self._attended: Meetings | None = None

    def rest(self, name: str, value: Plain, stamp: Stamp | None) -> None:
        """Give a word its value, and the newest fact behind it."""
        self.values[name] = value
        if stamp is not None:
            self.rests[name] = stamp

    def count(self, name: str, base: int, stamp: Stamp) -> None:
        """Let a word count the days since `base`."""
        self.bases[name] = base
        self.rests[name] = stamp

    def attended(self) -> Meetings:
        """How calls and meetings ended, read once."""
        if self._attended is None:
            self._attended = Meetings(self.facts.entries.get("touchpoint.settled", {}), self.meetings)
        return self._attended
