"""Segment and what is shaped alike (RudderStack): one message, a list of them, or an object with a `batch`.

Source: Segment's documentation, "Spec" and "HTTP API".
"""

from services.connectors.sources.items import mapping_of


def split_segment(document: object) -> object:
    batch = mapping_of(document).get("batch")
    return document if batch is None else batch
