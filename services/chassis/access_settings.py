"""Settings of access: sessions, rates of keys, mail providers, calendars, and how much checks of policies may use."""

from typing import Annotated

from pydantic import Field

from services.chassis.setting_group import Group


class Sessions(Group):
    """Sessions of the console: how long one lasts."""

    hours: int = Field(default=12, ge=1, le=720)


class PolicyChecks(Group):
    """Limits of one check or comparison of a policy, and how many wait before more are refused."""

    seconds: float = Field(default=40, gt=0, le=600)
    megabytes: int = Field(default=1024, ge=256)
    most_waiting: int = Field(default=4, ge=0, le=1000)
    readers_share: float = Field(default=0.25, gt=0, le=1, description="of a processor, for explanations")


class Simulations(Group):
    """Limits of one simulation of the book, and how many wait before more are refused."""

    seconds: float = Field(default=300, gt=0, le=3_600)
    megabytes: int = Field(default=4_096, ge=512)
    most_waiting: int = Field(default=1, ge=0, le=100)
    processes: int = Field(default=2, ge=1, le=16)


class BusyCalendars(Group):
    """The calendars of CSMs, whose busy time is kept free: how often each is read, and how long what was read counts."""

    every_seconds: float = Field(default=900, ge=1, le=86_400, description="real time between two readings")
    kept_days: float = Field(
        default=7, gt=0, le=90, description="real time for which busy time counts that cannot be read again"
    )


class Inbound(Group):
    """What proves that events about mail come from the provider; without it they are refused."""

    postmark_secret: str | None = Field(default=None, min_length=16, max_length=200)
    ses_topic_arn: str | None = Field(
        default=None, pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d+:[A-Za-z0-9_.-]+$"
    )


KeyId = Annotated[str, Field(pattern=r"^[0-9a-z]{1,40}$")]


class RateLimit(Group):
    """How fast a key may post events; absent: as fast as it likes.

    `burst`: how many at once, after a pause; absent: those of ten seconds.
    """

    events_per_second: float | None = Field(default=None, ge=0.01, le=1_000_000)
    burst: int | None = Field(default=None, ge=1, le=10_000_000)

    def largest_burst(self) -> int:
        return self.burst or max(1, round(10 * (self.events_per_second or 1)))


KeyRateLimits = dict[KeyId, RateLimit]
