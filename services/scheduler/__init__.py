"""The scheduler: keeps the calendar, and says when a touchpoint is due."""
