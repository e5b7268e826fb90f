"""How long each kind of data is kept, as an export of personal data says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long one kind of data is kept.

    `days`: real days, None where no time ends it; `setting`: what sets the days; `ends`: what ends it.
    """

    what: str
    ends: str
    days: int | None = None
    setting: str | None = None


def rule_of(setting: str, days: int, what: str, ends: str = "deleted") -> RetentionRule:
    """The rule of a setting of `Retention`, such as `decisions_days`."""
    return RetentionRule(what, ends, days, f"DRUMBEAT_RETENTION__{setting.upper()}")
