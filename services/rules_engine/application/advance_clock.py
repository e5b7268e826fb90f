"""Advance a service clock with rate 0: what may be asked for, and what is answered."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.times import parse_span

LONGEST = timedelta(days=3660)


def read_span(value: object) -> object:
    """`1d`, `12h`, `30m` and `45s` as spans; everything else is left to ISO 8601 (`P1D`) and seconds."""
    with suppress(ValueError):
        return parse_span(value) if isinstance(value, str) else value
    return value


Span = Annotated[
    timedelta,
    BeforeValidator(read_span),
    Field(gt=timedelta(0), le=LONGEST, description="1d, 12h, 30m, 45s; or ISO 8601 (P1DT12H); or seconds"),
]


class WantedAdvance(BaseModel):
    """How far the clock goes: by a span, or to a moment of service time."""

    model_config = ConfigDict(extra="forbid")

    by: Span | None = None
    to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "WantedAdvance":
        if (self.by is None) == (self.to is None):
            raise ValueError("give one of `by` (1d, 12h, 30m) and `to` (a moment of service time)")
        return self

    def moment(self, now: datetime) -> datetime:
        """Where the clock goes from `now`."""
        return self.to if self.to is not None else now + (self.by or timedelta())


class ClockAdvance(Protocol):
    async def __call__(self, wanted: WantedAdvance) -> dict[str, object]:
        """`{now}`: where the clock stands from now on. Raises `ClockRuns` unless the rate is 0."""
        ...
