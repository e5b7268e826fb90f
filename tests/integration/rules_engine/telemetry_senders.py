"""What the senders of docs/telemetry.md send with the configurations that stand there."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.stack import ROOT

PAGE = (ROOT / "docs" / "telemetry.md").read_text()


def example(language: str) -> str:
    """The one block of the page in this language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return block


@dataclass(frozen=True)
class Sending:
    """A request: the path of its address, its headers, its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


def collector(signal: str, body: bytes, secret: str) -> Sending:
    """The request of the Collector's exporter otlphttp for what it has of a signal, `logs` or `metrics`."""
    document: Any = yaml.safe_load(example("yaml"))
    (name,) = document["service"]["pipelines"][signal]["exporters"]
    exporter = document["exporters"][name]
    assert (exporter["encoding"], exporter["compression"]) == ("json", "none")
    headers = {
        each: value.replace("${env:WEBHOOK_SECRET}", secret) for each, value in exporter["headers"].items()
    }
    return Sending(
        _path(exporter[f"{signal}_endpoint"]), {**headers, "content-type": "application/json"}, body
    )


def http_sink(values: Sequence[str], key: str) -> Sending:
    """The request of Aiven's HTTP sink connector for a batch of records; its suffix is a line end by default."""
    config: dict[str, str] = json.loads(example("json"))["config"]
    assert len(values) <= int(config["batch.max.size"])
    body = config["batch.separator"].join(values) + "\n"
    headers = {
        "authorization": config["http.headers.authorization"].replace("db_KEY", key),
        "content-type": config["http.headers.content.type"],
    }
    return Sending(_path(config["http.url"]), headers, body.encode())


def source_connector(**settings: str) -> str:
    """The properties of the source connector, with some settings replaced."""
    options = dict(line.split("=", 1) for line in example("properties").splitlines())
    assert settings.keys() <= options.keys()
    return "".join(f"{name}={value}\n" for name, value in (options | settings).items())


def _path(address: str) -> str:
    return address.removeprefix("https://drumbeat.example.com")
