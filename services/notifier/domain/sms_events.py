"""What a gateway of the shape of Twilio reports about text messages, and the signature that proves who reports it."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.notifier.domain.mail_reports import Bounce
from services.notifier.domain.phone_number import international_number
from services.notifier.domain.provider_events import ProviderReport
from services.notifier.domain.reply_text import MOST_CHARACTERS
from services.notifier.domain.sms_keywords import SmsKeyword, read_keyword

Form = Mapping[str, Sequence[str]]
# Twilio's error dictionary, of messages that were taken and not delivered: the number does not exist (30005) or is that
# of a landline (30006).
_NO_SUCH_NUMBER: Final = frozenset({"30005", "30006"})
_UNDELIVERED: Final = frozenset({"undelivered", "failed"})
_OPT_OUT_TYPES: Final = {"STOP": SmsKeyword.STOP, "START": SmsKeyword.START}


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A text message that came in. `id`: that of the gateway; `number`: of its sender (E.164).

    `keyword`: what the gateway itself recognised in it.
    """

    id: str
    number: str
    text: str
    keyword: SmsKeyword | None = None

    def keyword_of(self, *, has_stopped: bool) -> SmsKeyword | None:
        """What the sender asks for; None: it is an answer. `has_stopped`: they ended text messages before."""
        return self.keyword or read_keyword(self.text, has_stopped=has_stopped)


def sign_form(url: str, form: Form, token: str) -> str:
    """The signature of a form that was posted to this URL: Base64 of HMAC-SHA1 under the token of the account.

    It is over the URL as the gateway called it and the fields by name, each as its name and its value (Twilio,
    "Webhooks security").
    """
    fields = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(form[name]))
    return base64.b64encode(hmac.digest(token.encode(), f"{url}{fields}".encode(), "sha1")).decode()


def is_signed(url: str, form: Form, token: str, signature: str) -> bool:
    return hmac.compare_digest(sign_form(url, form, token).encode(), signature.encode("utf-8", "replace"))


def read_text_answer(form: Form) -> TextAnswer | None:
    """The text message of a form; None: it has no id, or its sender has no number."""
    id_, number = _field(form, "MessageSid"), international_number(_field(form, "From"))
    if not id_ or number is None:
        return None
    keyword = _OPT_OUT_TYPES.get(_field(form, "OptOutType").upper())
    return TextAnswer(id_[:200], number, _field(form, "Body")[:MOST_CHARACTERS].strip(), keyword)


def read_status(form: Form, delivery_id: str) -> tuple[str, ProviderReport | Bounce] | None:
    """The report about a delivery with an id that is the same each time; None: its end is not known yet.

    It is signed and names the delivery, so that the number in it proves nothing more.
    """
    status, code = _field(form, "MessageStatus").lower(), _field(form, "ErrorCode")
    id_ = f"sms:{_field(form, 'MessageSid')[:200]}:{status}"
    if status == "delivered":
        return id_, ProviderReport([delivery_id], [], "delivered")
    if status in _UNDELIVERED:
        return id_, Bounce([delivery_id], [], "hard" if code in _NO_SUCH_NUMBER else "soft")
    return None


def _field(form: Form, name: str) -> str:
    values = form.get(name, ())
    return values[0].replace("\x00", "") if values else ""
