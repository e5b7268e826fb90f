"""The addresses that measure a mail: of its links, and of the image that is loaded when it is opened.

A token holds what it leads to, so that it leads nowhere else, and the delivery whose mail it stands in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from services.notifier.domain.link_token import (
    CUSTOMER_LINKS_LAST,
    MOST_LENGTH,
    LinkKeys,
    TokenRejected,
    make_link_token,
    read_link_token,
    refuse_expired,
    start_of_day,
)

CLICK: Final = "click"
OPEN: Final = "open"
CLICK_PATH: Final = "/c/"
OPEN_PATH: Final = "/o/"
_AS_IS: Final = ":/?#[]@!$&'()*+,;=%-._~"
"""What an address has besides letters and digits (RFC 3986): with other characters it stands in no header."""


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """A link of the mail of this delivery, and where it leads."""

    delivery_id: str
    url: str


@dataclass(frozen=True, slots=True)
class TrackingLinks:
    """Makes the addresses for one mail, below the notifier's public address, at a real moment.

    The same on one day, so that a mail that is tried again has the same.
    """

    keys: LinkKeys
    base_url: str
    delivery_id: str
    at: datetime

    def click_url(self, url: str) -> str | None:
        """The address that counts a click and leads to `url`; None: this link stays as it is."""
        if not is_measurable(url, self.base_url):
            return None
        token = make_link_token(self.keys, CLICK, [self.delivery_id, url], start_of_day(self.at))
        return f"{self.base_url}{CLICK_PATH}{token}" if len(token) <= MOST_LENGTH else None

    @property
    def image_url(self) -> str:
        token = make_link_token(self.keys, OPEN, [self.delivery_id], start_of_day(self.at))
        return f"{self.base_url}{OPEN_PATH}{token}.gif"


def is_measurable(url: str, base_url: str) -> bool:
    """Whether a link may be measured: a web address outside Drumbeat that is no calendar file.

    Pages, opt-outs, actions and calendars below the public address never are. An address with other characters than those
    of RFC 3986 is left alone: a browser would be sent to another one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    own = base_url.lower()
    is_web = parts.scheme.lower() in ("http", "https") and bool(parts.netloc)
    is_own = url.lower() == own or url.lower().startswith((f"{own}/", f"{own}?", f"{own}#"))
    is_plain = url.isascii() and quote(url, safe=_AS_IS) == url
    return is_web and is_plain and not is_own and not parts.path.lower().endswith(".ics")


def read_click_token(keys: LinkKeys, token: str, *, now: datetime) -> TrackedLink:
    """Raises TokenRejected, and TokenExpired at this real moment."""
    (delivery_id, url, *_), made_at = read_link_token(keys, CLICK, token)
    refuse_expired(made_at, now, CUSTOMER_LINKS_LAST)
    if delivery_id is None or url is None:
        raise TokenRejected
    return TrackedLink(delivery_id, url)


def read_open_token(keys: LinkKeys, token: str, *, now: datetime) -> str:
    """The delivery id. Raises TokenRejected, and TokenExpired at this real moment."""
    (delivery_id, *_), made_at = read_link_token(keys, OPEN, token)
    refuse_expired(made_at, now, CUSTOMER_LINKS_LAST)
    return delivery_id or ""
