"""Which channels besides mail are closed: the reason names every setting that is missing."""

import pytest

from services.chassis.settings import Settings, SettingsRejected, load_settings
from services.chassis.text_channels import closed_channels

SMS = {"account": "AC1", "token": "token-of-the-account", "sender": "+4930123456"}
SLACK = {"token": "xoxb-secret"}
KNOWN = {"public_url": "https://drumbeat.example.com", "organization": {"name": "Northwind"}}


def settings(**values: object) -> Settings:
    return load_settings(_env_file=None, **values)


def test_nothing_is_open_until_it_is_set_up() -> None:
    assert closed_channels(settings()) == {
        "sms": "set DRUMBEAT_SMS__ACCOUNT and DRUMBEAT_SMS__TOKEN and DRUMBEAT_SMS__FROM or"
        " DRUMBEAT_SMS__MESSAGING_SERVICE",
        "slack": "set DRUMBEAT_SLACK__TOKEN",
        "call": "set DRUMBEAT_PHONE__URL",
    }


def test_what_is_set_up_is_open() -> None:
    complete = settings(sms=SMS, slack=SLACK, phone={"url": "https://calls.example.com/tasks"}, **KNOWN)
    with_service = settings(sms={**SMS, "sender": None, "messaging_service": "MG1"}, **KNOWN)

    assert closed_channels(complete) == {}
    assert "sms" not in closed_channels(with_service)


def test_each_missing_setting_is_named() -> None:
    assert closed_channels(settings(sms={"account": "AC1"}, **KNOWN))["sms"] == (
        "set DRUMBEAT_SMS__TOKEN and DRUMBEAT_SMS__FROM or DRUMBEAT_SMS__MESSAGING_SERVICE"
    )


def test_a_message_has_to_say_who_writes_and_its_link_has_to_lead_somewhere() -> None:
    closed = closed_channels(settings(sms=SMS, slack=SLACK))

    for channel in ("sms", "slack"):
        assert "DRUMBEAT_PUBLIC_URL" in closed[channel]
        assert "DRUMBEAT_ORGANIZATION__NAME" in closed[channel]
    local = settings(sms={**SMS, "url": "http://127.0.0.1:1"}, slack={**SLACK, "url": "http://localhost:2"})
    assert set(closed_channels(local)) == {"call"}  # a gateway on this machine reaches nobody


def test_where_mail_is_redirected_nothing_else_reaches_the_real_people() -> None:
    email = {"redirect_to": "staging@example.com"}
    closed = closed_channels(settings(sms=SMS, slack=SLACK, email=email, **KNOWN))
    redirected = settings(
        sms={**SMS, "redirect_to": "+4930999999"},
        slack={**SLACK, "redirect_to": "#staging"},
        email=email,
        **KNOWN,
    )

    assert closed["sms"].endswith("set DRUMBEAT_SMS__REDIRECT_TO, too")
    assert closed["slack"].endswith("set DRUMBEAT_SLACK__REDIRECT_TO, too")
    assert set(closed_channels(redirected)) == {"call"}


@pytest.mark.parametrize(
    ("sender", "takes_answers"), [("+4930123456", True), ("12345", True), ("Northwind", False)]
)
def test_nobody_answers_a_sender_that_is_a_name(sender: str, takes_answers: bool) -> None:  # noqa: FBT001
    assert settings(sms={**SMS, "sender": sender}).sms.takes_answers == takes_answers


def test_from_is_the_name_of_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_SMS__FROM", "+4930123456")
    assert load_settings().sms.sender == "+4930123456"

    monkeypatch.setenv("DRUMBEAT_SMS__FROM", "a name of more than eleven letters")
    with pytest.raises(SettingsRejected, match="DRUMBEAT_SMS__FROM"):
        load_settings()
