"""Settings of the gateways for text messages, Slack and telephone tasks; each is off until it is set up."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from services.chassis.setting_group import Group, from_as_sender
from services.chassis.urls import check_service_url

SLACK_API: Final = "https://slack.com/api"
TWILIO_API: Final = "https://api.twilio.com"
_Url = Annotated[str, AfterValidator(check_service_url)]


class Sms(Group):
    """A gateway of the shape of Twilio's Messages resource. `sender` is set by `__FROM`.

    `redirect_to`: every text message goes to that number instead (staging).
    """

    url: _Url = TWILIO_API
    account: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,100}$")
    token: str | None = Field(default=None, min_length=8, max_length=200, repr=False)
    sender: str | None = Field(default=None, pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11})$")
    messaging_service: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,100}$")
    redirect_to: str | None = Field(default=None, pattern=r"^\+[1-9][0-9]{6,14}$")

    @model_validator(mode="before")
    @classmethod
    def _read_from(cls, document: object) -> object:
        return from_as_sender(document)

    @property
    def is_wanted(self) -> bool:
        """Whether anything of it is set."""
        return any((self.account, self.token, self.sender, self.messaging_service))

    @property
    def missing(self) -> list[str]:
        """The settings without which no text message goes; empty: it is set up."""
        lacks = {
            "DRUMBEAT_SMS__ACCOUNT": self.account is None,
            "DRUMBEAT_SMS__TOKEN": self.token is None,
            "DRUMBEAT_SMS__FROM or DRUMBEAT_SMS__MESSAGING_SERVICE": self.sender is None
            and self.messaging_service is None,
        }
        return [name for name, is_missing in lacks.items() if is_missing]

    @property
    def takes_answers(self) -> bool:
        """Whether people can answer: not to a sender that is a name."""
        sender = self.sender or ""
        return self.messaging_service is not None or sender.startswith("+") or sender.isdigit()


class Slack(Group):
    """The Web API of Slack. `redirect_to`: every message goes to that channel instead (staging)."""

    url: _Url = SLACK_API
    token: str | None = Field(default=None, min_length=8, max_length=500, repr=False)
    redirect_to: str | None = Field(default=None, min_length=1, max_length=80)


class Phone(Group):
    """Where telephone tasks are handed: an address that takes JSON, and the token that it asks for."""

    url: _Url | None = None
    token: str | None = Field(default=None, min_length=8, max_length=500, repr=False)
