"""The state of an evaluation: one account under one policy at one moment, as every step of it reads it."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from schemas.zones import TimeZone
from services.cadence.account import Facts, Fields
from services.cadence.account.issued import Issued
from services.cadence.account.place import clocks_of
from services.cadence.evaluation.avoid import Avoidance, BlackoutWindows, blackouts_of, pause_of
from services.cadence.evaluation.preferred_channels import preferred_channel
from services.cadence.features.compute import view_account
from services.cadence.features.view import AccountView
from services.cadence.policy import Policy, Step, Trigger
from services.cadence.portfolio import Portfolio


@dataclass(slots=True, eq=False)
class EvaluationState:
    """Built from a policy, an account, the portfolio and an aware datetime; everything else follows from these.

    `fired`: the bits of the rules about the account itself whose conditions are true. `one_offs`: those that came due or
    ended, by type and id. `view.values` contain segment, stage and colour. Steps change nothing in it but
    `view.change_times`, which grow when a step reads a feature that changes with time.
    """

    policy: Policy
    facts: Facts
    issued: Issued
    portfolio: Portfolio
    at: InitVar[datetime]
    one_offs: Mapping[str, Mapping[str, Fields]] = field(init=False)
    view: AccountView = field(init=False)
    fired: int = field(init=False)
    pause: Avoidance | None = field(init=False)
    blackouts: BlackoutWindows = field(init=False)

    def __post_init__(self, at: datetime) -> None:
        policy = self.policy
        self.one_offs = self.issued.one_offs_by_type()
        self.view = view_account(self.facts, self.portfolio, at, policy.reads, policy.feature_settings)
        values = self.view.values
        segment, stage, color, self.fired = policy.evaluate_conditions(values)
        values.update(segment=segment, stage=stage, color=color)
        self.pause = pause_of(self.facts, self.view.now)
        self.blackouts = blackouts_of(policy, self.fired, self.view.now)

    @property
    def now(self) -> int:
        """The moment, in microseconds since 1970."""
        return self.view.now

    @property
    def preferences(self) -> tuple[tuple[str, int], ...]:
        """The days between messages that the customer prefers, by topic, where the policy lets them move a rhythm."""
        preferred = self.view.preferred_days
        return tuple(sorted(preferred.items())) if preferred and self.policy.gives_way else ()

    def preferred_channel(self, rule: Trigger | Step) -> str | None:
        """The channel that contacts prefer for a one-off of this rule; None: it is the rule's own."""
        channels = self.preferred_channels
        return preferred_channel(self.policy, rule, dict(channels)) if channels else None

    @property
    def preferred_channels(self) -> tuple[tuple[str, str], ...]:
        """The channels that contacts prefer, by topic."""
        return tuple(sorted((topic, channel) for topic, (channel, _) in self.view.preferred_channels.items()))

    @property
    def clocks(self) -> tuple[TimeZone, ...]:
        """The time zones of the account; UTC where they are not known."""
        return clocks_of(self.facts)

    @property
    def avoid(self) -> tuple[Avoidance, ...]:
        """The pause and the blackouts that the plan lists, in order of time."""
        ahead = self.blackouts.ahead
        return ahead if self.pause is None else (self.pause, *ahead)
