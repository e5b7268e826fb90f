"""What the Team page says of people's own calendars."""

from services.console.busy_calendar_view import calendar_lines

READ = {
    "csm_id": "ada", "url": "https://calendar.example.com/****", "busy_times": 212, "left_out": 0, "problem": None,
    "read_at": "2026-03-02T09:14:05Z", "kept_until": "2026-03-09T09:14:05Z",
}  # fmt: skip


def test_a_calendar_that_is_read_says_what_counts_of_it() -> None:
    lines = calendar_lines({"items": [READ, {**READ, "csm_id": "ben", "left_out": 2}]})

    assert lines["ada"] == "Busy time: 212 entries of calendar.example.com, read 2026-03-02 09:14 UTC"
    assert lines["ben"].endswith("; 2 events could not be read")


def test_one_that_is_not_says_since_when_why_and_until_when_it_counts() -> None:
    problem = {"text": "HTTP 500", "since": "2026-03-03T08:00:00Z", "failures": 3}
    new = {**READ, "read_at": None, "kept_until": None, "csm_id": "new"}

    lines = calendar_lines({"items": [{**READ, "problem": problem}, new]})

    assert (
        "; not read since 2026-03-03 08:00 UTC: HTTP 500; what is known counts until 2026-03-09"
        in lines["ada"]
    )
    assert lines["new"] == "Busy time: of calendar.example.com; not read yet"
