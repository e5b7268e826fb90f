"""One Kafka node: its properties, its formatted data folder, its process."""

import base64
import json
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.ids import digest
from services.devstack.embedded import processes
from services.devstack.embedded.kafka_features import CHECKPOINT


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a node: for clients, and for the controllers of the other nodes."""

    broker: int
    controller: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What all nodes of a cluster share."""

    cluster_id: str
    nodes: tuple[Ports, ...]
    partitions: int

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{ports.broker}" for ports in self.nodes)

    @property
    def voters(self) -> str:
        return ",".join(f"{n}@127.0.0.1:{ports.controller}" for n, ports in enumerate(self.nodes, start=1))


def short_id(*parts: str) -> str:
    """A Kafka UUID (22 characters, base64url) derived from its parts."""
    return base64.urlsafe_b64encode(digest(*parts)).decode().rstrip("=")


def properties(layout: Layout, node: int, log_dir: Path) -> dict[str, str]:
    """The `server.properties` of a node (numbered from 1): small, and quick to notice the death of another node."""
    ports, many = layout.nodes[node - 1], len(layout.nodes) > 1
    replicas, in_sync = ("3", "2") if many else ("1", "1")
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": layout.voters,
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.broker},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.broker}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir),
        "num.partitions": str(layout.partitions),
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.num.partitions": "3",
        "group.initial.rebalance.delay.ms": "0",
        # The default of 128 MiB does not fit into the small heap and ends the broker.
        "log.cleaner.dedupe.buffer.size": "8388608",
        "log.segment.bytes": "67108864",
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500" if many else "1000",
        # At rest the controller would write a record every half a second.
        "metadata.max.idle.interval.ms": "5000",
        # Threads that wait look around three times a second; a broker on a developer's machine has few clients.
        "num.network.threads": "1",
        "num.io.threads": "3",
        "controller.quorum.election.timeout.ms": "500",
        "controller.quorum.fetch.timeout.ms": "1500",
    }


class Node:
    """One process of the cluster; nodes are numbered from 1."""

    def __init__(self, number: int, folder: Path, layout: Layout) -> None:
        self.number = number
        self.layout = layout
        self.log = folder / "kafka.log"
        self._folder, self._logs = folder, folder / "logs"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.layout.nodes[self.number - 1].broker}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def end(self) -> str:
        """How the process ended: its exit code or the signal."""
        code = None if self._child is None else self._child.poll()
        return "no process" if code is None else processes.describe_end(code)

    def spawn(self, java: Sequence[str], checkpoint: Path) -> None:
        """Write the node's files and start it; `java` is the command up to the main class."""
        self.format(checkpoint)
        settings = self._folder / "server.properties"
        self._child = processes.spawn([*java, "kafka.Kafka", str(settings)], log=self.log)

    @property
    def has_checkpoint(self) -> bool:
        """Whether the data folder is formatted in full: earlier versions of Drumbeat left the checkpoint out."""
        return (self._logs / CHECKPOINT).exists()

    def add_checkpoint(self, checkpoint: Path) -> None:
        """Copy the checkpoint into the data folder. A broker reads it only while the folder has no metadata."""
        new = self._logs / f"{CHECKPOINT}.new"
        shutil.copyfile(checkpoint, new)
        new.rename(self._logs / CHECKPOINT)

    def format(self, checkpoint: Path) -> None:
        """Format the data folder as Kafka's storage tool does, without a second JVM; `checkpoint` is the tool's."""
        logs = self._logs
        logs.mkdir(parents=True, exist_ok=True)
        identity = {
            "version": "1",
            "cluster.id": self.layout.cluster_id,
            "node.id": str(self.number),
            "directory.id": short_id("directory", self.layout.cluster_id, str(self.number)),
        }
        if not (logs / "meta.properties").exists():
            self.add_checkpoint(checkpoint)
            _write(logs / "meta.properties", identity)
        _write(self._folder / "server.properties", properties(self.layout, self.number, logs))

    def send(self, number: signal.Signals) -> None:
        if self._child is not None and self.alive():
            self._child.send_signal(number)

    def kill(self) -> None:
        if self._child is not None:
            processes.kill(self._child)

    async def ended(self, seconds: float) -> bool:
        return self._child is None or await processes.until_exit(self._child, seconds)


def _write(path: Path, values: dict[str, str]) -> None:
    new = path.with_suffix(".new")
    new.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    new.rename(path)


def remembered_cluster(folder: Path, fresh: str) -> str:
    """The cluster id of this data directory; the first start writes `fresh` down."""
    path = folder / "cluster.json"
    try:
        return str(json.loads(path.read_bytes())["cluster_id"])
    except (OSError, ValueError, KeyError):
        path.write_text(json.dumps({"cluster_id": fresh}))
        return fresh
