"""The mix of facts is what it says, and files of CloudEvents are read as it is."""

from collections import Counter
from pathlib import Path

import orjson
import pytest

from schemas.envelope import from_kafka
from schemas.events import read_data
from services.chassis.kafka_message import Message
from tests.benchmarks.mixed_events import SHARES, Mix, newest_of, read_facts


def kinds_of(messages: list[Message]) -> Counter[str]:
    types = Counter(dict(message.headers)["ce_type"].decode() for message in messages)
    return Counter(
        {name.removeprefix("drumbeat.").removesuffix(".v1"): count for name, count in types.items()}
    )


def test_every_fact_of_the_mix_is_valid_and_each_kind_has_its_share() -> None:
    messages = [*Mix(50).history(2), *Mix(50).take(4_000)]

    for message in messages:
        envelope = from_kafka(message.headers, message.value)
        assert read_data(envelope.type, envelope.data).cleanings == ()
    kinds = kinds_of(messages[100:])
    assert kinds["usage.reported"] / 4_000 == pytest.approx(SHARES["usage"] / 1_000, rel=0.1)
    assert (kinds["nps.answered"] + kinds["survey.answered"]) / 4_000 == pytest.approx(0.04, rel=0.4)


def test_facts_of_files_go_to_the_topics_that_carry_them(tmp_path: Path) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "/crm", "type": "drumbeat.nps.answered.v1", "subject": "acme",
        "time": "2026-03-01T10:00:00Z", "data": {"score": 9},
    }  # fmt: skip
    outcome = event | {
        "id": "2", "type": "drumbeat.touchpoint.settled.v1", "time": "2026-03-02T10:00:00Z",
        "data": {"touchpoint_type": "check_in", "outcome": "completed"},
    }  # fmt: skip
    path = tmp_path / "facts.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, (event, outcome))) + b"\n")

    messages = [*read_facts([path])]

    assert [message.topic for message in messages] == ["account.signals", "touchpoint.outcomes"]
    assert {message.key for message in messages} == {b"acme"}
    assert newest_of(messages).day == 2
