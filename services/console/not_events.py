"""Files that cannot be sent as events."""

from typing import Final

LARGEST_EVENT_BYTES: Final = 512 << 10  # of a line that the API takes


class NotEvents(ValueError):
    """The file has no events but, for instance, a table; the message says what to do, once for the whole file.

    It never quotes the file, which may be a key or a list of customers.
    """


def too_long(position: int) -> NotEvents:
    """About the event at this position, from 1."""
    return NotEvents(
        f"has a longer event than is taken: event {position} has more than {LARGEST_EVENT_BYTES:,} bytes. Take it out of "
        "the file, or leave out of it what Drumbeat does not read"
    )
