"""Ports are free, different, and the same as before when possible."""

import socket

from services.devstack.embedded.ports import free_port, free_ports, is_free, obstacle


def test_a_port_in_use_is_not_free_and_the_reason_is_the_system_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        assert not is_free(taken)
        assert obstacle(taken) == "Address already in use"
    assert is_free(taken)


def test_a_preferred_port_is_used_while_it_is_free() -> None:
    first = free_port()
    assert free_port(first) == first
    with socket.create_server(("127.0.0.1", first)):
        assert free_port(first) != first


def test_ports_chosen_together_are_different_even_when_the_preferred_ones_are_not() -> None:
    port = free_port()
    ports = free_ports(4, preferred=(port, port, None))
    assert ports[0] == port
    assert len(set(ports)) == 4


def test_chosen_ports_are_below_those_of_outgoing_connections() -> None:
    assert all(20_000 <= port < 30_000 for port in free_ports(8))
