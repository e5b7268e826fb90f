"""The schemes by name, as mapping files name them."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from services.connectors.signatures.hubspot import check_hubspot
from services.connectors.signatures.request import SignedRequest, Verify
from services.connectors.signatures.shared import check_hmac, check_query, check_segment, check_token
from services.connectors.signatures.standard import check_standard, message_id
from services.connectors.signatures.stripe import check_stripe

SCHEMES: Final[Mapping[str, Verify]] = {
    "hmac": check_hmac,
    "hubspot": check_hubspot,
    "salesforce": check_query,
    "segment": check_segment,
    "standard": check_standard,
    "stripe": check_stripe,
    "token": check_token,
}
MESSAGE_IDS: Final[Mapping[str, Callable[[SignedRequest], str | None]]] = {"standard": message_id}
"""How to read the id of a genuine request, by scheme, where the scheme signs one."""


def public_url(configured: str, query: str) -> str:
    """The address as the sender has it: the configured one, with the query that came unless it has its own.

    Never built of the header Host, which whoever sends a request chooses.
    """
    parts = urlsplit(configured)
    return urlunsplit(parts._replace(query=parts.query or query))
