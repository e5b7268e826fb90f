"""Render the topics as an AsyncAPI 3.0 document, so that the document always agrees with the code."""

from collections.abc import Iterator
from typing import Final

from schemas.topics import MODELS, TOPICS, Party, Topic

Json = dict[str, object]

DIALECT: Final = "application/schema+json;version=draft-2020-12"
CONTENT_TYPE: Final = "application/json"
PARTITIONS: Final = 12
DEAD_LETTER: Final = "record.buried"
"""The published name of the message; it stays as it is for the readers of the document."""

_PARTIES: Final[dict[Party, str]] = {
    "rules_engine": "Reads facts and evaluates plans.",
    "scheduler": "Keeps the calendar and reports which touchpoints are due.",
    "notifier": "Sends messages to people and their tools and reports the outcomes.",
    "outside": "Producers and consumers other than the services.",
}


def document(version: str) -> Json:
    """The whole AsyncAPI document as JSON data; payloads refer to the files beside it in `jsonschema/`."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:drumbeat",
        "info": {
            "title": "Drumbeat",
            "version": version,
            "description": "An event-driven customer cadence engine. Messages are CloudEvents 1.0, written "
            "in Kafka's binary content mode and read in the binary and the structured content mode "
            "(content-type application/cloudevents+json). Every topic is delivered at least once.",
            "tags": [{"name": party, "description": about} for party, about in _PARTIES.items()],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {"messages": _messages()},
    }


def message_name(event_type: str) -> str:
    """The name of a message in the document: its type without the product."""
    return event_type.removeprefix("drumbeat.")


def _server() -> Json:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "Apache Kafka 3.7 or later.",
        "variables": {
            "bootstrap": {
                "default": "127.0.0.1:9092",
                "description": "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS, or the embedded broker's address.",
            }
        },
    }


def _channel(topic: Topic) -> Json:
    configuration: Json = {"cleanup.policy": [topic.cleanup]}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.about} Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> Iterator[tuple[str, Json]]:
    for topic in TOPICS:
        for action, parties in (("send", topic.writers), ("receive", topic.readers)):
            for party in parties:
                yield f"{party}.{action}.{topic.name}", _operation(topic, action, party)


def _operation(topic: Topic, action: str, party: Party) -> Json:
    verb = "writes" if action == "send" else "reads"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{party} {verb} {topic.name}",
        "tags": [{"name": party}],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in _message_names(topic)],
    }


def _message_names(topic: Topic) -> tuple[str, ...]:
    return tuple(message_name(event_type) for event_type in topic.types) or (DEAD_LETTER,)


def _messages() -> Json:
    messages: Json = {}
    for topic in TOPICS:
        for event_type in topic.types:
            messages[message_name(event_type)] = _message(topic, event_type)
    messages[DEAD_LETTER] = {
        "name": DEAD_LETTER,
        "title": "A record that could not be read",
        "summary": "The record, unchanged; additional headers name its origin and what is wrong with it.",
        "headers": _headers("drumbeat_reason", "drumbeat_topic", "drumbeat_partition", "drumbeat_offset"),
        "bindings": _key("the original key"),
    }
    return messages


def _message(topic: Topic, event_type: str) -> Json:
    return {
        "name": event_type,
        "title": MODELS[event_type].__name__,
        "summary": (MODELS[event_type].__doc__ or "").strip(),
        "contentType": CONTENT_TYPE,
        "headers": _ce_headers(event_type),
        "payload": {"schemaFormat": DIALECT, "schema": {"$ref": f"jsonschema/{event_type}.json"}},
        "bindings": _key(topic.key),
    }


def _ce_headers(event_type: str) -> Json:
    headers = _headers(
        "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type"
    )
    properties: Json = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "maxLength": 255},
        "ce_source": {"type": "string", "maxLength": 1024},
        "ce_type": {"type": "string", "const": event_type},
        "ce_subject": {"type": "string", "maxLength": 200, "description": "The record's key."},
        "ce_time": {"type": "string", "format": "date-time", "description": "The time of the event."},
        "content-type": {"type": "string", "const": CONTENT_TYPE},
    }
    return {**headers, "properties": properties}


def _headers(*names: str) -> Json:
    return {
        "type": "object",
        "required": list(names),
        "properties": {name: {"type": "string"} for name in names},
    }


def _key(about: str) -> Json:
    return {"kafka": {"key": {"type": "string", "description": about}, "bindingVersion": "0.5.0"}}
