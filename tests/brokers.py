"""The brokers of the stacks of a test process.

A broker of one node serves one stack after the other: starting it takes more processor time than all services together.
Each stack finds it without a topic.
"""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from services.chassis.kafka import client_options
from services.chassis.settings import Kafka
from services.devstack.embedded.kafka import EmbeddedKafka


class BreakableKafka(EmbeddedKafka):
    """An embedded Kafka whose nodes a test freezes and restarts."""

    def freeze(self, node: int = 1) -> None:
        """SIGSTOP: the process exists, but does not answer."""
        self.nodes[node - 1].send(signal.SIGSTOP)

    def thaw(self, node: int = 1) -> None:
        self.nodes[node - 1].send(signal.SIGCONT)

    def processor_seconds(self, node: int = 1) -> float:
        """Of a processor, that the node has had since it was started."""
        fields = Path(f"/proc/{self.nodes[node - 1].pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def restart(self, node: int = 1) -> None:
        """Kill a node if it runs, start the nodes that do not run, wait until all are listed."""
        self.kill(node)
        await self.start()

    async def delete_topics(self) -> None:
        """All of them but the broker's own."""
        admin = AIOKafkaAdminClient(**client_options(Kafka(bootstrap_servers=self.bootstrap)))
        await admin.start()
        try:
            topics = [name for name in await admin.list_topics() if not name.startswith("__")]
            answer: Any = await admin.delete_topics(topics)
        finally:
            await admin.close()
        for name, code in answer.topic_error_codes:
            if code and for_code(code) is not UnknownTopicOrPartitionError:
                raise AssertionError(f"the topic {name} was not deleted: {for_code(code).__name__}")


class Brokers:
    """Lends a broker to each stack."""

    def __init__(self) -> None:
        self._shared: BreakableKafka | None = None
        self._is_lent = False

    async def lend(self, folder: Path, nodes: int) -> BreakableKafka:
        """A running broker. One of several nodes, or for a second stack at the same time, is made anew in the folder."""
        if nodes > 1 or self._is_lent:
            own = BreakableKafka(folder, nodes=nodes)
            await own.start()
            return own
        if self._shared is None:
            shared = Path(tempfile.mkdtemp(prefix="drumbeat-broker-"))
            atexit.register(shutil.rmtree, shared, ignore_errors=True)
            self._shared = BreakableKafka(shared)
            await self._shared.start()
        self._is_lent = True
        return self._shared

    async def take_back(self, broker: BreakableKafka) -> None:
        """Stop it, or empty it for the next stack, also after a test that left it frozen or killed."""
        if broker is not self._shared:
            await broker.stop()
            return
        broker.thaw()
        await broker.start()
        await broker.delete_topics()
        self._is_lent = False


BROKERS = Brokers()
