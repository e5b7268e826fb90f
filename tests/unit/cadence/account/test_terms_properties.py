"""No order, repetition or variation of what is stated about a contract leads elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.cadence.account import FactEvent
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.account.relation import SETTLED
from services.cadence.evaluation import Decision
from tests.unit.cadence.contract_events import ASKS, S, contract, plan_at
from tests.unit.cadence.events import DAY, came_due, facts_after, one_offs, settled

STATUSES = ("draft", "active", "signed", "notice", "churned", "ended")
days = st.integers(-400, 400)
records = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(STATUSES),
        "starts": st.sampled_from([-400, -365, -10, 0, 30]),
        "renews": st.sampled_from([-40, -35, 0, 7, 95, 365, 460]),
        "signed_at": st.sampled_from([-380, -5, 0, 90]),
        "auto_renew": st.booleans() | st.none(),
        "term_months": st.sampled_from([1, 12]),
        "arr": st.sampled_from([10, 20]) | st.none(),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[FactEvent]:
    """Records of two contracts, each at a moment of its own."""
    pool = draw(st.lists(records, min_size=1, max_size=4))
    one = st.tuples(days, st.sampled_from(["a", "b"]), st.sampled_from(pool))
    stated = draw(st.lists(one, max_size=8, unique_by=lambda item: item[0]))
    return [contract(at, contract_id, **cast("dict[str, Any]", fields)) for at, contract_id, fields in stated]


def outline(decision: Decision) -> tuple[object, ...]:
    """What a plan has, without the names of the events behind it."""
    one_offs = [
        (item.id, item.touchpoint_type, item.window.from_, item.window.to)
        for item in decision.plan.touchpoints
    ]
    values = decision.state.view.values
    return decision.stage, sorted(one_offs), values["contract_state"], values["days_to_renewal"]


@given(events=histories(), data=st.data(), at=days)
def test_no_order_and_no_repetition_leads_elsewhere(
    events: list[FactEvent], data: st.DataObject, at: int
) -> None:
    shuffled = data.draw(st.permutations([*events, *events]))

    assert encode(facts_after(shuffled), Issued()) == encode(facts_after(events), Issued())
    assert outline(plan_at(at, *shuffled)) == outline(plan_at(at, *events))


@given(events=histories(), at=days)
def test_the_ids_and_the_sources_of_events_decide_nothing(events: list[FactEvent], at: int) -> None:
    renamed = [
        event._replace(
            provenance=event.provenance._replace(
                source=f"/tool-{number}", id=f"{99 - number}", hash=f"{number:064x}"
            )
        )
        for number, event in enumerate(events)
    ]

    assert outline(plan_at(at, *renamed)) == outline(plan_at(at, *events))


ENDED_EARLY = (
    contract(0, status="signed", signed_at=0, starts=-400, renews=7),
    contract(1, status="ended", signed_at=0, renews=365, term_months=1),
)
"""It ends before its last term starts, and nothing takes it up again."""
CLOSED_TWICE = (
    contract(-400, status="ended"),
    contract(-300, status="active", starts=-300, renews=65),
    contract(0, status="ended"),
)
"""The end of its second term is stated in the words that ended its first."""


@given(events=histories(), nights=st.integers(1, 30), at=st.integers(400, 500))
@example(events=[*ENDED_EARLY], nights=4, at=400)
@example(events=[*CLOSED_TWICE], nights=4, at=400)
def test_what_was_stated_last_may_be_stated_every_night(
    events: list[FactEvent], nights: int, at: int
) -> None:
    newest: dict[str, FactEvent] = {}
    for event in sorted(events, key=lambda event: event.provenance.time):
        newest[str(event.fields["contract_id"])] = event
    moments = [S + (at * 24 - night) * DAY / 24 for night in range(1, nights + 1)]
    again = [
        event._replace(provenance=event.provenance._replace(time=time, source="/sync", id=f"{key}-{time}"))
        for key, event in newest.items()
        for time in moments
        if event.provenance.time < moments[-1]
    ]

    assert outline(plan_at(at, *events, *again)) == outline(plan_at(at, *events))


@dataclass
class Model:
    """What connectors know of one contract; its record is what a CRM sends."""

    record: dict[str, Any] = field(default_factory=dict[str, Any])
    start: int = 0
    end: int = 365
    next_signed: bool = False
    closed: str = ""


class ContractStory(RuleBasedStateMachine):
    """A contract through its states, sent by a CRM whole, in parts, twice, and every night under other ids."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 0
        self.sent = 0
        self.events: list[FactEvent] = []
        self.came: list[FactEvent] = []
        self.done: dict[str, str] = {}
        self.renewals = 0
        self.model = Model()
        self.state: Callable[[], Decision] = lambda: plan_at(self.day + 0.9, *self.events, came=self.came)
        self.send(status="active", starts=0, renews=365)

    def send(self, **fields: Any) -> None:
        self.model.record |= fields
        self._post(fields)

    def _post(self, fields: dict[str, Any]) -> None:
        self.sent += 1
        at = self.day + self.sent % 700 / 1000
        self.events.append(contract(at, "k", f"/tool-{self.sent}", **fields))

    @rule(days=st.sampled_from([1, 9, 30, 80]))
    def pass_time(self, days: int) -> None:
        self.act_on_what_is_due()
        self.day += days
        self.sent = 0
        self.sync()

    def sync(self) -> None:
        """The nightly sync sends the whole record."""
        self._post(self.model.record)

    @rule()
    def repeat_the_record(self) -> None:
        self.sync()

    @rule(source=st.sampled_from(["status", "starts", "renews"]))
    def repeat_a_part(self, source: str) -> None:
        self._post({source: self.model.record[source]})

    @precondition(lambda self: not self.model.closed and self.left > 30 and not self.model.next_signed)
    @rule()
    def sign_the_renewal(self) -> None:
        if self.day - self.model.start <= 45:
            return
        self.model.next_signed = True
        self.renewals += 1
        self.send(status="signed", signed_at=self.day)

    @precondition(lambda self: not self.model.closed and self.model.next_signed)
    @rule()
    def date_the_signed_term(self) -> None:
        self.model.next_signed = False
        self.model.start, self.model.end = self.model.end, self.model.end + 365
        self.send(renews=self.model.end)

    @precondition(lambda self: not self.model.closed and self.left > 5)
    @rule(status=st.sampled_from(["notice", "churned"]))
    def close(self, status: str) -> None:
        self.model.closed = status
        self.send(status=status)

    @precondition(lambda self: self.model.closed and self.left > 5)
    @rule()
    def take_it_back(self) -> None:
        self.model.closed = ""
        self.send(status="active")

    @property
    def left(self) -> int:
        return self.model.end - self.day

    def act_on_what_is_due(self) -> None:
        """People do what is due, and each touchpoint is done once."""
        decision = self.state()
        now = S + (self.day + 0.9) * DAY
        for item in decision.plan.touchpoints:
            if item.window.from_ <= now:
                assert item.id not in self.done
                self.done[item.id] = item.touchpoint_type
                self.came += [came_due(item, now), settled(item, now)]

    @invariant()
    def nobody_settled_is_asked_to_sign(self) -> None:
        if not self.events:
            return
        decision = self.state()
        standing = decision.state.view.primary
        assert standing is not None
        if standing.state in SETTLED:
            assert not ASKS & {item.touchpoint_type for item in decision.plan.touchpoints}
        if self.model.closed:
            assert standing.state in {"notice", "leaving", "ended"}

    @invariant()
    def each_thing_is_asked_once(self) -> None:
        if not self.events:
            return
        decision = self.state()
        for kind in ("kickoff", "post_renewal_check_in"):
            known = {key for key, touchpoint in self.done.items() if touchpoint == kind}
            known |= {item.id for item in one_offs(decision, kind)}
            assert len(known) <= (1 if kind == "kickoff" else self.renewals)
        for kind in ASKS:
            assert len(one_offs(decision, kind)) <= 1


TestContractStory = ContractStory.TestCase
TestContractStory.settings = settings(stateful_step_count=25)
