"""Header fields of mail that every parser reads alike: encoded words whole, addresses and URIs in one piece.

The generator of the standard library folds addresses and identifiers in places where clients no longer read them; these
fields are folded here, at blanks only (RFC 5322 section 2.2.3), with encoded words by RFC 2047.
"""

import re
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.policy import SMTP, Policy

from services.chassis.mailbox import ParsedMailbox

LINE = 78
"""Characters of a line without its end (RFC 5322 section 2.1.1); longer only where a field has no blank."""
_LONGEST_NAME = "Reply-To"
_ENCODED_LINE = 75
_LONGEST_WORD = 60
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


class OneLineHeader(UnstructuredHeader, BaseHeader):
    """A field that is never folded or encoded: clients read an id or the URI of RFC 2369 from one line as it is."""

    def fold(self, *, policy: Policy) -> str:
        """The line of the field, however long; RFC 5322 allows 998 characters."""
        return f"{self.name}: {self}{policy.linesep}"


class FoldedHeader(UnstructuredHeader, BaseHeader):
    """A field in ASCII whose lines end before a blank. Encoded words in it stay as they are."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, object]) -> None:
        """Keep the text: the parser of the library would decode it."""
        super().parse(value, kwds)
        kwds["decoded"] = value

    def fold(self, *, policy: Policy) -> str:
        """The lines of the field. The first has a word of the text: some parsers read another one as a blank."""
        first, *words = str(self).split(" ")
        lines, line = list[str](), f"{self.name}: {first}"
        for word in words:
            if len(line) + 1 + len(word) > LINE:
                lines.append(line)
                line = ""
            line = f"{line} {word}"
        return policy.linesep.join([*lines, line]) + policy.linesep


_HEADERS = HeaderRegistry()
for _name in ("list-unsubscribe", "list-unsubscribe-post", "message-id", "x-drumbeat-intended-to"):
    _HEADERS.map_to_type(_name, OneLineHeader)
for _name in ("from", "to", "reply-to", "subject"):
    _HEADERS.map_to_type(_name, FoldedHeader)
MAIL_POLICY = SMTP.clone(header_factory=_HEADERS, cte_type="7bit")
"""Bodies are in ASCII on the wire, so that a relay without 8BITMIME (RFC 6152) carries them as they are."""


def encode_text(text: str) -> str:
    """Free text for a field: as it is when it is ASCII in words of usual length, else encoded words."""
    is_plain = text.isascii() and "=?" not in text and "  " not in text
    if is_plain and text == text.strip() and all(len(word) <= _LONGEST_WORD for word in text.split(" ")):
        return text
    return _encode(text)


def format_mailbox(mailbox: ParsedMailbox) -> str:
    """A name and an address: the name in atoms, in quotes, or in encoded words (RFC 5322 3.4, RFC 2047 5)."""
    name, address = mailbox.name, mailbox.address
    if not name:
        return address
    if name.isascii() and len(name) <= _LONGEST_WORD and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f"{name} <{address}>" if _ATOMS.fullmatch(name) else f'"{quoted}" <{address}>'
    return f"{_encode(name)} <{address}>"


def _encode(text: str) -> str:
    """Encoded words with a blank between them; the first fits behind the name of the field."""
    header = Header(text, "utf-8", maxlinelen=_ENCODED_LINE, header_name=_LONGEST_NAME)
    return " ".join(part.strip() for part in header.encode(linesep="\n").split("\n"))
