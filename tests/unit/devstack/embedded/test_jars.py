"""The lock of the broker's jars."""

import re
from pathlib import Path

from services.devstack.embedded.jars import LOCK, Jar, lock_digest, locked_jars


def test_every_jar_is_pinned_by_version_and_checksum() -> None:
    jars = locked_jars()
    assert len(jars) == 46
    assert len({jar.place for jar in jars}) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_the_broker_is_first_on_the_class_path() -> None:
    assert locked_jars()[0].name == "kafka_2.13-4.1.1.jar"


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK.read_text()


def test_a_jar_has_the_path_of_a_maven_repository() -> None:
    place = Jar("org.apache.kafka", "kafka_2.13", "4.1.1", "0" * 64).place
    assert place == Path("org/apache/kafka/kafka_2.13/4.1.1/kafka_2.13-4.1.1.jar")


def test_the_digest_changes_with_the_lock(tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.write_text(LOCK.read_text() + "\n")
    assert lock_digest(other) != lock_digest()
