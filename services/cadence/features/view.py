"""The view of one account at one moment: the values of its features, and what else an evaluation reads."""

from dataclasses import dataclass, field

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.account.contract_terms import ContractTerms
from services.cadence.account.identity import ANSWER_ROUND, Thing, answers_of, things_of
from services.cadence.features.attendance import Meetings
from services.cadence.features.contacts import Person, people_of
from services.cadence.features.feature import MEETINGS
from services.cadence.features.usage import Spikes
from services.cadence.portfolio import Portfolio
from services.cadence.rates import USUAL_CURRENCY


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """What a policy says about how features are computed.

    `meetings`: the touchpoint types that a customer attends, the calls and meetings of the catalogue. `answer_round`: how
    long answers of one person to one survey are one round, in microseconds. `currency`: that of the policy.
    """

    meetings: frozenset[str] = frozenset(MEETINGS)
    answer_round: int = ANSWER_ROUND
    currency: str = USUAL_CURRENCY


@dataclass(slots=True, eq=False)
class AccountView:
    """`values` by feature. `bases`: the time from (or to) which each count of days counts, in microseconds since 1970.

    `stamps`: the newest event behind each feature that was computed here. `change_times`: when a feature changes without
    an event, other than the counts of days. `preferred_days`: topic -> the days between messages that contacts prefer;
    `preference_stamps`: topic -> the event of that preference.
    """

    now: int
    values: dict[str, Plain]
    facts: Facts
    portfolio: Portfolio
    settings: FeatureSettings
    bases: dict[str, int] = field(default_factory=dict)
    change_times: list[int] = field(default_factory=list)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    last_touch: dict[str | None, tuple[int, Stamp]] = field(default_factory=dict)
    contract_terms: list[ContractTerms] = field(default_factory=list)
    primary: ContractTerms | None = None
    preferred_days: dict[str, int] = field(default_factory=dict)
    preference_stamps: dict[str, Stamp] = field(default_factory=dict)
    spikes: Spikes = field(init=False)
    _attended: Meetings | None = None
    _people: dict[str, Person] | None = None

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
            settled = things_of(self.facts.entries, "touchpoint.settled")
            self._attended = Meetings(settled, self.settings.meetings)
        return self._attended

    def people(self) -> dict[str, Person]:
        """The account's contacts, computed once."""
        if self._people is None:
            self._people = people_of(self.facts)
        return self._people

    def answers(self, kind: str) -> list[Thing]:
        """The rounds of answers of an event type, oldest first."""
        return answers_of(self.facts.entries, self.facts.contacts, kind, self.settings.answer_round)
