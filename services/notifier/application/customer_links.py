"""The links in a customer's message: to their own page, and to the end of its topic."""

from services.notifier.application.message_values import Links
from services.notifier.application.write_customer_mail import MakeLinks
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token


def links_of(base_url: str, key: bytes) -> MakeLinks:
    """Makes links below the notifier's public address, signed with this key."""

    def make_links(contact_id: str, topic: str | None) -> Links:
        return Links(
            page=f"{base_url}/p/{make_page_token(key, contact_id)}",
            unsubscribe=f"{base_url}/v1/unsubscribe/{make_token(key, contact_id, topic)}",
        )

    return make_links
