"""The names of weeks, as readers see them."""

from datetime import date


def name_week(day: date) -> str:
    """The ISO week of a day, as 2026-W14."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
