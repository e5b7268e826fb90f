"""A node's properties and its formatted data folder."""

from pathlib import Path

import pytest

from services.devstack.embedded.kafka_features import CHECKPOINT
from services.devstack.embedded.kafka_node import (
    Layout,
    Node,
    Ports,
    properties,
    remembered_cluster,
    short_id,
)

ONE = Layout("c" * 22, (Ports(1, 2),), 12)
THREE = Layout("c" * 22, (Ports(1, 2), Ports(3, 4), Ports(5, 6)), 12)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    made = tmp_path / "of-the-tool"
    made.write_bytes(b"records")
    return made


def lines(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_three_nodes_acknowledge_what_two_have_stored() -> None:
    made = properties(THREE, 2, Path("/logs"))
    assert made["default.replication.factor"] == "3"
    assert made["min.insync.replicas"] == "2"
    assert made["transaction.state.log.min.isr"] == "2"
    assert made["controller.quorum.voters"] == "1@127.0.0.1:2,2@127.0.0.1:4,3@127.0.0.1:6"
    assert made["listeners"] == "PLAINTEXT://127.0.0.1:3,CONTROLLER://127.0.0.1:4"


def test_one_node_does_not_wait_for_others() -> None:
    made = properties(ONE, 1, Path("/logs"))
    assert {made[name] for name in made if name.endswith(("replication.factor", "min.isr"))} == {"1"}
    assert made["auto.create.topics.enable"] == "false"


def test_a_broker_is_missed_three_times_before_its_session_ends() -> None:
    """One that is busy is not fenced for one late heartbeat; the controller ends a session after three seconds."""
    for layout in (ONE, THREE):
        made = properties(layout, 1, Path("/logs"))
        beat = int(made["broker.heartbeat.interval.ms"])
        assert 3 * beat <= int(made["broker.session.timeout.ms"])


def test_a_node_at_rest_writes_a_record_every_five_seconds_at_most() -> None:
    made = properties(ONE, 1, Path("/logs"))
    assert int(made["metadata.max.idle.interval.ms"]) == 5_000


def test_a_folder_is_formatted_once_and_keeps_its_identity(tmp_path: Path, checkpoint: Path) -> None:
    Node(1, tmp_path, ONE).format(checkpoint)
    first = lines(tmp_path / "logs" / "meta.properties")
    Node(1, tmp_path, Layout("d" * 22, ONE.nodes, 12)).format(checkpoint)
    assert lines(tmp_path / "logs" / "meta.properties") == first
    assert first["cluster.id"] == "c" * 22
    assert len(first["directory.id"]) == 22


def test_a_new_folder_has_the_checkpoint_and_one_of_an_earlier_version_does_not_get_it(
    tmp_path: Path, checkpoint: Path
) -> None:
    new, earlier = Node(1, tmp_path / "new", ONE), Node(1, tmp_path / "earlier", ONE)
    new.format(checkpoint)
    assert new.has_checkpoint
    assert (tmp_path / "new" / "logs" / CHECKPOINT).read_bytes() == b"records"

    earlier.format(checkpoint)
    (tmp_path / "earlier" / "logs" / CHECKPOINT).unlink()
    earlier.format(checkpoint)
    assert not earlier.has_checkpoint


def test_nodes_of_one_cluster_have_different_directory_ids(tmp_path: Path, checkpoint: Path) -> None:
    for number in (1, 2):
        Node(number, tmp_path / str(number), THREE).format(checkpoint)
    ids = {lines(tmp_path / str(n) / "logs" / "meta.properties")["directory.id"] for n in (1, 2)}
    assert len(ids) == 2


def test_the_first_start_stores_the_cluster_id(tmp_path: Path) -> None:
    first = remembered_cluster(tmp_path, short_id("a"))
    assert first == short_id("a")
    assert remembered_cluster(tmp_path, short_id("b")) == first


def test_a_short_id_is_22_characters_of_base64url() -> None:
    assert len(short_id("x")) == 22
    assert short_id("x") == short_id("x") != short_id("y")
