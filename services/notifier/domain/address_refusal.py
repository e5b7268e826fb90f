"""Whether a final refusal of a mail is about its address (RFC 3463, RFC 5321) or about this mail alone.

A full mailbox, a size limit or a policy refuses one mail; the address may take the next one.
"""

import re
from typing import Final

_STATUS: Final = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_CODE: Final = re.compile(r"\b(5\d\d)\b")
_UNDEFINED, _ADDRESS, _MAILBOX = "0", "1", "2"
"""Subjects of enhanced status codes (RFC 3463, section 3)."""
_OF_THE_SENDER: Final = frozenset({"7", "8"})
"""Details of the subject "address" that concern the sender's address."""
_DISABLED: Final = "1"
"""The detail of the subject "mailbox" that says that it is disabled, not full."""
_NO_SUCH_MAILBOX: Final = frozenset({"550", "551", "553"})
"""Replies to RCPT that say so where no enhanced code says more (RFC 5321, section 4.2.3)."""


def refuses_address(*reports: str) -> bool:
    """Whether these texts of a final refusal say that the address takes no mail; True where they say nothing.

    `reports`: what servers wrote, the most telling first: a status, a reply. An enhanced code says more than a plain one.
    """
    statuses = [found.groups() for report in reports if (found := _STATUS.search(report))]
    for subject, detail in statuses:
        if subject != _UNDEFINED:
            is_of_recipient = subject == _ADDRESS and detail not in _OF_THE_SENDER
            return is_of_recipient or (subject == _MAILBOX and detail == _DISABLED)
    codes = [found.group(1) for report in reports if (found := _CODE.search(report))]
    return codes[0] in _NO_SUCH_MAILBOX if codes else True


def codes_of(report: str) -> str:
    """The plain and the enhanced code of a refusal, such as `550 5.1.1`; "" where it has none.

    What a server writes beside them may repeat the address. This is what is stored longer than the mail itself.
    """
    code, status = _CODE.search(report), _STATUS.search(report)
    return " ".join(found.group(0) for found in (code, status) if found is not None)
