"""The limit of requests: for each client and for all, in a window that slides."""

from datetime import UTC, datetime, timedelta

from services.notifier.domain.request_limit import RequestLimit

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_client_waits_until_the_first_of_its_requests_is_out_of_the_window() -> None:
    limit = RequestLimit(most_each=2, most_all=10, window=MINUTE)

    assert [limit.admit("a", NOON + timedelta(seconds=second)) for second in (0, 10)] == [None, None]
    assert limit.admit("a", NOON + timedelta(seconds=20)) == timedelta(seconds=40)
    assert limit.admit("b", NOON + timedelta(seconds=20)) is None
    assert limit.admit("a", NOON + timedelta(seconds=60)) is None
    assert limit.admit("a", NOON + timedelta(seconds=61)) == timedelta(seconds=9)


def test_all_clients_together_have_a_limit_too() -> None:
    limit = RequestLimit(most_each=2, most_all=3, window=MINUTE)

    assert [limit.admit(client, NOON) for client in "abc"] == [None, None, None]
    assert limit.admit("d", NOON) == MINUTE
    assert limit.admit("d", NOON + MINUTE) is None
