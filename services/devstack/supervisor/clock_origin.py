"""The origin of the service clock: fixed at the first start of a data directory; service time never goes back."""

from datetime import datetime

from services.chassis.clock import service_clock
from services.chassis.settings import Clock
from services.devstack.embedded.failures import CannotRun


def resume_clock(settings: Clock, remembered: object, now: datetime) -> Clock:
    """The clock of this run. The data directory's `remembered` clock fills in what the settings leave open.

    The first run fixes the origin at `now`, the real time. Raises `CannotRun` when service time would go back.
    """
    previous = Clock.model_validate(remembered) if remembered else None
    if previous is None:
        origin = settings.origin or now
        return Clock(start=settings.start or origin, rate=settings.rate, origin=origin)
    clock = Clock(
        start=settings.start or previous.start,
        rate=settings.rate if "rate" in settings.model_fields_set else previous.rate,
        origin=settings.origin or previous.origin,
    )
    before, after = service_clock(previous).at(now), service_clock(clock).at(now)
    if after < before:
        raise CannotRun(
            f"Service time never goes back: this data directory is at {before:%Y-%m-%d %H:%M:%S} and "
            f"DRUMBEAT_CLOCK__START, __RATE and __ORIGIN would make it {after:%Y-%m-%d %H:%M:%S}. Unset them "
            f"to continue with its clock, or set DRUMBEAT_DATA_DIR to another folder."
        )
    return clock
