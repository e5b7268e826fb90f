"""The origin of the service clock: fixed at the first start of a data directory, never moved, never back."""

from collections.abc import Mapping
from datetime import datetime

from services.chassis.clock import ServiceClock, service_clock
from services.chassis.settings import Clock
from services.devstack.embedded.failures import CannotRun


def settle_clock(asked: Clock, remembered: Mapping[str, object] | None, now: datetime) -> Clock:
    """The clock of this run. What the settings leave open is what the data directory remembers; the first
    run fixes the origin at `now`. `CannotRun` when the wished mapping would send service time back.
    """
    held = Clock.model_validate(remembered) if remembered else None
    if held is None:
        origin = asked.origin or now
        return Clock(start=asked.start or origin, rate=asked.rate, origin=origin)
    explicit = asked.model_fields_set
    settled = Clock(
        start=asked.start or held.start,
        rate=asked.rate if "rate" in explicit else held.rate,
        origin=asked.origin or held.origin,
    )
    before, after = service_clock(held).at(now), service_clock(settled).at(now)
    if after < before:
        raise CannotRun(
            f"Service time never goes back: this data directory is at {before:%Y-%m-%d %H:%M:%S} and "
            f"DRUMBEAT_CLOCK__START, __RATE and __ORIGIN would make it {after:%Y-%m-%d %H:%M:%S}. Unset them "
            f"to go on with the clock it has, or set DRUMBEAT_DATA_DIR to another folder."
        )
    return settled


def clock_values(clock: Clock) -> dict[str, object]:
    """A settled clock as it is remembered and handed on: RFC 3339 texts and a number."""
    mapping: ServiceClock = service_clock(clock)
    return {
        "start": mapping.start.isoformat(),
        "rate": mapping.rate,
        "origin": mapping.origin.isoformat(),
    }
