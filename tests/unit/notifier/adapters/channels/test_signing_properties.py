"""Signatures: the reference library of Standard Webhooks accepts what is signed here."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from services.chassis.clock import real_now
from services.notifier.adapters.channels.signing import format_secret, sign_headers
from services.notifier.adapters.channels.webhook import webhook_body
from services.notifier.application.ports import Webhook
from services.notifier.domain.subscription import ROTATION_GRACE, Secrets

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
AT = datetime(2026, 1, 5, 12, 0, 0, 999_999, tzinfo=UTC)


def body_of(data: bytes) -> bytes:
    return webhook_body(Webhook("d-1", "drumbeat.touchpoint.due.v1", AT, data))


bodies = st.dictionaries(st.text(max_size=10), st.text(max_size=30) | st.integers()).map(
    lambda data: body_of(json.dumps(data).encode())
)


def test_a_body_is_type_timestamp_and_the_data_as_received() -> None:
    timestamp = b'"timestamp":"2026-01-05T12:00:00.999999Z"'

    assert body_of(b'{"a": 1}') == b'{"type":"drumbeat.touchpoint.due.v1",' + timestamp + b',"data":{"a": 1}}'


@given(body=bodies, delivery=st.uuids().map(str), secret=st.binary(min_size=24, max_size=100))
def test_the_reference_library_accepts_the_signature(body: bytes, delivery: str, secret: bytes) -> None:
    signed = sign_headers(delivery, real_now(), body, [secret])

    assert Verifier(format_secret(secret)).verify(body, signed)["type"] == "drumbeat.touchpoint.due.v1"


def test_a_changed_body_or_a_foreign_key_is_refused() -> None:
    body = body_of(b"{}")
    signed = sign_headers("d-1", real_now(), body, [NEW])

    with pytest.raises(WebhookVerificationError):
        Verifier(format_secret(NEW)).verify(body.replace(b"due", b"dye"), signed)
    with pytest.raises(WebhookVerificationError):
        Verifier(format_secret(OTHER)).verify(body, signed)


def test_during_rotation_both_keys_verify_and_afterwards_only_the_new_one() -> None:
    now = real_now()
    secrets = Secrets(current=OLD).rotated(NEW, now)

    during = sign_headers("d-1", now, b"{}", secrets.valid_at(now))

    Verifier(format_secret(OLD)).verify(b"{}", during)
    Verifier(format_secret(NEW)).verify(b"{}", during)
    assert secrets.valid_at(now + ROTATION_GRACE - timedelta(seconds=1)) == (NEW, OLD)
    assert secrets.valid_at(now + ROTATION_GRACE) == (NEW,)


def test_the_timestamp_is_whole_seconds_of_the_attempt() -> None:
    assert sign_headers("d-1", AT, b"{}", [NEW])["webhook-timestamp"] == str(int(AT.timestamp()))
