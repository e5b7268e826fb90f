"""A message whose links and opening are measured. Nothing of it changes but addresses, and one image at its end.

Links of the HTML are measured whose words are no address: mail programs warn of a link that shows one address and leads
to another. The text has the same links, so the addresses that are measured in the HTML are measured there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import Final

from services.notifier.domain.message import Message

_LINK: Final = re.compile(r'<a href="(?P<href>[^"]*)">(?P<words>.*?)</a>', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)", re.IGNORECASE)
_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_BEHIND: Final = re.compile(r"[)\].,;:!?'*_]*")
"""What may follow an address in text and is no part of it."""
_END: Final = "</body>"

ClickUrl = Callable[[str], str | None]
"""Takes an address; returns the one that measures it, or None: it stays."""


@dataclass(frozen=True, slots=True)
class _Link:
    url: str
    is_shown: bool
    """Whether its words are an address."""


def measure_clicks(message: Message, click_url: ClickUrl) -> Message:
    """The same message with measured links."""
    links = [_link_of(match) for match in _LINK.finditer(message.html)]
    measured: dict[str, str] = {}
    for link in links:
        url = None if link.is_shown or link.url in measured else click_url(link.url)
        if url is not None:
            measured[link.url] = url
    known = {link.url for link in links}
    return replace(
        message,
        html=_LINK.sub(lambda match: _in_html(match, measured), message.html),
        text=_IN_TEXT.sub(lambda match: _in_text(match.group(), measured, known), message.text),
    )


def measure_opens(message: Message, image_url: str) -> Message:
    """The same message with a transparent image of one pixel, which mail programs load when it is opened."""
    image = f'<img src="{escape(image_url)}" width="1" height="1" alt="" style="display:block;border:0">\n'
    before, end, after = message.html.rpartition(_END)
    html = f"{before}{image}{end}{after}" if end else f"{message.html}{image}"
    return replace(message, html=html)


def _link_of(match: re.Match[str]) -> _Link:
    words = unescape(_TAG.sub("", match["words"])).strip()
    return _Link(unescape(match["href"]), _ADDRESS.match(words) is not None)


def _in_html(match: re.Match[str], measured: Mapping[str, str]) -> str:
    link = _link_of(match)
    url = None if link.is_shown else measured.get(link.url)
    return match.group() if url is None else f'<a href="{escape(url)}">{match["words"]}</a>'


def _in_text(found: str, measured: Mapping[str, str], known: set[str]) -> str:
    """What stands in place of a run of characters that begins as an address does: it may have marks behind it."""
    for end in range(len(found), 0, -1):
        url, behind = found[:end], found[end:]
        if not _BEHIND.fullmatch(behind):
            break
        if url in known:
            return measured.get(url, url) + behind
    return found
