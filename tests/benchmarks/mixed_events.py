"""A mix of facts as telemetry and CRMs send it, generated from a seed, and any facts from files of CloudEvents.

Of 1,000 generated facts 600 are daily usage reports with features and limits, 120 health scores (1% change the colour),
120 engagements and outcomes, 40 NPS and survey answers, 50 accounts and contracts sent again unchanged, and 70 of the
rest. Some are repeated, and 5% tell of days before. Half of the accounts of facts are drawn evenly, half by Zipf's law.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

from schemas.envelope import Envelope, from_structured, kafka_headers
from schemas.events import ROUTES
from services.chassis.kafka import Message
from tests.benchmarks.events import START, book_facts, message

SHARES = {"usage": 600, "health": 120, "outcome": 120, "answer": 40, "resync": 50, "rest": 70}
LATE, REPEATED = 0.05, 0.02
ZIPF_EXPONENT = 1.0
FEATURES = tuple(f"feature-{number}" for number in range(12))
Data = Mapping[str, object]


class Mix:
    """A stream of mixed facts about so many accounts of `events.portfolio`; each `take` goes on where the last ended.

    Its time runs so that an account reports its usage once a day on average.
    """

    def __init__(self, accounts: int, seed: int = 3) -> None:
        self._accounts = accounts
        self._dice = random.Random(seed)
        self._scores = [75] * accounts
        self._weights = [*accumulate(1 / (rank + 1) ** ZIPF_EXPONENT for rank in range(accounts))]
        self._resent = [fact for fact in book_facts(accounts) if fact.kind != "health.scored"]
        self._sent = 0
        self._step = timedelta(days=SHARES["usage"] / 1000 / accounts)
        self._now = START + timedelta(days=1)
        self._kinds: dict[str, Callable[[int, datetime], tuple[str, Data]]] = {
            "usage": self._usage, "health": self._health, "outcome": self._outcome, "answer": self._answer,
            "rest": self._rest,
        }  # fmt: skip

    def take(self, count: int) -> Iterator[Message]:
        dice, before = self._dice, list[Message]()
        kinds, shares = [*SHARES], [*SHARES.values()]
        for kind in dice.choices(kinds, shares, k=count):
            if before and dice.random() < REPEATED:
                yield dice.choice(before)
                continue
            fact = self._fact(kind)
            before = [*before[-200:], fact] if len(before) > 400 else [*before, fact]
            yield fact

    def history(self, days: int) -> Iterator[Message]:
        """A daily usage report of each account for so many days before the stream begins."""
        for day in range(days, 0, -1):
            for number in range(self._accounts):
                moment = START - timedelta(days=day - 1)
                name, data = self._usage(number, moment)
                yield message(name, number, data, f"history-{day}-{number}", moment)

    def _fact(self, kind: str) -> Message:
        self._sent += 1
        self._now += self._step
        if kind == "resync":
            again = self._dice.choice(self._resent)
            return message(again.kind, again.number, again.data, f"again-{self._sent}", self._now)
        moment = self._now
        if self._dice.random() < LATE:
            moment -= timedelta(days=self._dice.randrange(1, 6))
        number = self._account()
        name, data = self._kinds[kind](number, moment)
        return message(name, number, data, f"{kind}-{self._sent}", moment)

    def _account(self) -> int:
        if self._dice.random() < 0.5:
            return self._dice.randrange(self._accounts)
        (number,) = self._dice.choices(range(self._accounts), cum_weights=self._weights)
        return number

    def _usage(self, number: int, moment: datetime) -> tuple[str, Data]:
        """The report of the day before; what an account reports again on one day corrects it."""
        dice, day = self._dice, moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        seats = 40 + number % 60
        users = seats * (25 + number % 50) // 100 + dice.randrange(-2, 3)
        return "usage.reported", {
            "period_start": day.isoformat(),
            "period_end": (day + timedelta(days=1)).isoformat(),
            "active_users": users,
            "seats": seats,
            "seats_used": users + dice.randrange(3),
            "events": users * dice.randrange(30, 40),
            "features": {name: dice.randrange(200) for name in FEATURES[: 4 + number % 8]},
            "limits": {"storage": {"used": dice.randrange(40, 70), "limit": 100}},
        }

    def _health(self, number: int, _moment: datetime) -> tuple[str, Data]:
        if self._dice.random() < 0.015:  # a third of these fall on the colour that was
            self._scores[number] = self._dice.choice((20, 55, 85))
        score = self._scores[number] + self._dice.randrange(-5, 6)
        return "health.scored", {"score": score, "drivers": ["logins", "tickets"]}

    def _outcome(self, number: int, _moment: datetime) -> tuple[str, Data]:
        dice, known = self._dice, f"{number}-{self._sent // 5000}"
        kind = dice.choice(("opened", "opened", "clicked", "settled"))
        if kind == "settled":
            outcome = dice.choice(("completed", "completed", "attended", "missed"))
            return "touchpoint.settled", {
                "touchpoint_type": dice.choice(("check_in", "value_report")), "outcome": outcome,
                "touchpoint_id": f"touchpoint-{known}",
            }  # fmt: skip
        return "message.engaged", {"delivery_id": f"delivery-{known}", "kind": kind}

    def _answer(self, number: int, _moment: datetime) -> tuple[str, Data]:
        contact = f"contact-{number}-{self._dice.randrange(3)}"
        if self._dice.random() < 0.5:
            return "nps.answered", {"contact_id": contact, "score": self._dice.choice((7, 8, 8, 9, 9, 10, 5))}
        return "survey.answered", {
            "contact_id": contact,
            "survey": "csat",
            "csat": self._dice.choice((3, 4, 5)),
        }

    def _rest(self, number: int, _moment: datetime) -> tuple[str, Data]:
        dice, contact = self._dice, f"contact-{number}-{self._dice.randrange(3)}"
        match dice.randrange(6):
            case 0:
                return "request.received", {"request_id": f"request-{self._sent}", "channel": "email"}
            case 1:
                return "request.answered", {"request_id": f"request-{self._sent}", "channel": "email"}
            case 2:
                return "interaction.logged", {
                    "channel": dice.choice(("call", "email")),
                    "contact_id": contact,
                }
            case 3:
                return "contact.described", {
                    "contact_id": contact, "name": f"Contact {contact}", "email": f"{contact}@example.com",
                    "role": "champion" if contact.endswith("-0") else "user",
                }  # fmt: skip
            case 4:
                return "milestone.reached", {"milestone": f"step-{dice.randrange(20)}", "kind": "adoption"}
            case _:
                return "expansion.signalled", {
                    "signal": "advanced_feature",
                    "detail": f"part {dice.randrange(9)}",
                }


def read_facts(paths: Sequence[Path]) -> Iterator[Message]:
    """The events of NDJSON files, in their order, as records of the topics that carry them. Raises `Malformed`."""
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield _record(from_structured(line))


def _record(envelope: Envelope) -> Message:
    topic = ROUTES.get(envelope.type, "touchpoint.outcomes")
    return Message(topic, envelope.subject.encode(), envelope.data, kafka_headers(envelope))


def newest_of(messages: Iterable[Message]) -> datetime:
    """The time of the newest event."""
    return max(datetime.fromisoformat(dict(each.headers)["ce_time"].decode()) for each in messages)
