"""The links in a customer's message: to their own page, and to the end of its topics."""

from collections.abc import Callable, Sequence
from datetime import datetime

from schemas.vocabulary import Topic
from services.notifier.application.message_values import Links
from services.notifier.application.write_customer_mail import MakeLinks
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token

TEST = "test"
"""Stands for the token in the links of a test."""


def links_of(base_url: str, keys: LinkKeys, real_now: Callable[[], datetime]) -> MakeLinks:
    """Makes links below the notifier's public address.

    Those of a test look alike and lead to the page that says that a link is not valid.
    """

    def make_links(contact_id: str | None, topics: Sequence[Topic]) -> Links:
        if contact_id is None:
            return Links(page=f"{base_url}/p/{TEST}", unsubscribe=f"{base_url}/v1/unsubscribe/{TEST}")
        now = real_now()
        return Links(
            page=f"{base_url}/p/{make_page_token(keys, contact_id, now)}",
            unsubscribe=f"{base_url}/v1/unsubscribe/{make_token(keys, contact_id, topics, now)}",
        )

    return make_links
