"""The view of one account at one moment: the values of its features, and what else an evaluation reads."""

from dataclasses import dataclass, field

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.account.relation import Relation, Standing
from services.cadence.features.attendance import Meetings
from services.cadence.features.usage import Spikes
from services.cadence.portfolio import Portfolio


@dataclass(slots=True, eq=False)
class AccountView:
    """`values` by feature. `bases`: the time from (or to) which each count of days counts, in microseconds since 1970.

    `stamps`: the newest event behind each feature that was computed here. `change_times`: when a feature changes without
    an event, other than the counts of days. `preferred_days`: topic -> the days between messages that contacts prefer;
    `preference_stamps`: topic -> the event of that preference. `meetings`: the touchpoint types that a customer
    attends.
    """

    now: int
    values: dict[str, Plain]
    facts: Facts
    portfolio: Portfolio
    meetings: frozenset[str]
    bases: dict[str, int] = field(default_factory=dict)
    change_times: list[int] = field(default_factory=list)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    last_touch: dict[str | None, tuple[int, Stamp]] = field(default_factory=dict)
    relation: Relation = field(default_factory=Relation)
    primary: Standing | None = None
    preferred_days: dict[str, int] = field(default_factory=dict)
    preference_stamps: dict[str, Stamp] = field(default_factory=dict)
    spikes: Spikes = field(init=False)
    _attended: Meetings | None = None

    def __post_init__(self) -> None:
        self.spikes = Spikes(self.facts.entries.get("usage.reported", {}))

    def set(self, name: str, value: Plain, stamp: Stamp | None) -> None:
        """Set a feature and the newest event behind it."""
        self.values[name] = value
        if stamp is not None:
            self.stamps[name] = stamp

    def count_from(self, name: str, base: int, stamp: Stamp) -> None:
        """Let a feature count the days since `base`."""
        self.bases[name] = base
        self.stamps[name] = stamp

    def attended(self) -> Meetings:
        """The outcomes of calls and meetings, computed once."""
        if self._attended is None:
            self._attended = Meetings(self.facts.entries.get("touchpoint.settled", {}), self.meetings)
        return self._attended
