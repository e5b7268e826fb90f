"""Sessions as rows: the reader's own first, with the browser in words."""

import pytest

from services.console.sessions_view import client_name, session_rows

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def test_the_own_session_comes_first_then_the_newest() -> None:
    sessions: list[dict[str, object]] = [
        {
            "session_id": "a",
            "key_id": "k",
            "key_name": None,
            "began_at": "2026-03-02T10:00:00Z",
            "client": FIREFOX,
        },
        {
            "session_id": "b",
            "key_id": "k",
            "key_name": "ops",
            "began_at": "2026-03-02T12:00:00Z",
            "client": "",
        },
        {
            "session_id": "c",
            "key_id": "k",
            "key_name": "ops",
            "began_at": "2026-03-02T09:00:00Z",
            "client": "curl/8",
        },
    ]
    rows = session_rows(sessions, "c")
    assert [row.session_id for row in rows] == ["c", "b", "a"]
    assert [(row.key, row.client) for row in rows] == [
        ("ops", "curl/8"),
        ("ops", "unknown"),
        ("k", "Firefox on Linux"),
    ]


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Safari/604.1", "Safari on iPhone"),
    ],
)
def test_a_browser_is_named(agent: str, shown: str) -> None:
    assert client_name(agent) == shown
