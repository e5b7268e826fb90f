"""The mail relay: where mail goes, and under which addresses."""

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from services.chassis.mailbox import Mailbox
from services.chassis.setting_group import Group, from_as_sender

NO_RELAY: Final = "there is no mail relay; set DRUMBEAT_EMAIL__HOST"
Port = Annotated[int, Field(ge=1, le=65535)]
DEFAULT_SENDER = "Drumbeat <drumbeat@localhost>"


class Email(Group):
    """The mail relay and the addresses of mail. With `redirect_to` every mail goes to that address instead (staging).

    `sender` is set by `__FROM`, and still by its former name `__SENDER`. `reply_to` gets the answers of customers whom
    no CSM leads; `fallback_to` is told of work that nobody has, and of partitions that halt.
    """

    host: str | None = None
    port: Port = 25
    username: str | None = None
    password: str | None = None
    tls: Literal["none", "starttls", "implicit"] = "none"
    sender: Mailbox = DEFAULT_SENDER
    reply_to: Mailbox | None = None
    fallback_to: Mailbox | None = None
    redirect_to: Mailbox | None = None
    sink: str | None = Field(default=None, description="host:port that stores mail and delivers nothing")

    @model_validator(mode="before")
    @classmethod
    def _read_from(cls, document: object) -> object:
        return from_as_sender(document)

    @property
    def is_relay(self) -> bool:
        """Whether mail leaves the machine: the host is not the sink of `drumbeat run`."""
        return self.host is not None and f"{self.host}:{self.port}" != self.sink
