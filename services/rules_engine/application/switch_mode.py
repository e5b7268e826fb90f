"""Switch the mode: what may be asked for, and what is answered."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from schemas.vocabulary import Mode


class WantedMode(BaseModel):
    """The mode to put in force."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(
        description="live; hold: all is planned, nothing reaches a customer; observe: no commands are sent"
    )


class Modes(Protocol):
    """The mode of the deployment: `{mode, since, setting, epoch}`.

    `since`: service time of the last switch, None before the first. `setting`: DRUMBEAT_MODE at the last start.
    """

    async def read(self) -> dict[str, object]: ...

    async def switch(self, mode: Mode) -> dict[str, object]:
        """Put it in force; also `changed`: it was not before."""
        ...
