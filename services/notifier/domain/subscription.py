"""A subscription: an endpoint of somebody's tool, and which announcements it wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args

from services.notifier.domain.event import KINDS, Announcement, type_of

FilterField = Literal["account_id", "touchpoint_type", "owner", "csm_id", "channel", "status"]
FIELDS: tuple[FilterField, ...] = get_args(FilterField)
TYPES = frozenset(type_of(kind) for kind in KINDS)
ROTATION_GRACE = timedelta(hours=24)

Filter = Mapping[FilterField, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """No types: all of them. Each field of the filter must have one of its values; no filter: everything."""

    id: str
    url: str
    types: frozenset[str] = frozenset()
    filter: Filter = field(default_factory=dict[FilterField, Sequence[str]])

    def wants(self, heard: Announcement) -> bool:
        if heard.kind == "notice" or (self.types and heard.type not in self.types):
            return False
        return all(_field(heard, name) in values for name, values in self.filter.items())


def _field(heard: Announcement, name: FilterField) -> str | None:
    match name:
        case "owner":
            return heard.owner.kind
        case "csm_id":
            return heard.owner.csm_id
        case _:
            return str(getattr(heard, name))


@dataclass(frozen=True, slots=True)
class Secrets:
    """The signing keys of an endpoint (raw bytes, newest first), each but the newest with its real end."""

    current: bytes
    previous: bytes | None = None
    previous_until: datetime | None = None

    def valid_at(self, at: datetime) -> tuple[bytes, ...]:
        if self.previous is None or self.previous_until is None or at >= self.previous_until:
            return (self.current,)
        return (self.current, self.previous)

    def rotated(self, fresh: bytes, at: datetime) -> "Secrets":
        return Secrets(current=fresh, previous=self.current, previous_until=at + ROTATION_GRACE)


def payload(type_: str, time: str, data: bytes) -> bytes:
    """The body of a webhook: `{type, timestamp, data}` around the data as heard; `time` as RFC 3339."""
    return b'%b"%b","data":%b}' % (_opening(type_), time.encode(), data)


@lru_cache(maxsize=64)
def _opening(type_: str) -> bytes:
    return b'{"type":%b,"timestamp":' % json.dumps(type_).encode()
