"""The calendar in PostgreSQL, and the events about it."""
