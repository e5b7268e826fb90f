"""The layout of three machines: whoever is on one reaches the brokers of the others by its own links alone."""

import re
from collections.abc import Mapping
from pathlib import Path

from services.devstack.embedded.kafka_node import Layout, Ports
from tests.faults.machines import NUMBERS, Machines
from tests.faults.network import Network, Quality

THREE = Layout("c" * 22, (Ports(1, 2), Ports(3, 4), Ports(5, 6)), 12)


def addresses(setting: str) -> dict[str, int]:
    """Listener or voter -> port."""
    found = re.findall(r"(\w+)(?:://|@)127\.0\.0\.1:(\d+)", setting)
    return {name: int(port) for name, port in found}


def properties() -> list[Mapping[str, str]]:
    with Network(Quality()) as network:
        machines = Machines(network)
        return [machines.properties(THREE, number, Path("/logs")) for number in NUMBERS]


def test_brokers_reach_each_other_by_the_listener_of_their_machine() -> None:
    assert [each["inter.broker.listener.name"] for each in properties()] == ["M1", "M2", "M3"]


def test_what_a_broker_advertises_to_machines_is_where_links_listen() -> None:
    ports: list[int] = []
    for each in properties():
        listening, advertised = addresses(each["listeners"]), addresses(each["advertised.listeners"])
        for number in NUMBERS:
            assert advertised[f"M{number}"] != listening[f"M{number}"]
            ports += [advertised[f"M{number}"], listening[f"M{number}"]]
        assert advertised["PLAINTEXT"] == listening["PLAINTEXT"]  # for the ledger, which is on no machine
    assert len(set(ports)) == 2 * len(NUMBERS) ** 2


def test_controllers_reach_each_other_by_links_of_their_own_machine() -> None:
    voters = [addresses(each["controller.quorum.voters"]) for each in properties()]
    ports = [port for each in voters for port in each.values()]
    assert [sorted(each) for each in voters] == [["1", "2", "3"]] * 3
    assert len(set(ports)) == len(ports)
    assert not {each.controller for each in THREE.nodes} & set(ports)


def test_a_restarted_broker_keeps_the_addresses_that_clients_have() -> None:
    with Network(Quality()) as network:
        machines = Machines(network)
        first, again = (machines.properties(THREE, 2, Path("/logs")) for _ in range(2))
    assert first["advertised.listeners"] == again["advertised.listeners"]
    assert first["listeners"] == again["listeners"]
