"""Partitions over HTTP: list them with their offsets, resume one that halted."""

from typing import Annotated

from aiokafka import TopicPartition
from fastapi import APIRouter, Path, Query

from services.chassis.database import Database
from services.chassis.halts import list_partitions, resume_partition
from services.chassis.problems import Problem
from services.chassis.web import require

MOST_UNCOUNTED = 10_000_000


def partition_routes(database: Database, cluster: str) -> APIRouter:
    """`GET /v1/partitions` and `POST /v1/partitions/{topic}/{partition}/resume`, the same on every service."""
    router = APIRouter(prefix="/v1/partitions", tags=["partitions"])

    @router.get(
        "",
        summary="The partitions that this service reads, and why one halted",
        dependencies=[require("read")],
    )
    async def get_partitions() -> dict[str, object]:
        return {"items": await list_partitions(database, cluster)}

    @router.post(
        "/{topic}/{partition}/resume",
        summary="Read a halted partition again",
        dependencies=[require("admin")],
    )
    async def resume(
        topic: Annotated[str, Path(max_length=249)],
        partition: Annotated[int, Path(ge=0, le=2**31 - 1)],
        uncounted: Annotated[
            int,
            Query(
                ge=0,
                le=MOST_UNCOUNTED,
                description="how many of its next records may become dead letters without another halt",
            ),
        ] = 0,
    ) -> dict[str, object]:
        place = TopicPartition(topic, partition)
        next_offset = await resume_partition(database, cluster, place, uncounted=uncounted)
        if next_offset is None:
            raise Problem(
                404, f"No halted partition {topic}/{partition}. GET /v1/partitions lists all of them."
            )
        return {"topic": topic, "partition": partition, "next_offset": next_offset, "status": "resumed"}

    return router
