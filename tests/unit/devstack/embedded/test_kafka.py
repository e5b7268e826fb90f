"""A broker that died and one that does not answer are told apart."""

import subprocess
import sys
from pathlib import Path

from services.devstack.embedded.kafka import describe_death, describe_silence
from services.devstack.embedded.kafka_node import Layout, Node, Ports


def nodes(folder: Path, *codes: int | None) -> list[Node]:
    """Nodes whose processes ended with these exit codes; None: it runs until it is killed."""
    layout = Layout("cluster", tuple(Ports(n, n) for n, _ in enumerate(codes)), 1)
    made: list[Node] = []
    for number, code in enumerate(codes, start=1):
        node = Node(number, folder / f"node-{number}", layout)
        program = "import signal; signal.pause()" if code is None else f"raise SystemExit({code})"
        child = subprocess.Popen(
            [sys.executable, "-c", program],
        )
        if code is not None:
            child.wait()
        node._child = child  # pyright: ignore[reportPrivateUsage]
        made.append(node)
    return made


def test_a_broker_that_died_and_one_that_is_slow_are_two_sentences(tmp_path: Path) -> None:
    """Issue 11, A13 e."""
    dead, silent, half = nodes(tmp_path, 3), nodes(tmp_path, None), nodes(tmp_path, None, 1)
    assert describe_death(dead).startswith(
        "Kafka ended before it was ready (node 1 with exit code 3); the end of"
    )
    assert describe_silence(silent, 90).startswith(
        "Kafka runs, but was not ready within 90 s: the machine may be"
    )
    assert "within 90 s, without node 2, which ended with exit code 1: " in describe_silence(half, 90)
    for node in (*silent, *half):
        node.kill()
