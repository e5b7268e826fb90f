"""The values that a platform gets, as the reader of the message would see them."""

from datetime import UTC, datetime

from services.cadence.content.format import Formatter, locale_of
from services.cadence.content.parse import parse_content
from services.cadence.content.values import Amount, Items, Link, Markdown, Share
from services.notifier.application.hand_off_messages import values_shown

CONTENT = """---
subject: "For {{ account.name }}"
---
{{ usage.active_users }} {{ usage.seats_share }} {{ contract.ends_on }} {{ csm.booking_url }} {{ contact.name }}

{{ usage.features }}

{{ usage.chart }}

{{ program.body }}
"""


def test_known_values_that_the_content_reads_are_shown_and_others_left_out() -> None:
    content = parse_content(CONTENT, file="de/tips")
    values = {
        "account.name": "Acme",
        "usage.active_users": 1234,
        "usage.seats_share": Share(0.5),
        "contract.ends_on": datetime(2026, 3, 2, tzinfo=UTC).date(),
        "csm.booking_url": Link("https://book.example", "Book"),
        "contact.name": None,
        "usage.features": Items(["Import: 3", "Export: 2"]),
        "usage.chart": None,
        "program.body": Markdown("**New**"),
        "account.arr": Amount(3.0, "EUR"),
    }
    assert values_shown(content, values, Formatter(locale_of("de"), UTC)) == {
        "account.name": "Acme",
        "usage.active_users": "1.234",
        "usage.seats_share": "50\u00a0%",
        "contract.ends_on": "2. März 2026",
        "csm.booking_url": "https://book.example",
        "usage.features": "Import: 3\nExport: 2",
        "program.body": "**New**",
    }
