# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Topics are created once, with a partition count that never changes: a key's partition must not move."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from services.chassis.kafka import client_options
from services.chassis.settings import Kafka

METADATA_SECONDS = 30.0  # real time until the broker's metadata must contain a new topic


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to be created if absent; `configs` uses the broker's names (cleanup.policy, …)."""

    name: str
    configs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Cluster:
    """The broker's cluster id, to which stored offsets belong, and the number of partitions by topic."""

    id: str
    partitions: Mapping[str, int]


class TopicsNotMade(Exception):
    """The broker refused to create a topic; the message contains its reason."""


async def ensure_topics(kafka: Kafka, topics: Sequence[TopicSpec]) -> Cluster:
    """Create the topics that are missing. Many processes may call it at once.

    Raises `TopicsNotMade`, and TimeoutError when the broker's metadata does not contain the topics in time.
    """
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=15_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [_new_topic(kafka, topic) for topic in topics if topic.name not in existing]
        if missing:
            _raise_refusals(await admin.create_topics(missing))
        partitions = await _partitions(admin, topics, {topic.name for topic in missing}, kafka.partitions)
        cluster = await admin.describe_cluster()
        return Cluster(str(cluster["cluster_id"]), partitions)
    finally:
        await admin.close()


async def _partitions(
    admin: AIOKafkaAdminClient, topics: Sequence[TopicSpec], new: set[str], wanted: int
) -> dict[str, int]:
    """The number of partitions by topic, once the broker that answers has metadata of all of them.

    A broker that has no metadata of a new topic yet describes it as unknown, with no partitions: a consumer that
    believed it would read nothing of the topic, without an error.
    """
    names = [topic.name for topic in topics]
    async with asyncio.timeout(METADATA_SECONDS):
        while True:
            described = cast("list[dict[str, Any]]", await admin.describe_topics(names))
            partitions = {
                str(topic["topic"]): len(topic["partitions"])
                for topic in described
                if not topic["error_code"]
                and len(topic["partitions"]) >= (wanted if topic["topic"] in new else 1)
            }
            if len(partitions) == len(names):
                return partitions
            await asyncio.sleep(0.1)


def _new_topic(kafka: Kafka, topic: TopicSpec) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=kafka.partitions,
        replication_factor=kafka.replication_factor,
        # aiokafka accepts -1, the broker's default, only together with an assignment, which may be empty.
        replica_assignments={} if kafka.replication_factor == -1 else None,
        topic_configs=dict(topic.configs),
    )


def _raise_refusals(response: Any) -> None:
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicsNotMade(f"topic {name}: {error.__name__} {message}")
