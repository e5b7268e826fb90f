"""What a gateway reports about text messages, and that it is the gateway which does."""

import pytest

from services.notifier.domain.mail_reports import Bounce
from services.notifier.domain.provider_events import ProviderReport
from services.notifier.domain.sms_events import (
    TextAnswer,
    is_signed,
    read_status,
    read_text_answer,
    sign_form,
)
from services.notifier.domain.sms_keywords import SmsKeyword

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": ["CA1234567890ABCDE"],
    "Digits": ["1234"],
    "From": ["+14158675309"],
    "To": ["+18005551212"],
    "Caller": ["+14158675309"],
}


def test_a_form_is_signed_as_twilio_signs_it() -> None:
    """The example of Twilio's documentation of its signatures."""
    assert sign_form(URL, FORM, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    ("url", "form", "token", "signature"),
    [
        (URL, FORM, "12346", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (f"{URL}3", FORM, "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL, {**FORM, "Digits": ["1235"]}, "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL, {**FORM, "More": ["1"]}, "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL, FORM, "12345", ""),
        (URL, FORM, "12345", "\u00e4"),
    ],
)
def test_a_change_of_anything_breaks_the_signature(
    url: str, form: dict[str, list[str]], token: str, signature: str
) -> None:
    assert is_signed(URL, FORM, "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not is_signed(url, form, token, signature)


def test_an_answer_has_its_number_and_its_text() -> None:
    form = {"MessageSid": ["SM1"], "From": ["+49 30 12345"], "Body": [" Hello\x00 "]}

    assert read_text_answer(form) == TextAnswer("SM1", "+493012345", "Hello")
    assert read_text_answer({**form, "From": ["Bank"]}) is None
    assert read_text_answer({**form, "MessageSid": [""]}) is None
    assert read_text_answer({}) is None


def test_what_the_gateway_recognised_counts_before_the_text() -> None:
    form = {"MessageSid": ["SM1"], "From": ["+493012345"], "Body": ["ARRET"], "OptOutType": ["STOP"]}
    answer = read_text_answer(form)

    assert answer is not None
    assert answer.keyword_of(has_stopped=False) is SmsKeyword.STOP


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("delivered", "", ProviderReport(["d1"], [], "delivered")),
        ("undelivered", "30005", Bounce(["d1"], [], "hard")),
        ("undelivered", "30006", Bounce(["d1"], [], "hard")),
        ("failed", "30008", Bounce(["d1"], [], "soft")),
        ("Undelivered", "", Bounce(["d1"], [], "soft")),
        ("queued", "", None),
        ("sent", "", None),
        ("", "", None),
    ],
)
def test_a_status_is_a_report_once_the_end_is_known(status: str, code: str, expected: object) -> None:
    found = read_status({"MessageSid": ["SM1"], "MessageStatus": [status], "ErrorCode": [code]}, "d1")

    assert found == (None if expected is None else (f"sms:SM1:{status.lower()}", expected))
