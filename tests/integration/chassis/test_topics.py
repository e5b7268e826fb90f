"""Topics on three brokers: none is taken for empty while a broker does not have its metadata yet."""

from pathlib import Path

import pytest

from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from services.devstack.embedded.kafka import EmbeddedKafka

pytestmark = pytest.mark.integration


async def test_a_new_topic_has_all_its_partitions_whichever_broker_answers(folder: Path) -> None:
    async with EmbeddedKafka(folder / "three-brokers", nodes=3) as brokers:
        kafka = Kafka(bootstrap_servers=brokers.bootstrap, partitions=12)
        names = [f"fresh-{number}" for number in range(30)]

        for name in names:
            cluster = await ensure_topics(kafka, [TopicSpec(name)])
            assert cluster.partitions == {name: 12}

        again = await ensure_topics(kafka, [TopicSpec(name) for name in names])
        assert again.partitions == dict.fromkeys(names, 12)
