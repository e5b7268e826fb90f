"""Who sent an event: the key of the call, or the source of an event straight from Kafka."""

from collections.abc import Sequence
from typing import Final

ACTOR_HEADER: Final = "drumbeat_actor"
"""Kafka header of an event that came over HTTP: the id of the key."""


def actor_of(headers: Sequence[tuple[str, bytes]], source: str) -> str:
    """The id of the key that sent the event, by headers that are believed, else `source ...`; at most 200 characters."""
    actor = next((value.decode("ascii", "replace") for name, value in headers if name == ACTOR_HEADER), "")
    return (actor or f"source {source}")[:200]
