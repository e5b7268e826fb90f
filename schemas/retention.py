"""How long each kind of data is kept, as an export of personal data says it."""

from schemas.base import SchemaModel


class RetentionRule(SchemaModel):
    """How long one kind of data is kept.

    `days`: of real time, null where no time ends it; `setting`: what sets the days; `ends`: what ends it, or comes then.
    """

    what: str
    ends: str
    days: int | None = None
    setting: str | None = None


def rule_of(setting: str, days: int, what: str, ends: str = "deleted") -> RetentionRule:
    """The rule of a setting of the chassis's `Retention`, such as `decisions_days`."""
    return RetentionRule(what=what, ends=ends, days=days, setting=f"DRUMBEAT_RETENTION__{setting.upper()}")
