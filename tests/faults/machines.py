"""Three machines with a broker and a replica of each service, and one with the database, on an unkind network."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.devstack.embedded import kafka_node
from services.devstack.embedded.kafka_node import Layout
from services.devstack.embedded.ports import free_ports
from tests.faults.network import Network
from tests.stack import Stack

NUMBERS: Final = (1, 2, 3)
DATABASE: Final = "database"
plain_properties = kafka_node.properties


def machine(number: int) -> str:
    return f"machine-{number}"


@dataclass
class Machines:
    """Who reaches whom by which port. What is on a machine reaches every broker by the listener of this machine.

    The nodes of `services.devstack.embedded` get one listener more for each machine, which brokers advertise as the
    ports of the links that lead to it; brokers and controllers reach each other by the links of their own machine.
    """

    network: Network
    bootstraps: dict[int, str] = field(default_factory=dict[int, str])
    _ports: dict[Layout, dict[tuple[int, int], tuple[int, int]]] = field(
        default_factory=dict[Layout, dict[tuple[int, int], tuple[int, int]]]
    )

    def properties(self, layout: Layout, node: int, log_dir: Path) -> dict[str, str]:
        """The `server.properties` of a node, whose number is that of its machine."""
        values = plain_properties(layout, node, log_dir)
        ports = self._listeners(layout)
        own = {source: ports[source, node] for source in NUMBERS}
        listeners = [f"M{source}://127.0.0.1:{port}" for source, (port, _) in own.items()]
        advertised = [f"M{source}://127.0.0.1:{link}" for source, (_, link) in own.items()]
        protocols = [f"M{source}:PLAINTEXT" for source in NUMBERS]
        voters = [
            f"{number}@127.0.0.1:{self._port(node, number, each.controller)}"
            for number, each in enumerate(layout.nodes, start=1)
        ]
        return values | {
            "listeners": ",".join([values["listeners"], *listeners]),
            "advertised.listeners": ",".join([values["advertised.listeners"], *advertised]),
            "listener.security.protocol.map": ",".join(
                [values["listener.security.protocol.map"], *protocols]
            ),
            "inter.broker.listener.name": f"M{node}",
            "controller.quorum.voters": ",".join(voters),
            # What is late for a while, on a busy machine too, is not away.
            "broker.session.timeout.ms": "9000",
            "broker.heartbeat.interval.ms": "1000",
            "controller.quorum.election.timeout.ms": "2000",
            "controller.quorum.fetch.timeout.ms": "6000",
        }

    def settings(self, number: int, stack: Stack) -> dict[str, str]:
        """The addresses by which what runs on this machine reaches the brokers, the database and other services.

        Services that ask others ask those of the first machine.
        """
        assert stack.postgres.port is not None
        port = self.network.port(machine(number), DATABASE, stack.postgres.port)
        asked = {name: stack.ports[name] for name in ("rules_engine", "scheduler")}
        if number != NUMBERS[0]:
            asked = {name: self._port(number, NUMBERS[0], target) for name, target in asked.items()}
        return {
            "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": self.bootstraps[number],
            "DRUMBEAT_DATABASE__URL": f"postgresql://postgres@127.0.0.1:{port}/",
            **{f"DRUMBEAT_{name.upper()}__URL": f"http://127.0.0.1:{at}" for name, at in asked.items()},
        }

    @contextlib.contextmanager
    def isolated(self, number: int) -> Generator[None]:
        with self.network.isolated(machine(number)):
            yield

    def _listeners(self, layout: Layout) -> dict[tuple[int, int], tuple[int, int]]:
        """(machine, node) -> (port of the listener, port of the link to it); the same for every node of a cluster."""
        if layout not in self._ports:
            pairs = [(source, node) for source in NUMBERS for node in NUMBERS]
            listening = dict(zip(pairs, free_ports(len(pairs)), strict=True))
            made = {pair: (port, self._port(*pair, port)) for pair, port in listening.items()}
            self._ports[layout] = made
            self.bootstraps = {
                source: ",".join(f"127.0.0.1:{made[source, node][1]}" for node in NUMBERS)
                for source in NUMBERS
            }
        return self._ports[layout]

    def _port(self, source: int, destination: int, target: int) -> int:
        return self.network.port(machine(source), machine(destination), target)
