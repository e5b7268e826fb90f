"""The view of one account at one moment: the values of its features, and what else an evaluation reads."""

from dataclasses import dataclass, field

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.account.identity import ANSWER_ROUND, Thing, answers_of, things_of
from services.cadence.account.relation import Relation, Standing
from services.cadence.features.attendance import Meetings
from services.cadence.features.contacts import Person, people_of
from services.cadence.features.feature import MEETINGS
from services.cadence.features.usage import UsageTrends
from services.cadence.portfolio import Portfolio
from services.cadence.rates import USUAL_CURRENCY


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """What a policy says about how features are computed.

    `meetings`: the touchpoint types that a customer attends, the calls and meetings of the catalogue;
    `impersonal`: those that reach nobody in person (internal work, what no person leads, formats for many), so that they
    do not count as contact.
    `answer_round`: how long answers of one person to one survey are one round, in microseconds. `currency`: that of the
    policy.
    """

    meetings: frozenset[str] = frozenset(MEETINGS)
    impersonal: frozenset[str] = frozenset()
    answer_round: int = ANSWER_ROUND
    currency: str = USUAL_CURRENCY


@dataclass(slots=True, eq=False)
class AccountView:
    """`values` by feature. `bases`: the time from (or to) which each count of days counts, in microseconds since 1970.

    `stamps`: the newest event behind each feature that was computed here. `change_times`: when a feature changes without
    an event, other than the counts of days. `preferred_days`: topic -> the days between messages that contacts prefer;
    `preference_stamps`: topic -> the event of that preference; `preferred_channels`: topic -> the channel that
    contacts prefer and its event.
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
    relation: Relation = field(default_factory=Relation)
    primary: Standing | None = None
    preferred_days: dict[str, int] = field(default_factory=dict)
    preference_stamps: dict[str, Stamp] = field(default_factory=dict)
    preferred_channels: dict[str, tuple[str, Stamp]] = field(default_factory=dict)
    usage: UsageTrends = field(init=False)
    _attended: Meetings | None = None
    _people: dict[str, Person] | None = None
    _things: dict[str, list[Thing]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.usage = UsageTrends(self.facts.usage)

    def set(self, name: str, value: Plain, stamp: Stamp | None) -> None:
        """Set a feature and the newest event behind it."""
        self.values[name] = value
        if stamp is not None:
            self.stamps[name] = stamp

    def count_from(self, name: str, base: int, stamp: Stamp) -> None:
        """Let a feature count the days since `base`."""
        self.bases[name] = base
        self.stamps[name] = stamp

    def last_contact(self, touchpoint_type: str, *, of_any_type: bool) -> tuple[int, Stamp] | None:
        """When a type last took place, and its event; `of_any_type`: or when a person was last in contact."""
        own = self.last_touch.get(touchpoint_type)
        if not of_any_type:
            return own
        of_any = self.last_touch.get(None)
        return max(own, of_any) if own and of_any else own or of_any

    def attended(self) -> Meetings:
        """The outcomes of calls and meetings, computed once."""
        if self._attended is None:
            self._attended = Meetings(self.things("touchpoint.settled"), self.settings.meetings)
        return self._attended

    def people(self) -> dict[str, Person]:
        """The account's contacts, computed once."""
        if self._people is None:
            self._people = people_of(self.facts)
        return self._people

    def things(self, kind: str) -> list[Thing]:
        """The things that events of a type tell of, oldest first, computed once."""
        if kind not in self._things:
            self._things[kind] = things_of(self.facts.entries, kind)
        return self._things[kind]

    def answers(self, kind: str) -> list[Thing]:
        """The rounds of answers of an event type, oldest first."""
        if kind not in self._things:
            facts = self.facts
            self._things[kind] = answers_of(facts.entries, facts.contacts, kind, self.settings.answer_round)
        return self._things[kind]
