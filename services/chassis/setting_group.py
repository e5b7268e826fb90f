"""A group of settings: `DRUMBEAT_GROUP__NAME`."""

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
