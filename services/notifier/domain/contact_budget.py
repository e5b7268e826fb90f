"""Contact budgets: how many contacts a person at the customer and an account have at most in any period of a length.

Messages and talks count alike. Periods roll: a budget of 3 in 7 days holds in the 7 days from every moment. Of a period
the beginning belongs to it and the end does not. All times are service time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.vocabulary import BudgetScope

Priority = tuple[int, datetime, str]
"""What goes first among messages that wait: the rank of the precedence, when it came due, an id. The least is first."""
DAY: Final = timedelta(days=1)
YIELDS: Final = timedelta(minutes=1)
"""How long a message leaves room to a more urgent one that is about to be decided on, before it asks again."""


@dataclass(frozen=True, slots=True)
class ContactBudget:
    """At most `at_most` contacts of an account or a person in any period `within`.

    `channels`: those that count; empty: all. `exempt`: touchpoint types whose messages count and never wait.
    """

    name: str
    per: BudgetScope
    at_most: int
    within: timedelta
    channels: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()

    def counts(self, channel: str) -> bool:
        return not self.channels or channel in self.channels

    def __str__(self) -> str:
        days, rest = divmod(self.within, DAY)
        length = f"{self.within // timedelta(hours=1)} hours" if rest else f"{days} days"
        return f"{self.name}, at most {self.at_most} in {length}"


class CountedContact(NamedTuple):
    """A contact that counts. Contacts with one `key` in one period count as one."""

    at: datetime
    key: str
    channel: str


@dataclass(frozen=True, slots=True)
class RoomRequest:
    """A message to a person that asks for room. `types`: of the touchpoints it is about.

    `occasion`: what an account has as one contact, whoever of its people gets it.
    """

    key: str
    account_id: str
    person: str
    occasion: str
    channel: str
    types: frozenset[str]
    priority: Priority
    never_waits: bool = False

    def waits_for(self, budget: ContactBudget) -> bool:
        return not self.never_waits and budget.counts(self.channel) and not self.types & budget.exempt

    def key_for(self, budget: ContactBudget) -> str:
        return self.occasion if budget.per == "account" else self.key


class NoRoom(NamedTuple):
    """There is no room in this budget. `until`: the first moment at which there is, as far as is known now."""

    budget: ContactBudget
    until: datetime


class WaitingMessage(NamedTuple):
    """A message that waits for room since it was decided on, until this moment."""

    request: RoomRequest
    until: datetime


@dataclass(slots=True)
class ContactLedger:
    """The contacts that count, by account and by person, planned talks among them, and the messages that wait."""

    of_account: defaultdict[str, list[CountedContact]] = field(
        default_factory=lambda: defaultdict[str, list[CountedContact]](list)
    )
    of_person: defaultdict[str, list[CountedContact]] = field(
        default_factory=lambda: defaultdict[str, list[CountedContact]](list)
    )
    waiting: list[WaitingMessage] = field(default_factory=list[WaitingMessage])

    def add(self, request: RoomRequest, at: datetime) -> None:
        """Count this message."""
        for budget_scope in ("account", "person"):
            self._of(request, budget_scope).append(_counted(request, budget_scope, at))

    def counted_for(self, request: RoomRequest, budget: ContactBudget) -> list[CountedContact]:
        """What counts in this budget."""
        return [one for one in self._of(request, budget.per) if budget.counts(one.channel)]

    def contacts_for(
        self, request: RoomRequest, budget: ContactBudget, now: datetime
    ) -> list[CountedContact]:
        """What counts in this budget before the request does, with the messages that go first as if they went now.

        One that yields itself to another still goes before what is less urgent than both.
        """
        counted = self.counted_for(request, budget)
        ahead = (waiting.request for waiting in self.waiting if waiting.until <= now + YIELDS)
        counted += [
            _counted(other, budget.per, now)
            for other in ahead
            if other.priority < request.priority
            and budget.counts(other.channel)
            and _owner(other, budget.per) == _owner(request, budget.per)
        ]
        return counted

    def _of(self, request: RoomRequest, scope: BudgetScope) -> list[CountedContact]:
        return self.of_account[request.account_id] if scope == "account" else self.of_person[request.person]


def reserve_room(
    requests: Sequence[RoomRequest], ledger: ContactLedger, budgets: Sequence[ContactBudget], now: datetime
) -> dict[str, NoRoom]:
    """Count the messages for which there is room now, the most urgent first; returns the others, by key."""
    refused: dict[str, NoRoom] = {}
    for request in sorted(requests, key=lambda request: request.priority):
        no_room = find_no_room(request, ledger, budgets, now)
        if no_room is None:
            ledger.add(request, now)
        else:
            refused[request.key] = no_room
    return refused


def find_no_room(
    request: RoomRequest, ledger: ContactLedger, budgets: Sequence[ContactBudget], now: datetime
) -> NoRoom | None:
    """The first budget without room for the message now; None: it may go."""
    open_budgets = {
        budget: ledger.contacts_for(request, budget, now) for budget in budgets if request.waits_for(budget)
    }
    full = next(
        (budget for budget in open_budgets if not _has_room(request, budget, open_budgets, now)), None
    )
    if full is None:
        return None
    counted = {budget: ledger.counted_for(request, budget) for budget in open_budgets}
    if all(_has_room(request, budget, counted, now) for budget in counted):
        return NoRoom(full, now + YIELDS)
    for moment in _moments_after(now, open_budgets):
        if all(_has_room(request, budget, open_budgets, moment) for budget in open_budgets):
            return NoRoom(full, moment)
    # After the last of these moments nothing is left in any period: not reached.
    return NoRoom(full, now + full.within)


def _moments_after(
    now: datetime, open_budgets: Mapping[ContactBudget, Sequence[CountedContact]]
) -> list[datetime]:
    """When room may come: a contact leaves the period that begins with it."""
    ends = (one.at + budget.within for budget, contacts in open_budgets.items() for one in contacts)
    return sorted({end for end in ends if end > now})


def _has_room(
    request: RoomRequest,
    budget: ContactBudget,
    open_budgets: Mapping[ContactBudget, Sequence[CountedContact]],
    at: datetime,
) -> bool:
    return has_room(open_budgets[budget], budget, request.key_for(budget), at)


def has_room(contacts: Sequence[CountedContact], budget: ContactBudget, key: str, at: datetime) -> bool:
    """Whether no period with this moment in it has more than the budget once `key` is counted at this moment."""
    near = [one for one in contacts if at - budget.within < one.at < at + budget.within]
    if len(near) < budget.at_most:
        return True
    return all(len({key, *keys}) <= budget.at_most for keys in _periods(near, budget.within, at))


def _periods(near: Sequence[CountedContact], within: timedelta, at: datetime) -> Iterator[set[str]]:
    """The keys of every period around this moment that begins with a contact or with the moment itself."""
    for begin in {at, *(one.at for one in near if one.at <= at)}:
        yield {one.key for one in near if begin <= one.at < begin + within}


def _counted(request: RoomRequest, scope: BudgetScope, at: datetime) -> CountedContact:
    return CountedContact(at, request.occasion if scope == "account" else request.key, request.channel)


def _owner(request: RoomRequest, scope: BudgetScope) -> str:
    return request.account_id if scope == "account" else request.person
