"""Every published event type has a stored sample that is still read and written unchanged."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from schemas.base import unknown_fields
from schemas.envelope import from_kafka, from_structured, kafka_headers
from schemas.generate import json_schema
from schemas.topics import MODELS
from tests.unit.schemas.structured import to_structured

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = sorted(GOLDEN.glob("*.json"))


def test_every_type_has_a_sample() -> None:
    assert {sample.stem for sample in SAMPLES} == set(MODELS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_is_read_and_written_unchanged(sample: Path) -> None:
    envelope = from_structured(sample.read_bytes())
    message = MODELS[envelope.type].read(envelope.data)

    assert envelope.type == sample.stem
    assert unknown_fields(message) == []
    assert json.loads(message.model_dump_json(exclude_unset=True)) == json.loads(sample.read_bytes())["data"]
    assert type(message).read(message.write()).model_dump() == message.model_dump()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_is_equal_in_both_content_modes(sample: Path) -> None:
    envelope = from_structured(sample.read_bytes())

    assert from_kafka(kafka_headers(envelope), envelope.data) == envelope
    assert from_structured(to_structured(envelope)) == envelope


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_is_valid_under_the_published_json_schema(sample: Path) -> None:
    schema = jsonschema_rs.validator_for(json.loads(json_schema(sample.stem)))

    assert [str(problem) for problem in schema.iter_errors(json.loads(sample.read_bytes())["data"])] == []
