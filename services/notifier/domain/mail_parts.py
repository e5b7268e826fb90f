"""Reads the parts of a mail that a stranger wrote: bounded before it is parsed, and without an error for any bytes."""

import codecs
import re
from collections.abc import Iterator, Sequence
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Final, cast
from unicodedata import category

MOST_BYTES: Final = 10 << 20
MOST_PARTS: Final = 100
MOST_BOUNDARIES: Final = 2_000
MOST_LINES: Final = 400_000
MOST_COMPARED: Final = 15_000_000
"""Lines times parts: the parser holds each line against the boundary of every part that it is in."""
MOST_HEADER: Final = 16_000
MOST_TEXT: Final = 64_000
"""Characters of a header field and bytes of a text that are read; a person's answer stands at the beginning."""
_PART: Final = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
# What else Python decodes is no text of a mail, and some of it takes a time that grows with the square of the length.
_CHARSETS: Final = re.compile(
    r"(utf|ascii|iso|latin|cp|mac|koi8|gb|big5|euc|shift|johab|hz|tis|kz|ptcp|hp)", re.IGNORECASE
)
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,300})>")
_HIDDEN: Final = frozenset({"style", "script", "head", "title", "blockquote"})
_BREAKS: Final = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3"})
_QUOTES: Final = ("gmail_quote", "divrplyfwdmsg", "appendonsend", "yahoo_quoted", "moz-cite-prefix")


class UnreadableMail(Exception):
    """The bytes are no mail that is read here; the message says why."""


def parse_mail(raw: bytes) -> Message:
    """The mail with its parts. Raises UnreadableMail."""
    if len(raw) > MOST_BYTES:
        raise UnreadableMail(f"it is larger than {MOST_BYTES} bytes")
    lines, parts = raw.count(b"\n") + raw.count(b"\r"), len(_PART.findall(raw.replace(b"\r", b"\n")))
    boundaries = raw.count(b"\n--") + raw.count(b"\r--")
    if parts > MOST_PARTS or boundaries > MOST_BOUNDARIES:
        raise UnreadableMail(f"it has more than {MOST_PARTS} parts")
    if lines > 2 * MOST_LINES or lines * parts > MOST_COMPARED:
        raise UnreadableMail("it has too many lines")
    try:
        return BytesParser(policy=compat32).parsebytes(raw)
    except (MessageError, ValueError, LookupError, RecursionError, AssertionError) as problem:
        raise UnreadableMail(f"it cannot be parsed ({type(problem).__name__})") from problem


def subparts_of(part: Message) -> Sequence[Message]:
    """The parts of a part of several, and what a part encloses."""
    # Asked of a part that is none of several, the library decodes its text, and fails for some charsets.
    return cast("list[Message]", part.get_payload()) if part.is_multipart() else []


def walk_parts(mail: Message, *, enclosed: bool = False) -> Iterator[Message]:
    """The mail and all its parts, in their order; with `enclosed` also those of mails that it encloses."""
    waiting = [mail]
    for _ in range(4 * MOST_BOUNDARIES):
        if not waiting:
            return
        part = waiting.pop()
        yield part
        if enclosed or part.get_content_maintype() != "message":
            waiting += reversed(subparts_of(part))


def header_of(mail: Message, name: str) -> str:
    """The first field of this name as text on one line; empty where there is none."""
    return clean_text(str(mail.get(name) or "")[:MOST_HEADER]).replace("\n", " ").strip()


def address_in(mail: Message, name: str) -> str | None:
    """The one address of this field; None: it has none, or several, or cannot be read."""
    fields = [str(field)[:MOST_HEADER] for field in mail.get_all(name, [])]
    try:
        found = {address for _, address in getaddresses(fields) if "@" in address}
    except (ValueError, IndexError, TypeError, AttributeError):
        return None
    return clean_text(found.pop()) if len(found) == 1 else None


def message_ids(mail: Message, *names: str) -> Sequence[str]:
    """The ids in these fields (RFC 5322 section 3.6.4), without brackets: the last of a field is the newest."""
    found = [one for name in names for one in reversed(_MESSAGE_ID.findall(header_of(mail, name)))]
    return list(dict.fromkeys(found))


def find_part(mail: Message, *types: str, attached: bool = True) -> Message | None:
    """The first part of one of these types, the earlier type first; without `attached` no attachment."""
    parts = [part for part in walk_parts(mail) if attached or not _is_attached(part)]
    return next((part for type_ in types for part in parts if part.get_content_type() == type_), None)


def _is_attached(part: Message) -> bool:
    return header_of(part, "Content-Disposition").lower().startswith("attachment")


def bytes_of(part: Message) -> bytes:
    """The content of a part, with its transfer encoding undone as far as it can be."""
    try:
        payload: object = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, TypeError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def text_of(part: Message) -> str:
    """The text of a part without control characters; of HTML what a reader sees before the quoted mail."""
    try:
        charset = str(part.get_content_charset() or "")
    except (ValueError, LookupError, TypeError):
        charset = ""
    text = clean_text(decode_text(bytes_of(part)[:MOST_TEXT], charset))
    return _visible_text(text) if part.get_content_type() == "text/html" else text


def decode_text(raw: bytes, charset: str | None) -> str:
    """The bytes as text, whatever they are; a charset that is not known counts as UTF-8."""
    try:
        name = codecs.lookup(charset or "utf-8").name
        return raw.decode(name if _CHARSETS.match(name) else "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def clean_text(text: str) -> str:
    """The text with line feeds alone as line ends, without other control characters and halves of characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\t", " ")
    whole = "".join(one for one in lines if one == "\n" or category(one) not in ("Cc", "Cs", "Cn"))
    return whole.replace("\ufeff", "").replace("\u200b", "")


class _Visible(HTMLParser):
    """Gathers text until the quoted mail begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0
        self._is_over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marks = " ".join((value or "").lower() for name, value in attrs if name in ("id", "class"))
        self._is_over = self._is_over or any(mark in marks for mark in _QUOTES)
        self._hidden += tag in _HIDDEN
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(self._hidden - (tag in _HIDDEN), 0)

    def handle_data(self, data: str) -> None:
        if not self._hidden and not self._is_over:
            self.pieces.append(data.replace("\n", " "))


def _visible_text(html: str) -> str:
    parser = _Visible()
    try:
        parser.feed(html)
        parser.close()
    except (AssertionError, ValueError, RecursionError):
        pass  # the parser gives up on some declarations: what came before them is kept
    return clean_text("".join(parser.pieces))
