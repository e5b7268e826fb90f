"""The links in a customer's message: to their own page, and to the end of its topic."""

from services.notifier.application.message_values import Links
from services.notifier.application.write_customer_mail import MakeLinks
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token

TEST = "test"
"""Stands for the token in the links of a test."""


def links_of(base_url: str, key: bytes) -> MakeLinks:
    """Makes links below the notifier's public address, signed with this key.

    Those of a test look alike and lead to the page that says that a link is not valid.
    """

    def make_links(contact_id: str | None, topic: str | None) -> Links:
        if contact_id is None:
            return Links(page=f"{base_url}/p/{TEST}", unsubscribe=f"{base_url}/v1/unsubscribe/{TEST}")
        return Links(
            page=f"{base_url}/p/{make_page_token(key, contact_id)}",
            unsubscribe=f"{base_url}/v1/unsubscribe/{make_token(key, contact_id, topic)}",
        )

    return make_links
