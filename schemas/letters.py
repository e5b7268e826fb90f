"""A record that could not be read: kept whole, with reason and origin, so that it can be driven again."""

from typing import Annotated, Final

from pydantic import Field

from schemas.base import LongText, Name, Wire
from schemas.times import Instant

DEAD_LETTER: Final = "drumbeat.record.buried.v1"


class DeadLetter(Wire):
    """Where a record stood, what was wrong with it, and its bytes in base64."""

    service: Name
    topic: Name
    partition: Annotated[int, Field(ge=0, le=2**31)]
    offset: Annotated[int, Field(ge=0, le=2**63 - 1)]
    reason: LongText
    at: Instant
    key_base64: str | None = None
    value_base64: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    """Names and values of the record's headers, the values in base64."""
