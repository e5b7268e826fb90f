"""Topics are made once, with a partition count that is never changed: a key's partition must not move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.chassis.kafka import client_options
from services.chassis.settings import Kafka


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to be created if absent. `configs` are the broker's own names (cleanup.policy, retention.ms)."""

    name: str
    configs: Mapping[str, str] = field(default_factory=dict[str, str])


class TopicsNotMade(Exception):
    """The broker refused to create a topic; the message carries its reason."""


async def ensure_topics(kafka: Kafka, topics: Sequence[TopicSpec]) -> str:
    """Create what is missing and answer the cluster's id. Safe to call from many processes at once."""
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=15_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(
                name=topic.name,
                num_partitions=kafka.partitions,
                replication_factor=kafka.replication_factor,
                topic_configs=dict(topic.configs),
            )
            for topic in topics
            if topic.name not in existing
        ]
        if missing:
            answer = await admin.create_topics(missing)
            _raise_refusals(answer.topic_errors)
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def _raise_refusals(errors: Sequence[tuple[object, ...]]) -> None:
    for name, code, *message in errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError and issubclass(error, KafkaError):
            raise TopicsNotMade(f"topic {name}: {error.__name__} {message}")
