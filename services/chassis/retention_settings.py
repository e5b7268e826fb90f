"""How long what grows is kept: DRUMBEAT_RETENTION__NAME."""

from pydantic import Field

from services.chassis.setting_group import Group


class Retention(Group):
    """How many days (real time) things are kept that nobody works on any more."""

    decisions_days: int = Field(default=400, ge=1)
    receipts_days: int = Field(default=40, ge=40, description="longer than Kafka keeps a record")
    touchpoints_days: int = Field(default=800, ge=1, description="closed ones")
    deliveries_days: int = Field(default=400, ge=1)
    undelivered_days: int = Field(default=400, ge=1, description="events that an endpoint did not get")
    messages_days: int = Field(default=90, ge=1, description="mails as they were sent")
    dead_letters_days: int = Field(default=400, ge=1)
    audit_days: int = Field(default=365, ge=1)
