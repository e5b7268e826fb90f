# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
"""The feature levels of a cluster: a checkpoint for a new data folder, an update for one that was made without it.

Without them a client with `group.protocol=consumer` (KIP-848) is refused. Kafka's own storage tool writes the
checkpoint; it has no cluster id in it, so one copy in the user's cache serves every folder of this release.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from services.devstack.embedded import processes
from services.devstack.embedded.cache import cache_folder, one_at_a_time
from services.devstack.embedded.failures import PartFailed
from services.devstack.embedded.jars import lock_digest

CHECKPOINT: Final = "bootstrap.checkpoint"
LEVELS: Final[Mapping[str, int]] = {
    "group.version": 1,
    "transaction.version": 2,
    "eligible.leader.replicas.version": 1,
}
"""What the storage tool of the locked release gives a new cluster, besides `metadata.version`; tested equal to it."""

_TOOL_SECONDS = 60.0
_UPGRADE = 1  # upgradeType of an UpdateFeatures request: only to a higher level
_TIMEOUT_MS = 10_000
# The smallest file that the tool accepts; nothing of it is in the checkpoint.
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:8,CONTROLLER://127.0.0.1:9
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
"""


def bootstrap_checkpoint(java: Sequence[str], *, cluster_id: str) -> Path:
    """The checkpoint for new data folders, made by Kafka's storage tool unless it is in the cache.

    `java` is the command up to the main class. Raises `PartFailed` when the tool fails.
    """
    path = cache_folder() / f"kafka-{lock_digest()}.checkpoint"
    if not path.exists():
        with one_at_a_time(cache_folder(), "checkpoint"):
            if not path.exists():
                _make_checkpoint(java, cluster_id, path)
    return path


def _make_checkpoint(java: Sequence[str], cluster_id: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-format-") as name:
        folder = Path(name)
        settings, log = folder / "server.properties", folder / "format.log"
        settings.write_text(_PROPERTIES.format(folder / "logs"))
        tool = ["kafka.tools.StorageTool", "format", "--config", str(settings), "--cluster-id", cluster_id]
        made = folder / "logs" / CHECKPOINT
        if processes.spawn([*java, *tool], log=log).wait(_TOOL_SECONDS) != 0 or not made.exists():
            raise PartFailed(f"Kafka's storage tool could not format a folder:\n{processes.tail(log)}")
        shutil.copyfile(made, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)


async def enable_features(bootstrap: str) -> None:
    """Raise the features of a running cluster to `LEVELS`; one that is there already stays as it is.

    Source: the messages UpdateFeaturesRequest and UpdateFeaturesResponse, version 1, of Apache Kafka's protocol.
    Raises `KafkaError` or `OSError`.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=_TIMEOUT_MS)
    try:
        await client.bootstrap()
        answer = cast("Any", await client.send(client.get_random_node(), _UpdateFeatures()))
    finally:
        await client.close()
    if answer.error_code:
        raise cast("type[KafkaError]", for_code(answer.error_code))(answer.error_message)


class _Answer(Response):
    API_KEY = 57
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", CompactString("utf-8")),
        (
            "results",
            CompactArray(
                ("feature", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 57
    API_VERSION = 1
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("timeout_ms", Int32),
        (
            "feature_updates",
            CompactArray(
                ("feature", CompactString("utf-8")),
                ("max_version_level", Int16),
                ("upgrade_type", Int8),
                ("tags", TaggedFields),
            ),
        ),
        ("validate_only", Boolean),
        ("tags", TaggedFields),
    )


class _UpdateFeatures(Request[_Question]):
    API_KEY = 57

    def build(self, request_struct_class: type[_Question]) -> _Question:
        updates = [(feature, level, _UPGRADE, {}) for feature, level in LEVELS.items()]
        return request_struct_class(_TIMEOUT_MS, updates, False, {})  # noqa: FBT003 - validate_only
