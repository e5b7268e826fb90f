"""News of halted partitions: what to tell operators, given what was told before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from schemas.base import SchemaModel

HALTED_NEWS: Final = (
    "Partition {topic}/{partition} is halted",
    "The service {service} no longer reads partition {partition} of {topic}: {reason}.",
    "What is sent to it waits in Kafka; other partitions go on. Halted since {at} at the latest.",
    "GET /v1/dead-letters of {service} shows what could not be read. The steps are in the runbook, Halted partitions.",
    "When the cause is repaired, POST /v1/partitions/{topic}/{partition}/resume lets it go on.",
)
RESUMED_NEWS: Final = (
    "Partition {topic}/{partition} goes on",
    "The service {service} reads partition {partition} of {topic} again, since {at} at the latest.",
)


class Place(NamedTuple):
    """A partition as one service reads it."""

    service: str
    topic: str
    partition: int


class HaltNews(SchemaModel):
    """`reason`: why it halted; empty when it goes on. `at`: real time."""

    service: str
    topic: str
    partition: int
    state: Literal["halted", "resumed"]
    reason: str
    at: datetime

    @property
    def place(self) -> Place:
        return Place(self.service, self.topic, self.partition)


def find_halt_news(
    halted: Mapping[Place, str], answered: Collection[str], last: Iterable[HaltNews], at: datetime
) -> Sequence[HaltNews]:
    """What to tell: of each partition that has halted since it was last told of, and of each that goes on.

    `halted`: reasons by place, of the services that `answered`; of the others nothing is known. `last`: the last news of
    each partition.
    """
    known = {news.place for news in last if news.state == "halted"}
    begun = sorted(halted.keys() - known)
    ended = sorted(place for place in known - halted.keys() if place.service in answered)
    return [
        *(_news(place, "halted", halted[place], at) for place in begun),
        *(_news(place, "resumed", "", at) for place in ended),
    ]


def _news(place: Place, state: Literal["halted", "resumed"], reason: str, at: datetime) -> HaltNews:
    return HaltNews(**place._asdict(), state=state, reason=reason, at=at)
