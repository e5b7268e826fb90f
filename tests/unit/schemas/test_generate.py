"""The generated documents are complete and agree with the topics."""

import json
import re
from typing import cast

import jsonschema_rs
import pytest
import yaml

from schemas.generate import documents
from schemas.topics import MODELS, TOPICS

Json = dict[str, "Json | list[Json] | str | int"]
DOCUMENTS = documents()
ASYNC_API = cast("dict[str, Json]", yaml.safe_load(DOCUMENTS["asyncapi.yaml"]))
NAME = re.compile(r"[A-Za-z0-9._-]+")


def resolve(reference: object) -> object:
    target: object = ASYNC_API
    for step in str(reference).removeprefix("#/").split("/"):
        target = cast("Json", target)[step]
    return target


def references(value: object) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [reference for member in cast("Json", value).values() for reference in references(member)]
        case list():
            return [reference for member in cast("list[object]", value) for reference in references(member)]
        case _:
            return []


def test_the_async_api_document_has_the_required_members() -> None:
    assert cast("object", ASYNC_API["asyncapi"]) == "3.0.0"
    assert {"title", "version"} <= ASYNC_API["info"].keys()
    for server in cast("list[Json]", list(ASYNC_API["servers"].values())):
        assert {"host", "protocol"} <= server.keys()
    for operation in cast("list[Json]", list(ASYNC_API["operations"].values())):
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"] is not None
    for section in ("servers", "channels", "operations"):
        assert all(NAME.fullmatch(name) for name in ASYNC_API[section])


def test_every_reference_resolves() -> None:
    inside = [reference for reference in references(ASYNC_API) if reference.startswith("#/")]
    files = {reference for reference in references(ASYNC_API) if not reference.startswith("#/")}

    assert all(resolve(reference) for reference in inside)
    assert files <= DOCUMENTS.keys()
    assert len(files) == len(MODELS)


def test_an_operation_refers_only_to_messages_of_its_channel() -> None:
    for operation in cast("list[Json]", list(ASYNC_API["operations"].values())):
        channel = str(cast("Json", operation["channel"])["$ref"])
        for message in cast("list[Json]", operation["messages"]):
            assert str(message["$ref"]).startswith(f"{channel}/messages/")


def test_every_writer_and_reader_of_a_topic_is_an_operation_and_no_other() -> None:
    arrows = {f"{party}.send.{topic.name}" for topic in TOPICS for party in topic.writers}
    arrows |= {f"{party}.receive.{topic.name}" for topic in TOPICS for party in topic.readers}

    assert set(ASYNC_API["operations"]) == arrows


@pytest.mark.parametrize("event_type", sorted(MODELS))
def test_a_json_schema_is_valid_has_a_urn_and_allows_additional_fields(event_type: str) -> None:
    schema = json.loads(DOCUMENTS[f"jsonschema/{event_type}.json"])

    jsonschema_rs.meta.validate(schema)
    assert schema["$id"] == f"urn:drumbeat:schema:{event_type}"
    assert schema["additionalProperties"] is True
    assert schema["title"]
    assert schema["description"]


def test_the_documents_name_no_url_except_that_of_the_schema_dialect() -> None:
    addresses = {
        address for content in DOCUMENTS.values() for address in re.findall(r"https?://[^\s\"']+", content)
    }

    assert addresses == {"https://json-schema.org/draft/2020-12/schema"}
