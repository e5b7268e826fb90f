"""What the mail sink keeps of a mail."""

import json
from email.message import EmailMessage
from pathlib import Path

from services.devstack.embedded.smtp import listing, mails


def test_a_listing_shows_the_envelope_and_a_readable_subject() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Grüße aus Köln"
    mail["Message-ID"] = "<1@drumbeat>"
    shown = listing(mail, sender="a@x", recipients=["b@y"], at="2026-01-01T00:00:00Z")
    assert shown == {
        "at": "2026-01-01T00:00:00Z",
        "from": "a@x",
        "to": ["b@y"],
        "subject": "Grüße aus Köln",
        "message_id": "<1@drumbeat>",
    }


def test_mails_are_listed_newest_first(tmp_path: Path) -> None:
    for name in ("20260101", "20260103", "20260102"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"id": name}))
    assert [each["id"] for each in mails(tmp_path, limit=2)] == ["20260103", "20260102"]
