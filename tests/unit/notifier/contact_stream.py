"""A random stream of messages and talks against contact budgets, in service time, with what a sender does about them."""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from services.notifier.domain.contact_budget import (
    ContactBudget,
    ContactLedger,
    CountedContact,
    NoRoom,
    RoomRequest,
    WaitingMessage,
    find_no_room,
    reserve_room,
)

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
BUDGETS = (
    ContactBudget("person-week", "person", 3, 7 * DAY, exempt=frozenset({"renewal_reminder"})),
    ContactBudget("account-week", "account", 6, 7 * DAY, exempt=frozenset({"renewal_reminder"})),
    ContactBudget("person-mail", "person", 1, timedelta(hours=20), channels=frozenset({"email"})),
)
LONGEST = max(budget.within for budget in BUDGETS)
CHANNELS = ("email", "email", "in_app", "sms", "slack")
TYPES = ("tips", "newsletter", "usage_report", "renewal_reminder")
ACCOUNTS, PEOPLE, GROUP = 60, 4, 3
"""Accounts of one group share a person, who is a contact of each."""


@dataclass(slots=True)
class Message:
    request: RoomRequest
    came_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(slots=True)
class Stream:
    """`ledgers` by group of accounts. `standing`: what counts, by the stream's own account of it."""

    random: Random
    now: datetime = START
    messages: list[Message] = field(default_factory=list[Message])
    ledgers: defaultdict[int, ContactLedger] = field(default_factory=lambda: defaultdict(ContactLedger))
    wakes: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    talks: dict[int, tuple[int, CountedContact]] = field(
        default_factory=dict[int, tuple[int, CountedContact]]
    )
    standing: defaultdict[tuple[str, str], list[tuple[datetime, str, str, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    sent: int = 0
    waited: int = 0
    expired: int = 0

    def run(self, events: int) -> None:
        """That many random events, then time alone until nothing waits."""
        for number in range(events):
            self._go_to(self.now + timedelta(minutes=self.random.expovariate(1 / 40)))
            self._happen(number)
        while self.wakes:
            self._go_to(self.wakes[0][0])

    def _happen(self, number: int) -> None:
        kind = self.random.random()
        account = self.random.randrange(ACCOUNTS)
        if kind < 0.85:
            self._receive(number, account)
        elif kind < 0.95 or not self.talks:
            self._plan_talk(number, account)
        else:
            self._cancel_talk()

    def _receive(self, number: int, account: int) -> None:
        """A message that comes due, to one person of the account or, as one occasion, to two."""
        draw = self.random
        rank = draw.choices((0, 1, 2, 3), (1, 4, 5, 20))[0]
        occasion, kind = f"t{number}", draw.choice(TYPES)
        ends_at = self.now + draw.choice((DAY, 3 * DAY, 10 * DAY))
        people = draw.sample(range(PEOPLE), draw.choice((1, 1, 2)))
        new: list[int] = []
        for person in people:
            key = f"m{len(self.messages):08}"
            request = RoomRequest(
                key, f"a{account}", _person(account, person), occasion, draw.choice(CHANNELS),
                frozenset({kind}), (rank, self.now, key), never_waits=rank == 0,
            )  # fmt: skip
            new.append(len(self.messages))
            self.messages.append(Message(request, self.now, ends_at))
        self._decide(new)

    def _plan_talk(self, number: int, account: int) -> None:
        """A call with two people of the account, up to three weeks ahead."""
        at = self.now + timedelta(hours=self.random.randrange(24 * 21))
        talk = CountedContact(at, f"t{number}", "call")
        self.talks[number] = (account, talk)
        for scope, owner in _owners_of_talk(account):
            self.standing[scope, owner].append((at, talk.key, talk.channel, True))
            _lists(self.ledgers[account // GROUP], scope)[owner].append(talk)

    def _cancel_talk(self) -> None:
        """One that is still to come, else nothing happens; what waits for room there is decided on again.

        As by several senders: one by one in any order, each with what waits besides as ready.
        """
        number = self.random.choice(list(self.talks)[-50:])
        account, talk = self.talks.pop(number)
        if talk.at <= self.now:
            return
        for scope, owner in _owners_of_talk(account):
            self.standing[scope, owner].remove((talk.at, talk.key, talk.channel, True))
            _lists(self.ledgers[account // GROUP], scope)[owner].remove(talk)
        ledger = self.ledgers[account // GROUP]
        waiting = [int(one.request.key[1:]) for one in ledger.waiting]
        ledger.waiting = [WaitingMessage(one.request, min(one.until, self.now)) for one in ledger.waiting]
        self.random.shuffle(waiting)
        for index in waiting:
            self._decide([index])
        self._check_priority(waiting, ledger)

    def _check_priority(self, indexes: Sequence[int], ledger: ContactLedger) -> None:
        """Nothing that still waits was kept from its room by something less urgent that just went."""
        went = [self.messages[index].request for index in indexes if self.messages[index].reason == "sent"]
        for index in indexes if went else ():
            request = self.messages[index].request
            is_open = self.messages[index].ended_at is None
            if is_open and find_no_room(request, ledger, BUDGETS, self.now) is not None:
                rest = _without(ledger, [one for one in went if one.priority > request.priority], self.now)
                assert find_no_room(request, rest, BUDGETS, self.now) is not None

    def _go_to(self, moment: datetime) -> None:
        """Let time go on until then; what waits is decided on at its time, all of one moment together."""
        while self.wakes and self.wakes[0][0] <= moment:
            self.now = max(self.now, self.wakes[0][0])
            woken = dict[int, None]()
            while self.wakes and self.wakes[0][0] <= self.now:
                index = heapq.heappop(self.wakes)[1]
                if self.messages[index].ended_at is None:
                    woken[index] = None
            by_group: defaultdict[int, list[int]] = defaultdict(list)
            for index in woken:
                by_group[_group(self.messages[index])].append(index)
            for indexes in by_group.values():
                self._decide(indexes)
        self.now = max(self.now, moment)

    def _decide(self, indexes: Sequence[int]) -> None:
        """As the sender does with what is ready: reserve room, send, wait, or expire when it is too late."""
        ledger = self.ledgers[_group(self.messages[indexes[0]])]
        keys = {self.messages[index].request.key for index in indexes}
        ledger.waiting = [one for one in ledger.waiting if one.request.key not in keys]
        self._prune(ledger)
        requests = [self.messages[index].request for index in indexes]
        refused = reserve_room(requests, ledger, BUDGETS, self.now)
        in_order = sorted(indexes, key=lambda index: self.messages[index].request.priority)
        for index in in_order:
            message = self.messages[index]
            no_room = refused.get(message.request.key)
            if no_room is None:
                self._send(message)
            else:
                self._wait(index, no_room, ledger)

    def _send(self, message: Message) -> None:
        self.sent += 1
        message.ended_at, message.reason = self.now, "sent"
        request = message.request
        for budget in BUDGETS:
            if request.waits_for(budget):
                self._check(request, budget)
        never = request.never_waits
        self.standing["account", request.account_id].append(
            (self.now, request.occasion, request.channel, never)
        )
        self.standing["person", request.person].append((self.now, request.key, request.channel, never))

    def _wait(self, index: int, no_room: NoRoom, ledger: ContactLedger) -> None:
        message = self.messages[index]
        assert not message.request.never_waits, "an escalation was displaced"
        assert no_room.until > self.now
        if self.now >= message.ends_at:
            self.expired += 1
            message.ended_at, message.reason = self.now, f"no room in time: {no_room.budget}"
            return
        self.waited += 1
        ledger.waiting.append(WaitingMessage(message.request, no_room.until))
        heapq.heappush(self.wakes, (min(no_room.until, message.ends_at), index))

    def _check(self, request: RoomRequest, budget: ContactBudget) -> None:
        """No rolling window around this moment has more than the budget, counted anew and in another way."""
        owner = request.account_id if budget.per == "account" else request.person
        own = request.occasion if budget.per == "account" else request.key
        entries = self.standing[budget.per, owner]
        entries[:] = [one for one in entries if one[0] > self.now - 2 * LONGEST]
        counted = sorted((at, key) for at, key, channel, _ in entries if budget.counts(channel))
        counted = sorted([*counted, (self.now, own)])
        first = 0
        for last, (at, _) in enumerate(counted):
            while counted[first][0] <= at - budget.within:
                first += 1
            window = counted[first : last + 1]
            if window[0][0] <= self.now <= at:
                assert len({key for _, key in window}) <= budget.at_most, (budget, request, window)

    def _prune(self, ledger: ContactLedger) -> None:
        oldest = self.now - LONGEST
        for lists in (ledger.of_account, ledger.of_person):
            for contacts in lists.values():
                if contacts and contacts[0].at <= oldest:
                    contacts[:] = [one for one in contacts if one.at > oldest]


def _person(account: int, number: int) -> str:
    """The first of each account is the same person in its whole group."""
    return f"p{account // GROUP}" if number == 0 else f"p{account}.{number}"


def _owners_of_talk(account: int) -> Sequence[tuple[str, str]]:
    return ("account", f"a{account}"), ("person", _person(account, 0)), ("person", _person(account, 1))


def _without(ledger: ContactLedger, requests: Sequence[RoomRequest], now: datetime) -> ContactLedger:
    """What counts besides these messages, which were sent now, and what waits."""
    keys = {key for request in requests for key in (request.key, request.occasion)}
    rest = ContactLedger(waiting=ledger.waiting)
    for own, other in ((rest.of_account, ledger.of_account), (rest.of_person, ledger.of_person)):
        for owner, counted in other.items():
            own[owner] = [one for one in counted if one.key not in keys or one.at < now]
    return rest


def _group(message: Message) -> int:
    return int(message.request.account_id[1:]) // GROUP


def _lists(ledger: ContactLedger, scope: str) -> defaultdict[str, list[CountedContact]]:
    return ledger.of_account if scope == "account" else ledger.of_person
