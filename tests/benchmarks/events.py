"""The workload: a book of accounts and a stream of health scores about them, the same for every candidate."""

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from schemas.envelope import Envelope, kafka_headers
from schemas.events import route
from services.chassis.kafka import Message

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = START + timedelta(days=1, minutes=15)
"""What the service clock shows: scores are minutes old, so triggers answer them."""


def account_id(number: int) -> str:
    return f"acc-{number:06}"


class BookFact(NamedTuple):
    """What is told of an account before the stream begins."""

    kind: str
    number: int
    data: Mapping[str, object]
    identity: str


def book_facts(accounts: int) -> Iterator[BookFact]:
    """Each account described, under contract and scored once: every segment and stage in its share."""
    dice = random.Random(1)
    for number in range(accounts):
        arr = dice.choice((250_000, 40_000, 40_000, 5_000, 5_000, 500))
        data: dict[str, object] = {
            "name": f"Customer {number}",
            "arr": arr,
            "country": "DE",
            "timezone": "Europe/Berlin",
        }
        if arr >= 10_000:
            data["csm_id"] = f"csm-{number % 40}"
        yield BookFact("account.described", number, data, f"book-{number}")
        began = START.date() - timedelta(days=dice.randrange(900))
        renews = began + timedelta(days=365 * ((START.date() - began).days // 365 + 1))
        contract = {
            "contract_id": f"c-{number}",
            "status": "active",
            "starts_on": str(began),
            "renews_on": str(renews),
        }
        yield BookFact("contract.changed", number, contract, f"contract-{number}")
        health: dict[str, object] = {"score": 75, "drivers": ["logins", "tickets"]}
        yield BookFact("health.scored", number, health, f"first-{number}")


def portfolio(accounts: int) -> Iterator[Message]:
    """The records of `book_facts`."""
    return (message(*fact, START) for fact in book_facts(accounts))


class Scores:
    """A stream of health scores, uniform over the accounts; the colour changes in about one of a hundred.

    That is an account which is scored every day and changes colour three or four times a year.
    """

    def __init__(self, accounts: int) -> None:
        self._dice = random.Random(2)
        self._standing = [75] * accounts
        self._sent = 0

    def take(self, count: int) -> Iterator[Message]:
        dice, standing = self._dice, self._standing
        for _ in range(count):
            number = dice.randrange(len(standing))
            if dice.random() < 0.015:  # a third of these fall on the colour that was
                standing[number] = dice.choice((20, 55, 85))
            moment = START + timedelta(days=1, milliseconds=self._sent)
            yield score(number, standing[number] + dice.randrange(-5, 6), f"score-{self._sent}", moment)
            self._sent += 1


def score(number: int, value: int, identity: str, time: datetime) -> Message:
    data: dict[str, object] = {"score": value, "drivers": ["logins", "tickets"]}
    return message("health.scored", number, data, identity, time)


def upon(topic: str, messages: Iterable[Message]) -> Iterator[Message]:
    """The same messages on another topic."""
    return (each._replace(topic=topic) for each in messages)


def message(kind: str, number: int, data: Mapping[str, object], identity: str, time: datetime) -> Message:
    envelope = Envelope(
        id=identity,
        source=f"/bench/agents/{number % 50}",
        type=f"drumbeat.{kind}.v1",
        subject=account_id(number),
        time=time,
        data=orjson.dumps(data),
    )
    return Message(route(envelope.type), envelope.subject.encode(), envelope.data, kafka_headers(envelope))
