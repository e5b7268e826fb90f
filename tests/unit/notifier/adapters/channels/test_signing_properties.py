"""What we sign, the reference library of Standard Webhooks verifies."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.chassis.clock import real_now
from services.notifier.adapters.channels.signing import headers, shown
from services.notifier.domain.subscription import ROTATION_GRACE, Secrets, payload

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
bodies = st.dictionaries(st.text(max_size=10), st.text(max_size=30) | st.integers()).map(
    lambda data: payload("drumbeat.touchpoint.due.v1", "2026-01-05T12:00:00Z", repr_json(data))
)


def repr_json(data: object) -> bytes:
    import json  # noqa: PLC0415

    return json.dumps(data).encode()


@given(body=bodies, delivery=st.uuids().map(str), secret=st.binary(min_size=24, max_size=64))
def test_the_reference_library_accepts_our_signature(body: bytes, delivery: str, secret: bytes) -> None:
    signed = headers(delivery, real_now(), body, [secret])

    assert Webhook(shown(secret)).verify(body, signed)["type"] == "drumbeat.touchpoint.due.v1"


def test_a_changed_body_or_a_foreign_key_is_refused() -> None:
    body = payload("drumbeat.touchpoint.due.v1", "2026-01-05T12:00:00Z", b"{}")
    signed = headers("d-1", real_now(), body, [NEW])

    with pytest.raises(WebhookVerificationError):
        Webhook(shown(NEW)).verify(body.replace(b"due", b"dye"), signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(OTHER)).verify(body, signed)


def test_during_rotation_both_keys_verify_and_afterwards_only_the_new_one() -> None:
    now = real_now()
    secrets = Secrets(current=OLD).rotated(NEW, now)

    during = headers("d-1", now, b"{}", secrets.valid_at(now))

    Webhook(shown(OLD)).verify(b"{}", during)
    Webhook(shown(NEW)).verify(b"{}", during)
    assert secrets.valid_at(now + ROTATION_GRACE - timedelta(seconds=1)) == (NEW, OLD)
    assert secrets.valid_at(now + ROTATION_GRACE) == (NEW,)


def test_the_timestamp_is_whole_seconds_of_the_attempt() -> None:
    at = datetime(2026, 1, 5, 12, 0, 0, 999_999, tzinfo=UTC)

    assert headers("d-1", at, b"{}", [NEW])["webhook-timestamp"] == str(int(at.timestamp()))
